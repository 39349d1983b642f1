"""Out of a collection into a file: equal vectors, equal names, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.errors import (
    ArgumentError,
    DamagedError,
    LookalikeError,
    NoPicturesError,
    WriteError,
)
from lookalike.facts import read_names
from lookalike.models.model import _factories
from lookalike.vectors import read_vectors, write_vectors
from lookalike.vectors.limits import ROWS
from tests.faults import pictures

from .test_facts import photograph

pytestmark = pytest.mark.thorough

COUNT, DIM = 5000, 32
STEP = 511  # with facts, of which each vector may have 64 KiB: 32 MiB at a time
STRANGE = [
    b"../a//b.jpg",
    b"../a/b.jpg",
    b"no utf-8 \xff\xe9.jpg",
    b"two\nlines",
    b"x" * 4000,
    b" ",
    "é 日本.png".encode(),
    b"/abs/./path.jpg",
    b"http://example.org/a.jpg",
    b".",
    b"-dash",
    b"a.h5:17",
]
NAMES = STRANGE + [b"photos/%d.jpg" % i for i in range(COUNT - len(STRANGE))]
VECTORS = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)

Vectors = NDArray[np.float32]


def original(path: Path, names: Sequence[bytes], vectors: Vectors) -> None:
    """A file as the original experiment wrote it."""
    with h5py.File(path, "w") as file:
        file["feats"] = vectors.T
        file.create_dataset("filenames", data=np.array(names, object), dtype=h5py.string_dtype())


def read_original(path: Path) -> tuple[list[bytes], Vectors]:
    with h5py.File(path) as file:
        return list(file["filenames"][:]), np.ascontiguousarray(file["feats"][:].T)


def require_equal(path: Path, names: Sequence[bytes], vectors: Vectors) -> None:
    """Bit for bit."""
    given = read_vectors(path)
    assert given[0] is not None
    assert [os.fsencode(name) for name in given[0]] == list(names)
    assert given[1].dtype == np.float32
    assert np.array_equal(given[1].view(np.uint32), vectors.view(np.uint32))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    original(folder / "a.h5", NAMES, VECTORS)
    with Collection.create(folder / "a.h5", folder / "place") as opened:
        opened.sync()
    return folder


@pytest.fixture
def collection(made: Path, tmp_path: Path) -> Iterator[Collection]:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    with Collection.open(tmp_path / "place") as opened:
        yield opened


# -- round trips


def test_the_original_layout_comes_back(collection: Collection, tmp_path: Path) -> None:
    written = collection.export(tmp_path / "b.h5")
    assert (written.paths, written.count, written.dim, written.format) == (
        (str(tmp_path / "b.h5"),),
        COUNT,
        DIM,
        "hdf5",
    )
    names, vectors = read_original(tmp_path / "b.h5")
    assert names == NAMES
    assert vectors.tobytes() == VECTORS.tobytes()


def test_so_it_does_after_changes(collection: Collection, tmp_path: Path) -> None:
    """What is unchanged comes in the order of the file, then what was changed or is new."""
    names, vectors = NAMES[:100] + NAMES[200:] + [b"new"], np.delete(VECTORS, slice(100, 200), 0)
    vectors = np.concatenate([vectors, np.ones((1, DIM), np.float32)])
    vectors[[0, 7, 4000]] *= 2
    original(tmp_path / "a.h5", names, vectors)
    report = collection.sync()
    assert (report.new, report.changed, report.removed) == (1, 3, 100)
    later = [0, 7, 4000, len(names) - 1]
    order = [*np.delete(np.arange(len(names)), later), *later]
    expected = [names[i] for i in order], vectors[order]
    collection.export(tmp_path / "b.h5")
    require_equal(tmp_path / "b.h5", *expected)
    collection.optimize()
    collection.export(tmp_path / "c.h5")
    assert (tmp_path / "c.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    collection.export(tmp_path / "a.h5", overwrite=True)  # over its own source
    assert collection.sync().changes == 0


@pytest.mark.parametrize("ending", ["h5", "npy", "vec", "bin"])
def test_every_format(tmp_path: Path, ending: str) -> None:
    """The same collection gives the same bytes; a collection of these, too."""
    pytest.importorskip("pyarrow")
    words, vectors = [f"w{i}" for i in range(1000)], VECTORS[:1000]
    for source, to in (("a.npy", "b"), (f"b.{ending}", "c")):
        if source == "a.npy":
            write_vectors(tmp_path / source, [(words, vectors)])
        with Collection.create(tmp_path / source, tmp_path / f"place of {to}") as collection:
            collection.sync()
            written = collection.export(tmp_path / f"{to}.{ending}")
            again = collection.export(tmp_path / f"{to}-again.{ending}")
        require_equal(tmp_path / f"{to}.{ending}", [word.encode() for word in words], vectors)
        for one, other in zip(written.paths, again.paths, strict=True):
            assert Path(one).read_bytes() == Path(other).read_bytes()
    assert (tmp_path / f"b.{ending}").read_bytes() == (tmp_path / f"c.{ending}").read_bytes()


GIVEN: dict[str, dict[str, Any]] = {
    "../a//b.jpg": {"label": "cat", "stars": 5, "score": 0.5, "good": True, "tags": ["a", "é"], "odd name": "x"},
    "../a/b.jpg": {"label": "dog", "stars": 2**62, "score": 3, "good": False, "tags": ["b"]},
    "no utf-8 \udcff\udce9.jpg": {"stars": -1},
}


def test_facts_come_along_and_back(collection: Collection, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    collection.describe(GIVEN)
    collection.export(tmp_path / "b.npy")
    require_equal(tmp_path / "b.npy", NAMES, VECTORS)
    table = parquet.read_table(tmp_path / "b.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types.pop("tags").startswith("list<")
    assert types == {
        "path": "binary",
        "id": "int64",
        "label": "string",
        "stars": "int64",
        "score": "double",
        "good": "bool",
        "odd name": "string",
    }
    ids = [collection.search(VECTORS[i], k=1, exact=True)[0].id for i in (0, COUNT - 1)]
    assert [table.column("id").to_pylist()[i] for i in (0, -1)] == ids
    for row, facts in zip(table.slice(0, 3).to_pylist(), GIVEN.values(), strict=True):
        assert {name: value for name, value in row.items() if value is not None and name not in ("path", "id")} == facts
    with Collection.create(tmp_path / "b.npy", tmp_path / "again") as again:
        again.sync()
        assert again.describe(read_names(str(tmp_path / "b.parquet"))).pictures == COUNT
        assert again.facts("../a//b.jpg")["tags"] == ["a", "é"]
        again.export(tmp_path / "c.npy")
    for name in ("npy", "parquet"):
        assert (tmp_path / f"b.{name}").read_bytes() == (tmp_path / f"c.{name}").read_bytes()


def test_values_of_several_kinds_are_json(collection: Collection, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    values: list[Any] = [1, "1", 0.5, True, ["a"]]
    collection.describe({os.fsdecode(NAMES[i]): {"mixed": value} for i, value in enumerate(values)})
    collection.export(tmp_path / "b.npy")
    column = parquet.read_table(tmp_path / "b.parquet").column("mixed").to_pylist()
    assert [json.loads(text) for text in column[: len(values)]] == values
    assert set(column[len(values) :]) == {None}


def test_pictures(tmp_path: Path) -> None:
    """By their absolute paths; what failed is left out, what EXIF says comes along."""
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    if pictures.MODEL not in _factories:
        pictures.prepare(children=True)
    folder = tmp_path / "photos"
    for seed in range(5):
        pictures.write(str(folder / f"{seed}.png"), seed)
    (folder / "broken.png").write_bytes(b"none")
    photograph(folder / "z.jpg", seed=1)
    with Collection.create(folder, model=pictures.MODEL) as collection:
        collection.sync()
        collection.describe({folder / "0.png": {"stars": 5, "id": 77}})
        assert collection.export(tmp_path / "b.h5").count == 6
        collection.export(tmp_path / "b.npy")
        paths = collection.paths()
        assert sorted(paths) == sorted([*(str(folder / f"{seed}.png") for seed in range(5)), str(folder / "z.jpg")])
        expected = np.stack([collection.vector(path) for path in paths])
        for name in ("b.h5", "b.npy"):
            require_equal(tmp_path / name, [os.fsencode(path) for path in paths], expected)
        for seed in range(5):
            assert np.array_equal(expected[paths.index(str(folder / f"{seed}.png"))], pictures.vector(seed))
        ids = {hit.path: hit.id for hit in collection.search(expected[0], k=6)}
    rows = {row.pop("path"): row for row in parquet.read_table(tmp_path / "b.parquet").to_pylist()}
    assert set(rows[paths[0]]) == {"id", "stars", "taken", "year", "month", "day", "camera"}
    assert (rows[str(folder / "0.png")]["stars"], rows[str(folder / "0.png")]["id"]) == (5, 77)  # the fact
    assert rows[str(folder / "1.png")]["id"] == ids[str(folder / "1.png")]
    assert (rows[str(folder / "z.jpg")]["year"], rows[str(folder / "z.jpg")]["camera"]) == (2021, "Canon EOS 5D")


# -- which


@pytest.mark.parametrize("ending", ["h5", "npy"])
def test_only_some(collection: Collection, tmp_path: Path, ending: str) -> None:
    pytest.importorskip("pyarrow")
    some = [4990, 17, 3000]
    collection.describe({os.fsdecode(NAMES[i]): {"label": "cat"} for i in some})
    written = collection.export(tmp_path / f"b.{ending}", where="label = 'cat'")
    assert written.count == 3
    require_equal(tmp_path / f"b.{ending}", [NAMES[i] for i in sorted(some)], VECTORS[sorted(some)])
    with pytest.raises(NoPicturesError, match="received none of which label = 'dog'; nothing was written"):
        collection.export(tmp_path / f"c.{ending}", where="label = 'dog'")
    with pytest.raises(ArgumentError, match="did you mean label"):
        collection.export(tmp_path / f"c.{ending}", where="labels = 'dog'")
    assert not (tmp_path / f"c.{ending}").exists()


def test_zero_vectors_are_left_out_under_cosine(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors[1] = 0
    original(tmp_path / "a.h5", [b"a", b"b", b"c", b"d"], vectors)
    for metric, left in (("cosine", [0, 2, 3]), ("dot", [0, 1, 2, 3])):
        with Collection.create(tmp_path / "a.h5", tmp_path / metric, layout="columns", metric=metric) as collection:  # type: ignore[arg-type]
            collection.sync()
            assert collection.export(tmp_path / f"{metric}.h5").count == len(left)
            require_equal(tmp_path / f"{metric}.h5", [b"abcd"[i : i + 1] for i in left], vectors[left])


def test_nothing_is_no_export(tmp_path: Path) -> None:
    write_vectors(tmp_path / "a.npy", [(None, VECTORS)])
    with (
        Collection.create(tmp_path / "a.npy", tmp_path / "place") as collection,
        pytest.raises(NoPicturesError, match=r"expected vectors to export from .*place, received none; nothing was"),
    ):
        collection.export(tmp_path / "b.npy")
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "place"]


def test_memory_does_not_grow_with_the_items(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list of all of them is made."""
    asked: list[int] = []
    among = Catalogue.among

    def counted(catalogue: Catalogue, ids: NDArray[np.int64]) -> Any:
        asked.append(len(ids))
        return among(catalogue, ids)

    monkeypatch.setattr(Catalogue, "items", None)
    monkeypatch.setattr(Catalogue, "among", counted)
    collection.export(tmp_path / "b.h5")
    pytest.importorskip("pyarrow")
    collection.export(tmp_path / "b.npy")  # facts may be long: fewer at a time
    assert asked[0] == COUNT <= ROWS
    assert max(asked[1:]) == STEP
    assert sum(asked[1:]) == COUNT


# -- while others write


def test_it_is_of_one_snapshot(collection: Collection, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")

    def progress(done: int, total: int) -> None:
        if done == STEP:
            original(tmp_path / "a.h5", NAMES[:-1], -VECTORS[:-1])
            with Collection.open(tmp_path / "place") as other:
                assert other.sync().changed == COUNT - 1
                other.optimize()
        elif done == 2 * STEP:
            with pytest.raises(LookalikeError, match="expected no change"):
                collection.sync()

    collection.export(tmp_path / "b.npy", progress=progress)
    require_equal(tmp_path / "b.npy", NAMES, VECTORS)
    collection.export(tmp_path / "b.npy", overwrite=True)
    require_equal(tmp_path / "b.npy", NAMES[:-1], -VECTORS[:-1])


def test_progress(collection: Collection, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    told: list[tuple[int, int]] = []
    collection.export(tmp_path / "b.npy", progress=lambda *each: told.append(each))
    assert told == [*((done, COUNT) for done in range(0, COUNT, STEP)), (COUNT, COUNT)]


# -- what is refused


@pytest.mark.parametrize("ending", ["h5", "npy", "vec", "bin"])
def test_an_interrupt_leaves_nothing(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("pyarrow")
    write_vectors(tmp_path / "a.bin", [([f"w{i}" for i in range(1000)], VECTORS[:1000])])
    with Collection.create(tmp_path / "a.bin", tmp_path / "place") as collection:
        collection.sync()

        def interrupt(done: int, total: int) -> None:
            if done:
                os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            collection.export(tmp_path / f"b.{ending}", progress=interrupt)
        assert sorted(os.listdir(tmp_path)) == ["a.bin", "place"]
        collection.export(tmp_path / f"b.{ending}")  # and it goes on


def test_words_without_white_space(collection: Collection, tmp_path: Path) -> None:
    with pytest.raises(
        ArgumentError, match=r"received 'no utf-8 .*' in row 2; .* choose hdf5 or npy, which keep every"
    ):
        collection.export(tmp_path / "b.vec")
    assert not (tmp_path / "b.vec").exists()


def test_a_name_of_two_vectors(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npy"):
        write_vectors(tmp_path / name, [(None, VECTORS[:3])])
        os.makedirs(tmp_path / name[0])
        (tmp_path / name).rename(tmp_path / name[0] / "v.npy")
    with Collection.create([tmp_path / "a" / "v.npy", tmp_path / "b" / "v.npy"], tmp_path / "place") as collection:
        collection.sync()
        with pytest.raises(
            ArgumentError, match=r"each name once, received 'v\.npy:0' in row 3 as in row 0; .*rename one"
        ):
            collection.export(tmp_path / "c.h5")


def test_where_it_may_not_be_written(collection: Collection, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "link").symlink_to("place")
    for inside in ("place/b.h5", "place/segments/b.h5", "link/b.h5", "place/../place/b.h5"):
        with pytest.raises(ArgumentError, match=r"expected a file outside .*place, received .*; name another"):
            collection.export(tmp_path / inside, overwrite=True)
    with pytest.raises(WriteError, match="expected no file there, received one; choose another name"):
        collection.export(tmp_path / "a.h5")
    with pytest.raises(WriteError, match="No such file or directory"):
        collection.export(tmp_path / "none" / "b.h5")
    with pytest.raises(WriteError, match="received another kind"):
        collection.export("/dev/null", format="hdf5", overwrite=True)
    with pytest.raises(ArgumentError, match=r"expected one of the endings .*, received '\.csv'"):
        collection.export(tmp_path / "b.csv")
    (tmp_path / "link").unlink()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("ending", ["h5", "npy"])
@pytest.mark.parametrize("what", ["segment", "row", "vector", "facts"])
def test_damage_is_told_and_nothing_is_written(collection: Collection, tmp_path: Path, what: str, ending: str) -> None:
    pytest.importorskip("pyarrow")
    collection.describe({"../a/b.jpg": {"stars": 1}})
    place = tmp_path / "place"
    collection.close()
    if what == "segment":
        (segment,) = (place / "segments").iterdir()
        data = bytearray(segment.read_bytes())
        data[70_000 : len(data) - 70_000 : 5_000] = bytes(b ^ 1 for b in data[70_000 : len(data) - 70_000 : 5_000])
        segment.write_bytes(data)
    else:
        statement = {
            "row": "UPDATE items SET path = x'61' WHERE id = 3000",
            "vector": "DELETE FROM items WHERE id = 3000",
            "facts": "DELETE FROM metadata",
        }[what]
        with sqlite3.connect(place / "catalogue.sqlite") as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f"DROP TRIGGER {name}")
            database.execute(statement)
        database.close()
    with Collection.open(place) as damaged:
        if (what, ending) == ("facts", "h5"):
            damaged.export(tmp_path / "b.h5")  # which has none
            return
        with pytest.raises(DamagedError, match="lookalike repair"):
            damaged.export(tmp_path / f"b.{ending}")
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "place"]


def test_a_collection_that_is_closed(collection: Collection, tmp_path: Path) -> None:
    collection.close()
    with pytest.raises(LookalikeError):
        collection.export(tmp_path / "b.h5")
    assert sorted(os.listdir(tmp_path)) == ["a.h5", "place"]
