"""The recall of a collection, measured with queries of those who search it."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lookalike.collection import Collection, Query
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.sealed import kept
from lookalike.errors import (
    ArgumentError,
    IdError,
    LookalikeError,
    ModelError,
    NoPicturesError,
    PictureError,
    VectorError,
)
from lookalike.index import Index, Reader

from .conftest import PICTURES, Draw, Python

COUNT, DIM = 9000, 16

Floats = NDArray[np.float32]


def groups(count: int, seed: int) -> Floats:
    """Vectors about the same 200 centres."""
    centres, dice = np.random.default_rng(0).standard_normal((200, DIM)), np.random.default_rng(seed)
    made = centres[dice.integers(200, size=count)] + 0.3 * dice.standard_normal((count, DIM))
    return made.astype(np.float32)


def unlike(count: int = 300) -> Floats:
    """Such as no group is like, whose neighbours are far to find."""
    return np.random.default_rng(9).standard_normal((count, DIM), np.float32)


def said(collection: Collection, queries: Floats) -> tuple[list[float], list[float]]:
    """What is said of searches, and with how many vectors each query is compared."""

    def ask(index: Reader, _: Any) -> tuple[list[float], list[float]]:
        found = index.search(queries, 10, recall=0.9)
        return np.asarray(found.recall).tolist(), found.candidates.tolist()

    return collection.examine(ask)


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Collection]:
    np.save(tmp_path / "v.npy", groups(COUNT, seed=1))
    with Collection.create(tmp_path / "v.npy", tmp_path / "index") as collection:
        collection.sync()
        yield collection


def files(collection: Collection) -> list[str]:
    return sorted(os.listdir(collection.place.segments))


def test_it_is_kept_and_seen_by_those_who_have_the_collection_open(large: Collection) -> None:
    queries, where = unlike(), large.place.directory
    with Collection.open(where) as reader:
        before = said(reader, queries)
        old = files(large)
        told: list[tuple[int, int]] = []
        tuned = large.tune(queries, lambda done, total: told.append((done, total)))
        assert (tuned.queries, tuned.vectors, tuned.failed, told) == (len(queries), COUNT, [], [(1, 1)])
        after = said(large, queries)
        assert after != before
        assert said(reader, queries) == after
    index = Index(DIM)
    index.add(groups(COUNT, seed=1))
    index.optimize()
    index.tune(queries)
    assert np.mean(np.asarray(index.search(queries, 10, recall=0.9).recall)) == pytest.approx(np.mean(after[0]))
    assert not set(old) & set(files(large))
    assert len(files(large)) == len(large._catalogue.segments()) == len(os.listdir(large.place.rows)) == 1
    assert Collection.verify(where) == []
    with Collection.open(where) as again:
        assert said(again, queries) == after
        again.tune(queries)
        assert said(again, queries) == after


def test_it_holds_until_vectors_are_sealed_anew(large: Collection, tmp_path: Path) -> None:
    queries = unlike()
    large.tune(queries)
    name = files(large)
    np.save(tmp_path / "v.npy", np.concatenate([groups(COUNT, seed=1), groups(100, seed=2)]))
    assert large.sync().new == 100
    assert set(name) < set(files(large)), "the new ones are in a small segment of their own"
    large.optimize()
    with Collection.create(tmp_path / "v.npy", tmp_path / "other") as other:
        other.sync()
        other.optimize()
        assert said(large, queries) == said(other, queries)


def test_each_large_segment_is_measured_and_what_was_removed_stays_so(tmp_path: Path) -> None:
    for number, count in enumerate((COUNT, 5000, 600)):
        np.save(tmp_path / f"{number}.npy", groups(count, seed=number))
    with Collection.create(tmp_path / "0.npy", tmp_path / "index") as collection:
        collection.sync()
    for name in ("1.npy", "2.npy"):
        with Collection.create(tmp_path / name, tmp_path / "index") as collection:
            collection.sync()
    np.save(tmp_path / "0.npy", groups(COUNT, seed=0)[: COUNT - 200])
    with Collection.open(tmp_path / "index") as collection:
        assert collection.sync().removed == 200
        before = collection._catalogue.segments()
        ids = collection.examine(lambda index, _: index.ids.tolist())
        vectors = sum(count for count in before.values() if count >= 4096)
        assert len(before) > 1
        assert collection.tune(unlike()).vectors == vectors
        after = collection._catalogue.segments()
        assert sorted(after.values()) == sorted(before.values())
        assert {name: count for name, count in before.items() if count < 4096}.items() <= after.items()
        assert not {name for name, count in before.items() if count >= 4096} & after.keys()
        assert collection.examine(lambda index, _: index.ids.tolist()) == ids
    assert Collection.verify(tmp_path / "index") == []


def test_what_waits_to_be_sealed_goes_on_waiting(folder: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lookalike.collection.sealed.tune._LEAST", 1)
    with Collection.open(folder) as collection:
        collection.sync()
        while not collection.info().segments or not collection.info().pending:
            draw(folder / f"new{len(collection)}.png", seed=100 + len(collection))
            collection.sync()
        about, named = collection.info(), files(collection)
        assert collection.tune([1]).vectors == about.indexed - about.pending
        assert (collection.info().pending, collection.info().segments) == (about.pending, about.segments)
        assert not set(named) & set(files(collection))
        assert len(collection.search(id=1, k=100)) == about.indexed - 1
    assert Collection.verify(folder) == []


@pytest.mark.parametrize(
    ("of", "name"),
    [(Index, "tune"), (Index, "save"), (os, "rename"), (Catalogue, "replace_segments")],
    ids=["measuring", "writing", "naming", "committing"],
)
def test_when_it_is_interrupted_all_is_as_it_was(
    large: Collection, monkeypatch: pytest.MonkeyPatch, of: Any, name: str
) -> None:
    queries = unlike()
    before, named = said(large, queries), files(large)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(of, name, stop)
        with pytest.raises(KeyboardInterrupt):
            large.tune(queries)
    assert files(large) == named
    assert said(large, queries) == before
    assert Collection.verify(large.place.directory) == []
    assert large.tune(queries).vectors == COUNT


def test_when_it_is_interrupted_after_the_commit_it_is_done(large: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = unlike()
    before = said(large, queries)
    with monkeypatch.context() as patch:
        patch.setattr(kept, "keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            large.tune(queries)
    assert said(large, queries) != before
    assert len(files(large)) == 1
    assert Collection.verify(large.place.directory) == []


KILLED = """
import os, signal, sys
import numpy as np
from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Catalogue
Catalogue.replace_segments = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with Collection.open(sys.argv[1]) as collection:
    collection.tune(np.ones((20, 16)))
"""


def test_when_it_is_killed_the_file_that_is_left_is_swept(large: Collection, python: Python) -> None:
    queries = unlike()
    before, named = said(large, queries), files(large)
    assert python(KILLED, large.place.directory).returncode == -9
    assert len(files(large)) == 2
    assert said(large, queries) == before
    large.tune(queries)
    assert len(files(large)) == 1
    assert files(large) != named


def test_others_search_while_it_is_measured(large: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []
    measure = Index.tune

    def tune(index: Index, queries: Any) -> None:
        searching = threading.Thread(target=lambda: found.append(len(large.search(id=5, k=3))), daemon=True)
        searching.start()
        searching.join(60)
        measure(index, queries)

    monkeypatch.setattr(Index, "tune", tune)
    large.tune(unlike(20))
    assert found == [3]


@pytest.mark.parametrize(
    ("queries", "error", "told"),
    [
        ([], ArgumentError, "tune needs queries, received none"),
        (np.empty((0, DIM)), ArgumentError, "tune needs queries, received none"),
        (np.ones((5, DIM + 1)), VectorError, "expected vectors of 16 dimensions"),
        ([np.ones(3)], VectorError, "one vector of 16 numbers"),
        (np.full((5, DIM), np.nan), VectorError, "query 0 has NaN"),
        (np.zeros((5, DIM)), VectorError, "zero"),
        ([10**9], IdError, "expected the id of an indexed picture"),
        (["picture.png"], ModelError, "vectors that came from files, received a picture"),
        (None, ArgumentError, "expected something to look for"),
        ([Query.of(text="red")], ModelError, "a model that reads text"),
    ],
)
def test_bad_queries_change_nothing(
    large: Collection,
    draw: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    queries: Any,
    error: type[LookalikeError],
    told: str,
) -> None:
    draw(tmp_path / "picture.png", seed=1)
    monkeypatch.chdir(tmp_path)
    named = files(large)
    with pytest.raises(error, match=told):
        large.tune(queries)
    assert files(large) == named
    assert large.tune(unlike(5)).queries == 5


def test_any_form_of_picture(folder: Path, tmp_path: Path, draw: Draw) -> None:
    new = draw(tmp_path / "new.png", seed=77)
    with Collection.open(folder) as collection:
        collection.sync()
        data, path = new.read_bytes(), folder / "0.png"
        vector = collection.vector(path)
        with Image.open(new) as image:
            queries = [new, str(path), data, io.BytesIO(data), image, 1, vector, Query.of(more=[new, (path, 0.5)])]
            queries.append(Query.of(new, crop=(0, 0, 20, 20)))
            told: list[tuple[int, int]] = []
            tuned = collection.tune(queries, lambda done, total: told.append((done, total)))
            assert (tuned.queries, tuned.vectors, tuned.failed) == (len(queries), 0, [])
            assert told == sorted(told)
            assert told[-1] == (6, 6), "those whose content is not indexed"
            for one in (new, str(path), data, io.BytesIO(data), image, 1, Query.of(new)):
                assert collection.tune(one).queries == 1
        assert collection.tune(each for each in [new, path]).queries == 2
        assert collection.tune(vector).queries == 1


def test_pictures_that_cannot_be_read_are_named(folder: Path, tmp_path: Path, draw: Draw) -> None:
    new, broken, missing = draw(tmp_path / "new.png", seed=77), tmp_path / "broken.png", tmp_path / "missing.png"
    broken.write_bytes(new.read_bytes()[:60])
    with Collection.open(folder) as collection:
        collection.sync()
        tuned = collection.tune([broken, new, missing, folder / "0.png"])
        assert tuned.queries == 2
        assert [failure.path for failure in tuned.failed] == [str(broken), str(missing)]
        assert all(failure.reason for failure in tuned.failed)
        with pytest.raises(PictureError, match=r"broken\.png"):
            collection.tune([broken, missing])
        with pytest.raises(ArgumentError, match="received words for the model efficientnet"):
            collection.tune([new, Query.of(text="dog")])
        assert collection.tune([new]).vectors == 0
        assert len(collection) == PICTURES


def test_an_empty_collection(folder: Path) -> None:
    with Collection.open(folder) as collection, pytest.raises(NoPicturesError, match="expected pictures to search in"):
        collection.tune([folder / "0.png"])


READ_ONLY = """
import sys
import numpy as np
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    try:
        collection.tune(np.ones((5, 16)))
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_one_that_may_only_be_read(large: Collection, python: Python, unprivileged: tuple[str, ...]) -> None:
    large.close()
    paths = [Path(large.place.directory), *Path(large.place.directory).rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = python(READ_ONLY, large.place.directory, prefix=unprivileged)
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.stdout.startswith("WriteError "), done.stderr
