"""What a new catalogue takes from where when rows of the old one are lost, and what a repair says of it."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection, LostFacts, embedding
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.mending.remains import salvage
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.errors import DamagedError
from lookalike.index import Index
from lookalike.models import DEFAULT, Input, register
from tests.memory import GROWN
from tests.segment_files import forget_rows, segment

from .conftest import PICTURES, Draw, Python

pytestmark = pytest.mark.thorough


class Grid:
    """Four means of each picture, a model of few dimensions."""

    name = "grid"
    hash = "of the grid"
    dim = 12
    input = Input(8, "squeeze")

    def embed(self, batch: np.ndarray) -> np.ndarray:
        tiles = batch.reshape(-1, 2, 4, 2, 4, 3).mean(axis=(2, 4), dtype=np.float32) - np.float32(127.3)
        means: np.ndarray = tiles.reshape(len(batch), self.dim)
        return means


@pytest.fixture
def index(folder: Path, tmp_path: Path) -> Path:
    """The sealed collection of a folder, made with another model than the default one."""
    if "grid" not in lookalike.models.model._factories:
        register("grid", Grid)
    with Collection.create(folder, tmp_path / "index", model="grid") as collection:
        collection.sync()
        assert collection.info().pending == 0
    return tmp_path / "index"


def alter(index: Path, *statements: str) -> None:
    with closing(sqlite3.connect(index / "catalogue.sqlite")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def note(path: Path) -> dict[str, str]:
    return Index.open(path).note


def rewrite(path: Path, kept: dict[str, str]) -> None:
    """Give a segment file another note, as one of an earlier version."""
    opened = Index.open(path)
    opened.save(f"{path}.other", note=kept)
    os.rename(f"{path}.other", path)


def test_the_model_is_taken_from_the_segments(index: Path) -> None:
    alter(index, "UPDATE about SET model = 'efficientnet-lite0'")
    (done,) = Collection.repair(index).done
    assert "assumed" not in done
    with Collection.open(index) as collection:
        assert (collection.model.name, len(collection)) == ("grid", PICTURES)
        assert collection.sync().unchanged == PICTURES
    assert Collection.verify(index) == []


def test_the_model_is_taken_from_what_is_left_of_a_segment(tmp_path: Path, draw: Draw) -> None:
    for i in range(30):
        draw(tmp_path / "photos" / f"{i}.png", seed=i, size=(48, 48))
    lookalike.open(tmp_path / "photos").close()
    directory = tmp_path / "photos" / ".lookalike"
    alter(directory, "UPDATE about SET dim = 3")
    path = segment(directory)
    data = bytearray(path.read_bytes())
    data[data.index(_vector_of(path)) + 65536] ^= 1
    path.write_bytes(data)
    report = Collection.repair(tmp_path / "photos")
    assert "assumed" not in report.done[0]
    assert 8 < report.embedded < 30
    assert Collection.verify(tmp_path / "photos") == []


def as_before(index: Path) -> Path:
    """The one segment, under a name without a digest, as it was given by earlier versions."""
    path = segment(index).rename(index / "segments" / "000001.segment")
    with closing(Catalogue(os.fspath(index / "catalogue.sqlite"))) as catalogue, catalogue.writing():
        catalogue.replace_segments({path.name: len(Index.open(path))})
    return path


def _vector_of(path: Path) -> bytes:
    """The bytes of a vector in a segment file."""
    opened = Index.open(path)
    return opened[int(opened.ids[0])].tobytes()


def test_where_nothing_names_the_model_that_is_said(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        uuid = collection._catalogue.about().uuid
    rewrite(as_before(folder / ".lookalike"), {"collection": uuid})
    alter(folder / ".lookalike", "UPDATE about SET dim = 3")
    (done,) = Collection.repair(folder).done
    assert f"assumed to be {DEFAULT}" in done
    assert Collection.verify(folder) == []


def test_files_of_an_earlier_version_are_opened_and_merged(index: Path, folder: Path, draw: Draw) -> None:
    whole = note(segment(index))
    assert (whole["model"], whole["model_hash"]) == ("grid", "of the grid")
    old = {"collection": whole["collection"]}
    rewrite(as_before(index), old)
    for i in range(2):
        draw(folder / f"new{i}.png", seed=70 + i)
    with Collection.open(index) as collection:
        collection.sync()
        names = list(collection._catalogue.segments())
        assert len(names) == 2
        assert [note(index / "segments" / name) for name in names] == [old, old]
        assert len(collection.search(np.ones(12), k=100)) == PICTURES + 2
        collection.optimize()
        (name,) = collection._catalogue.segments()
        assert note(index / "segments" / name) == whole
        assert len(collection.search(np.ones(12), k=100)) == PICTURES + 2


def test_facts_whose_rows_are_lost_are_named(index: Path, folder: Path) -> None:
    with Collection.open(index) as collection:
        collection.describe({path: {"mine": Path(path).name} for path in collection.paths()})
        ids = {Path(item.path.decode()).name: item.id for item in collection._catalogue.items()}
    alter(
        index,
        f"UPDATE metadata SET given = '{{}}' WHERE id = {ids['1.png']}",
        f"UPDATE items SET size = size + 1 WHERE id = {ids['2.png']}",
    )
    forget_rows(index)
    report = Collection.repair(index)
    assert report.lost_facts == [
        LostFacts(ids["2.png"], "", {"mine": "2.png"}),
        LostFacts(ids["1.png"], str(folder / "1.png"), None),
    ]
    assert (report.lost, report.lost_items, report.lost_anything) == ([], 1, True)
    assert "1 items are lost" in report.done[0]


def test_where_nobody_gave_facts_none_are_lost(index: Path) -> None:
    alter(index, "UPDATE metadata SET exif = '[]' WHERE id = 1")
    report = Collection.repair(index)
    assert report.done
    assert not report.lost_anything


def test_damage_of_a_segment_comes_with_one_advice(index: Path) -> None:
    path = segment(index)
    data = bytearray(path.read_bytes())
    data[data.index(_vector_of(path))] ^= 1
    path.write_bytes(data)
    (problem,) = Collection.verify(index)
    assert "altered" in problem
    with Collection.open(index) as collection, pytest.raises(DamagedError, match="lookalike repair") as error:
        collection.search(np.ones(12))
    for text in (problem, str(error.value), *Collection.repair(index).done):
        assert "restore it" not in text


def test_much_that_is_embedded_again_is_sealed_meanwhile(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment(index).unlink()
    monkeypatch.setattr(segments, "MOST_PENDING", 3)
    monkeypatch.setattr(embedding, "BATCH", 1)
    pending = []

    def look(done: int, total: int) -> None:
        with closing(sqlite3.connect(index / "catalogue.sqlite")) as connection:
            pending.extend(connection.execute("SELECT count(*) FROM pending").fetchone())

    assert Collection.repair(index, look).embedded == PICTURES
    assert len(pending) == PICTURES
    assert max(pending) < 3
    assert Collection.verify(index) == []


SALVAGE = f"""{GROWN}
import sys
from lookalike.collection.sealed import segments
from lookalike.collection.catalogue.catalogue import About
from lookalike.collection.place import Place
from lookalike.collection.mending.remains import salvage
from lookalike.index import Index
segments._MUCH = 0
place, about = Place.at(sys.argv[1]), About("one", "m", "h", 2048, "cosine", 0, 0, 0, 0)
def mend():
    global left
    left = salvage(place, about, "000001.segment", set()) if sys.argv[2] == "mapped" else Index.salvage(sys.argv[2])[0]
    print(segments.save(place, about, left, "000002.segment", []))
took = grown(mend)
print(len(left), took)
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_is_left_of_a_segment_takes_no_memory(tmp_path: Path, python: Python) -> None:
    """5,000 vectors of 2,048 dimensions are 39 MiB."""
    path = tmp_path / "segments" / "000001.segment"
    path.parent.mkdir()
    whole = Index(2048)
    whole.add(np.random.default_rng(0).standard_normal((5000, 2048), np.float32))
    whole.save(path, note={"collection": "one"})
    vector = whole[100].tobytes()
    data = bytearray(path.read_bytes())
    data[data.index(vector)] ^= 1
    path.write_bytes(data)
    name, *numbers = python(SALVAGE, tmp_path, "mapped").stdout.split()
    kept, took = map(int, numbers)
    assert 4980 < kept < 5000
    in_memory = int(python(SALVAGE, tmp_path, path).stdout.split()[2])
    assert took + 30 < in_memory
    mended = Index.open(tmp_path / "segments" / name)
    mended.verify()
    assert len(mended) == kept


@pytest.mark.parametrize("taken", [0, 3000])
def test_any_block_of_a_segment_may_be_damaged(tmp_path: Path, taken: int) -> None:
    """What is left is what `Index.salvage` finds, whatever else than vectors is damaged, and can be saved."""
    place = Place.at(str(tmp_path / "index"))
    about = About("one", "m", "h", 256, "cosine", 0, 0, 0, 0)
    path = Path(place.segments, "000001.segment")
    path.parent.mkdir(parents=True)
    vectors = np.random.default_rng(0).standard_normal((5000, 256), np.float32)
    whole = Index(256)
    whole.add(vectors)
    whole.save(path, note={"collection": "one"})
    data = path.read_bytes()
    for i, at in enumerate(range(500, len(data), 5 * 65536)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 8]) + data[at + 1 :])
        expected, _ = Index.salvage(path)
        left = salvage(place, about, path.name, set(range(taken)))
        assert left is not None
        assert set(left.ids.tolist()) == {item_id for item_id in expected.ids.tolist() if item_id >= taken}
        if i % 4 and taken == 0:  # to save many takes a while
            continue
        left.save(tmp_path / "mended")
        mended = Index.open(tmp_path / "mended")
        mended.verify()
        for item_id in mended.ids[::100].tolist():
            assert np.array_equal(mended[item_id], vectors[item_id])
