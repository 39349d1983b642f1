"""Damage in collections of vectors: what is lost is read from its file again, and what cannot be is named."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection, LostFacts
from lookalike.collection.sealed import bulk
from lookalike.errors import DamagedError, NoPicturesError, NotAnIndexError, ReadError
from lookalike.index import Index
from tests.segment_files import forget_rows, segment

from .conftest import Python
from .vectors import COUNT, NAMES, VECTORS, counts, plain, require_holds, rows, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "v.h5", rows(), 0)


@pytest.fixture
def index(file: Path, tmp_path: Path) -> Path:
    """A collection of a file, by euclidean distance; one vector has facts."""
    with Collection.create(file, tmp_path / "index", metric="euclidean") as collection:
        collection.sync()
        collection.describe({NAMES[0]: {"stars": 5}})
    return tmp_path / "index"


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x20
    path.write_bytes(data)


def hurt(index: Path, number: int = 0) -> None:
    """Damage a segment in one of its vectors; of a small one nothing is left then."""
    path = segment(index)
    opened = Index.open(path)
    flip(path, path.read_bytes().index(opened[int(opened.ids[number])].tobytes()))
    assert Collection.verify(index)


def alter(index: Path, *statements: str) -> None:
    """Damage its catalogue, of which nothing is kept elsewhere."""
    with closing(sqlite3.connect(index / "catalogue.sqlite")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    if (index / "rows").exists():  # it has been filled
        forget_rows(index)
    assert Collection.verify(index)


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("lock", "catalogue.sqlite-shm")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def ids_of(index: Path) -> dict[str, int]:
    with Collection.open(index) as collection:
        return {hit.path: hit.id for hit in collection.search(VECTORS[0], k=COUNT, exact=True)}


@pytest.mark.parametrize("lost", ["block", "file"])
def test_vectors_are_read_again_where_their_file_is_the_same(
    index: Path, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_PART", 16)
    monkeypatch.setattr(bulk, "MOST_PARTS", 4)
    ids = ids_of(index)
    if lost == "block":
        hurt(index)
    else:
        segment(index).unlink()
    seen: list[tuple[int, int]] = []
    report = Collection.repair(index, lambda done, total: seen.append((done, total)))
    assert (report.kept, report.embedded, report.lost, report.lost_facts) == (0, COUNT, [], [])
    assert report.done[-1] == f"vectors read again from their files: {COUNT}"
    assert seen == [(done, COUNT) for done in range(1, COUNT + 1)]
    assert ids_of(index) == ids
    assert len(list((index / "segments").iterdir())) == 1
    with Collection.open(index) as collection:
        assert (collection.info().pending, collection.info().segments) == (0, 1)
        assert counts(collection.sync()) == {"unchanged": COUNT}
        require_holds(collection, rows())
        assert collection.paths("stars = 5") == NAMES[:1]
    assert Collection.repair(index).done == []


def test_what_is_left_of_a_segment_is_kept(tmp_path: Path) -> None:
    """Blocks of 64 KiB are told apart."""
    many = np.random.default_rng(0).standard_normal((2000, 32)).astype(np.float32)
    names = [f"v.npy:{i}" for i in range(2000)]
    with Collection.create(plain(tmp_path / "v.npy", many, 0), tmp_path / "index") as collection:
        collection.sync()
    hurt(tmp_path / "index", 1000)
    report = Collection.repair(tmp_path / "index")
    assert 400 < report.embedded < 1600
    assert report.kept == 2000 - report.embedded
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 2000}
        require_holds(collection, rows(names, many))


def test_a_file_that_has_changed_is_left_to_the_next_sync(index: Path, file: Path) -> None:
    now = rows(vectors=VECTORS + 1)
    del now[NAMES[9]]
    write(file, now, 1)
    hurt(index)
    report = Collection.repair(index)
    assert (report.kept, report.embedded, len(report.lost)) == (0, 0, COUNT)
    assert {lost.path for lost in report.lost} == set(NAMES)
    assert "another content now" in report.lost[0].reason
    with Collection.open(index) as collection:
        assert (len(collection), len(collection.failed())) == (0, COUNT)
        assert counts(collection.sync()) == {"new": COUNT - 1}
        require_holds(collection, now)
        assert collection.paths("stars = 5") == NAMES[:1]


@pytest.mark.parametrize("away", ["gone", "a folder"])
def test_a_file_that_is_away_stops_a_repair(index: Path, file: Path, away: str) -> None:
    hurt(index)
    file.rename(file.with_name("away"))
    if away == "a folder":
        file.mkdir()
    before = contents(index)
    with pytest.raises(ReadError, match=f"the vectors again that are damaged.*for 300 of them: {file}: .*give-up"):
        Collection.repair(index)
    assert contents(index) == before
    report = Collection.repair(index, give_up=True)
    assert (report.embedded, len(report.lost)) == (0, COUNT)
    with Collection.open(index) as collection:
        assert len(collection.failed()) == COUNT
        assert Collection.verify(index) == []
        with pytest.raises(NoPicturesError, match="expected a file of vectors"):
            collection.sync()
        if away == "a folder":
            file.rmdir()
        file.with_name("away").rename(file)
        assert counts(collection.sync()) == {"new": COUNT}, "though the file is as it was when all of it was taken"
        require_holds(collection, rows())
        assert collection.paths("stars = 5") == NAMES[:1]


REPAIR = """
import sys
from lookalike.collection import Collection
from lookalike.errors import ReadError
try:
    Collection.repair(sys.argv[1])
except ReadError as error:
    print(error)
"""


def test_a_file_that_may_not_be_read_is_away(
    index: Path, file: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    hurt(index)
    file.chmod(0)
    done = python(REPAIR, index, prefix=unprivileged)
    assert "Permission denied" in done.stdout, done.stderr
    file.chmod(0o644)
    assert Collection.repair(index).embedded == COUNT


def test_of_several_files_the_others_are_read(index: Path, file: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "w.h5", rows(["w"], VECTORS[:1]), 0)
    with Collection.create(other, index) as collection:
        collection.sync()
        collection.optimize()
    (name,) = (path.name for path in (index / "segments").iterdir())
    (index / "segments" / name).unlink()
    other.unlink()
    report = Collection.repair(index, give_up=True)
    assert (report.embedded, [lost.path for lost in report.lost]) == (COUNT, ["w"])
    with Collection.open(index) as collection:
        assert counts(collection.sync()) == {"unchanged": COUNT, "lost": 1}
        require_holds(collection, rows())


def test_items_that_are_lost_are_found_by_the_next_sync(index: Path) -> None:
    """Though the file is as it was when all of it was taken."""
    alter(index, "UPDATE items SET size = size + 1 WHERE id IN (1, 5, 300)")
    report = Collection.repair(index)
    assert report.lost_items == 3
    assert report.lost_facts == [LostFacts(1, "", {"stars": 5})]
    assert report.embedded == 0
    with Collection.open(index) as collection:
        assert counts(collection.sync()) == {"new": 3, "unchanged": COUNT - 3}
        require_holds(collection, rows())
        assert counts(collection.sync()) == {"unchanged": COUNT}


def test_a_pending_block_that_a_kill_left_does_no_harm_to_a_rescue(index: Path, file: Path) -> None:
    """Its ids are the next ones; what is in no transaction was never there."""
    with Collection.open(index) as collection:
        about = collection._catalogue.about()
        assert about.next_id == COUNT + 1
        left = bulk.Bulk(collection.place, about, [segment(index).name])
        left.add(np.arange(COUNT + 1, COUNT + 11), VECTORS[:10])
        left.save()
    alter(index, "UPDATE items SET size = size + 1 WHERE id = 7")
    assert Collection.repair(index).lost_items == 1
    now = rows() | rows([f"new{i}" for i in range(20)], VECTORS[:20] + 1)
    write(file, now, 1)
    with Collection.open(index) as collection:
        assert counts(collection.sync()) == {"new": 21, "unchanged": COUNT - 1}
        require_holds(collection, now)
        assert Collection.repair(index).done == []


def test_facts_that_are_lost_are_told(index: Path) -> None:
    alter(index, "UPDATE metadata SET given = '{}'")
    report = Collection.repair(index)
    assert report.lost_facts == [LostFacts(0, "", None)]
    assert report.lost_anything
    with Collection.open(index) as collection:
        require_holds(collection, rows())
        assert collection.given(NAMES) == {}


def test_where_there_were_no_facts_none_are_lost(file: Path, tmp_path: Path) -> None:
    with Collection.create(file, tmp_path / "other") as collection:
        collection.sync()
    alter(tmp_path / "other", "UPDATE roots SET path = x'00'")
    assert not Collection.repair(tmp_path / "other").lost_anything


def test_how_a_file_is_read_is_lost_and_told(tmp_path: Path) -> None:
    """The file is read as it tells by itself, and nothing is changed where that is not what is in the collection."""
    file = plain(tmp_path / "v.npy", VECTORS.T, 0)
    names = [f"v.npy:{i}" for i in range(COUNT)]
    with Collection.create(file, tmp_path / "index", layout="columns") as collection:
        collection.sync()
    alter(tmp_path / "index", "UPDATE containers SET size = size + 1")
    report = Collection.repair(tmp_path / "index")
    assert f"how {file} is to be read is lost, too" in report.done[0]
    with Collection.open(tmp_path / "index") as collection:
        assert collection.info().roots == [str(file)]
        with pytest.raises(NoPicturesError, match="expected vectors of 7 dimensions"):
            collection.sync()
        require_holds(collection, rows(names))
    with Collection.create(file, tmp_path / "index", layout="columns") as collection:
        assert counts(collection.sync()) == {"unchanged": COUNT}
        require_holds(collection, rows(names))


@pytest.mark.parametrize("table", ["containers", "roots"])
@pytest.mark.parametrize("synced", [True, False])
def test_sources_that_are_lost(file: Path, tmp_path: Path, table: str, synced: bool) -> None:
    """The one table tells what is in the other."""
    index = tmp_path / "index"
    with Collection.create(file, index) as collection:
        if synced:
            collection.sync()
    alter(index, f"UPDATE {table} SET path = x'00'")
    report = Collection.repair(index)
    assert ("is to be read is lost" in report.done[0]) == (table == "containers")
    with Collection.open(index) as collection:
        assert collection.info().roots == [str(file)]
        assert counts(collection.sync()) == ({"unchanged": COUNT} if synced else {"new": COUNT})
        require_holds(collection, rows())


def test_what_it_is_a_collection_of_is_taken_from_the_segments(index: Path) -> None:
    alter(index, "UPDATE about SET dim = 3")
    report = Collection.repair(index)
    assert "assumed" not in report.done[0]
    with Collection.open(index) as collection:
        assert (collection.things, collection.info().metric, collection.info().dim) == ("vectors", "euclidean", 7)
        assert counts(collection.sync()) == {"unchanged": COUNT}
        require_holds(collection, rows())


def test_or_from_what_is_left_of_one(tmp_path: Path) -> None:
    """A damaged block of the ids, which lie at both ends, keeps it from being opened."""
    many = np.random.default_rng(0).standard_normal((500, 300)).astype(np.float32)
    with Collection.create(plain(tmp_path / "v.npy", many, 0), tmp_path / "index", metric="sqeuclidean") as collection:
        collection.sync()
    path = segment(tmp_path / "index")
    flip(path, path.read_bytes().index(np.arange(1, 65, dtype="<u8").tobytes()))
    with pytest.raises(DamagedError):
        Index.open(path)
    alter(tmp_path / "index", "UPDATE about SET dim = 3")
    assert "assumed" not in Collection.repair(tmp_path / "index").done[0]
    with Collection.open(tmp_path / "index") as collection:
        assert collection.info().metric == "sqeuclidean"
        assert counts(collection.sync()) == {"unchanged": 500}
        require_holds(collection, rows([f"v.npy:{i}" for i in range(500)], many))


def test_or_from_the_items(index: Path) -> None:
    """What the vectors are compared by is assumed then, and that is said."""
    alter(index, "UPDATE about SET dim = 3")
    segment(index).write_bytes(b"nothing of it is left")
    report = Collection.repair(index)
    assert "was assumed to be cosine" in report.done[0]
    assert report.embedded == COUNT
    with Collection.open(index) as collection:
        assert (collection.things, collection.info().metric) == ("vectors", "cosine")
        assert counts(collection.sync()) == {"unchanged": COUNT}
        require_holds(collection, rows())


def test_a_collection_of_which_nothing_is_known(file: Path, tmp_path: Path) -> None:
    with Collection.create(file, tmp_path / "index"):
        pass
    alter(tmp_path / "index", "UPDATE about SET dim = 3")
    with pytest.raises(NotAnIndexError, match="the dimensions of its vectors"):
        Collection.repair(tmp_path / "index")


def test_a_repair_that_is_stopped_goes_on(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_PART", 16)
    monkeypatch.setattr(bulk, "MOST_PARTS", 4)
    hurt(index)

    def stop(done: int, total: int) -> None:
        if done == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Collection.repair(index, stop)
    report = Collection.repair(index)
    assert 0 < report.embedded < COUNT
    assert report.kept == COUNT - report.embedded
    with Collection.open(index) as collection:
        require_holds(collection, rows())
        assert counts(collection.sync()) == {"unchanged": COUNT}


def test_rows_that_are_there_no_more_are_removed_by_the_next_sync(index: Path, file: Path) -> None:
    """As where a file was changed in its middle, and its size and time put back."""
    with closing(sqlite3.connect(index / "catalogue.sqlite")) as connection:
        connection.execute("DELETE FROM marks")  # else so small a file is known by its ends
        connection.commit()
    write(file, {("x" + name[1:]): row for name, row in rows().items()}, 0)
    with Collection.open(index) as collection:
        assert counts(collection.sync()) == {"unchanged": COUNT}, "which nobody can see"
    hurt(index)
    report = Collection.repair(index)
    assert {lost.reason for lost in report.lost} == {"it is not in its file any more; its facts are kept"}
    with Collection.open(index) as collection:
        assert counts(collection.sync())["new"] == COUNT
        require_holds(collection, {("x" + name[1:]): row for name, row in rows().items()})


def test_verify_finds_what_is_wrong_in_each_table(index: Path) -> None:
    for table, column in (("containers", "mtime_ns"), ("roots", "path"), ("items", "size"), ("metadata", "exif")):
        before = (index / "catalogue.sqlite").read_bytes()
        value = "x'01'" if column == "path" else "7" if column != "exif" else "'{\"a\":1}'"
        alter(index, f"UPDATE {table} SET {column} = {value}")
        assert any(f"its table {table}" in found for found in Collection.verify(index))
        for ending in ("-wal", "-shm"):
            if os.path.exists(f"{index}/catalogue.sqlite{ending}"):
                os.unlink(f"{index}/catalogue.sqlite{ending}")
        (index / "catalogue.sqlite").write_bytes(before)
    assert Collection.verify(index) == []


def test_another_file_of_the_same_size_and_time_is_not_taken_for_it(tmp_path: Path) -> None:
    file = plain(tmp_path / "v.npy", VECTORS[:, :6], 0)
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
    plain(file, VECTORS[:, :6].reshape(-1, 4), 0)
    hurt(tmp_path / "index")
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, len(report.lost)) == (0, COUNT)
    assert "another content now" in report.lost[0].reason
    assert Collection.verify(tmp_path / "index") == []
