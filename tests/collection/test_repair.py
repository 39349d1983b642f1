"""Damage is found by `verify`, and mended by `repair`: what is intact stays, what is lost is made again or named."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.collection.catalogue.schema import VERSION
from lookalike.collection.sealed import segments
from lookalike.errors import BusyError, DamagedError, NotAnIndexError, ReadError, WriteError
from lookalike.index import Index
from tests import segment_files

from .conftest import PICTURES, Draw

pytestmark = pytest.mark.thorough

BLOCK = 65536
COUNT = 40  # 200 kB of vectors: four blocks


@pytest.fixture
def photos(tmp_path: Path, draw: Draw) -> Path:
    """An indexed folder of two segments, with a pending vector and a removed one."""
    place = tmp_path / "photos"
    for i in range(COUNT):
        draw(place / f"{i:02}.png", seed=i, size=(48, 48))
    with Collection.open(place) as collection:
        collection.sync()
        for i in range(6):
            draw(place / f"new{i}.png", seed=100 + i, size=(48, 48))
        collection.sync()
        (place / "07.png").unlink()
        draw(place / "last.png", seed=200, size=(48, 48))
        collection.sync()
        assert list(collection._catalogue.segments().values()) == [COUNT, 6]
        assert len(collection._catalogue.removed()) == collection._catalogue.pending_count() == 1
    return place


def answers(folder: Path) -> dict[str, list[float]]:
    """The distance of each picture to some queries."""
    queries = np.random.default_rng(0).random((3, 1280))
    with Collection.open(folder) as collection:
        hits = [collection.search(query, k=100) for query in queries]
    found: dict[str, list[float]] = {}
    for hit in (hit for each in hits for hit in each):
        found.setdefault(hit.path, []).append(hit.distance)
    return found


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x20
    path.write_bytes(data)


def segment(folder: Path, number: int = 1) -> Path:
    return segment_files.segment(folder / ".lookalike", number)


def test_what_is_whole_needs_no_repair(photos: Path) -> None:
    before = answers(photos)
    assert Collection.verify(photos) == []
    report = Collection.repair(photos)
    assert (report.done, report.kept, report.embedded, report.lost) == ([], COUNT + 6, 0, [])
    assert answers(photos) == before


def test_of_a_damaged_segment_intact_blocks_are_kept_and_the_rest_is_embedded_again(photos: Path) -> None:
    before = answers(photos)
    flip(segment(photos), 2 * BLOCK + 100)
    assert [str(segment(photos)) in problem for problem in Collection.verify(photos)] == [True]
    (photos / "00.png").unlink()  # may or may not be in that block
    report = Collection.repair(photos)
    assert 10 < report.embedded + len(report.lost) < 16
    assert report.kept + report.embedded + len(report.lost) == COUNT + 6
    assert [failure.path for failure in report.lost] in ([], [str(photos / "00.png")])
    assert Collection.verify(photos) == []
    for failure in report.lost:
        del before[failure.path]
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in before.items()}


def test_the_first_block_of_a_segment_is_no_more_than_others(photos: Path) -> None:
    before = answers(photos)
    flip(segment(photos), 300)
    report = Collection.repair(photos)
    assert 8 < report.embedded < 14
    assert report.lost == []
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in before.items()}


@pytest.mark.parametrize("how", ["removed", "truncated", "another's"])
def test_a_segment_of_which_nothing_is_left(photos: Path, tmp_path: Path, draw: Draw, how: str) -> None:
    before = answers(photos)
    path = segment(photos)
    if how == "removed":
        path.unlink()
    elif how == "truncated":
        os.truncate(path, BLOCK)
    else:
        draw(tmp_path / "other" / "a.png", seed=5)
        lookalike.open(tmp_path / "other").close()
        shutil.copyfile(segment(tmp_path / "other"), path)
    with pytest.raises(DamagedError, match="lookalike repair"):
        answers(photos)
    assert Collection.verify(photos)
    (photos / "11.png").unlink()
    (photos / "12.png").write_bytes((photos / "13.png").read_bytes())
    report = Collection.repair(photos)
    assert report.lost_anything
    lost = {str(photos / name) for name in ("11.png", "12.png")}
    assert {failure.path for failure in report.lost} == lost
    assert len(report.lost_ids) == 2
    assert (report.kept, report.embedded) == (7, COUNT - 3)
    assert Collection.verify(photos) == []
    left = {path: d for path, d in before.items() if path not in lost}
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in left.items()}


def test_the_catalogue_is_written_anew_with_its_intact_rows(photos: Path) -> None:
    """Whatever page is smeared: nothing is silently wrong, and the next sync finds what was lost with it."""
    before = answers(photos)
    whole = photos.with_name("whole")
    shutil.copytree(photos, whole)
    pages = (photos / ".lookalike" / "catalogue.sqlite").stat().st_size // 4096
    dice = random.Random(1)
    for page in range(pages):
        shutil.rmtree(photos)
        shutil.copytree(whole, photos)
        file = photos / ".lookalike" / "catalogue.sqlite"
        data = bytearray(file.read_bytes())
        for _ in range(40):
            data[page * 4096 + dice.randrange(4096)] ^= 1 << dice.randrange(8)
        file.write_bytes(data)
        problems = Collection.verify(photos) if page else ["the header, which says what the file is"]
        report = Collection.repair(photos)
        assert report.lost == []
        assert bool(report.done) == bool(problems)
        assert Collection.verify(photos) == []
        if problems:
            assert data == file.with_name("catalogue.sqlite.damaged-1").read_bytes()
        with Collection.open(photos) as collection:
            collection.sync()
        assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in before.items()}


@pytest.mark.parametrize("at", [0, 5, 17, 18, 19, 21, 29, 47, 59, 80])
def test_a_damaged_header_costs_no_row(photos: Path, at: int) -> None:
    before = answers(photos)
    with Collection.open(photos) as collection:
        collection.describe({photos / "01.png": {"stars": 5}})
    flip(photos / ".lookalike" / "catalogue.sqlite", at)
    try:
        found = Collection.verify(photos)
    except NotAnIndexError as error:
        found = [str(error)]
    assert all("lookalike repair" in problem for problem in found)
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost) == (COUNT + 6, 0, [])
    assert bool(report.done) == bool(found)
    assert Collection.verify(photos) == []
    with lookalike.open(photos) as collection:
        assert collection.facts(photos / "01.png")["stars"] == 5
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-6) for path, distances in before.items()}
    assert not list((photos / ".lookalike").glob("*.rescue*"))


def test_facts_that_are_intact_are_kept(photos: Path) -> None:
    """The page that holds the facts of some pictures is lost, and a flipped byte makes a rescue necessary."""
    given = {photos / f"{i:02}.png": {"number": i, "name": f"picture {i}" + "x" * 600} for i in range(20)}
    with Collection.open(photos) as collection:
        collection.describe(given)
    segment_files.forget_rows(photos / ".lookalike")
    file = photos / ".lookalike" / "catalogue.sqlite"
    data = file.read_bytes()
    flip(file, data.index(b"picture 11x") + 300)
    assert any("metadata" in problem for problem in Collection.verify(photos))
    (done,) = Collection.repair(photos).done
    assert "the facts of 1 of them are lost" in done
    assert Collection.verify(photos) == []
    with lookalike.open(photos) as collection:
        assert collection.facts(photos / "12.png")["number"] == 12
        assert "number" not in collection.facts(photos / "11.png")
        found = collection.search(np.ones(1280), k=100, where="number >= 5 and number < 13")
        assert {Path(hit.path).name for hit in found} == {f"{i:02}.png" for i in range(5, 13)} - {"07.png", "11.png"}


def test_ids_are_not_given_twice_after_the_row_that_says_which_were_is_lost(photos: Path, draw: Draw) -> None:
    file = photos / ".lookalike" / "catalogue.sqlite"
    with Collection.open(photos) as collection:
        given = {hit.id for hit in collection.search(np.ones(1280), k=100)}
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE about SET next_id = 1")
        connection.commit()
    assert "about" in Collection.verify(photos)[0]
    Collection.repair(photos)
    draw(photos / "newest.png", seed=999)
    with lookalike.open(photos) as collection:
        ids = [hit.id for hit in collection.search(np.ones(1280), k=100)]
        assert len(ids) == len(set(ids)) == COUNT + 7
        assert max(ids) > max(given)
        assert given < set(ids)


def test_vectors_and_pictures_that_do_not_match(photos: Path) -> None:
    before = answers(photos)
    with Collection.open(photos) as collection:
        catalogue = collection._catalogue
        ghost = catalogue.items()[0]
        with catalogue.writing():
            catalogue.add([ghost._replace(path=b"ghost.png", sha256=b"?" * 32)], [None])
            catalogue._database.execute("DELETE FROM pending")
            catalogue._database.execute("DELETE FROM removed")
    assert Collection.verify(photos) == ["pictures without a vector: 2", "vectors of no picture: 1"]
    report = Collection.repair(photos)
    assert [failure.path for failure in report.lost] == [str(photos / "ghost.png")]
    assert report.embedded == 1
    assert Collection.verify(photos) == []
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in before.items()}


def test_a_collection_elsewhere_whose_catalogue_is_lost(folder: Path, tmp_path: Path) -> None:
    with Collection.create(folder, tmp_path / "index") as collection:
        collection.sync()
    segment_files.forget_rows(tmp_path / "index")
    (tmp_path / "index" / "catalogue.sqlite").write_bytes(b"\0" * 8192)
    with pytest.raises(NotAnIndexError, match="index SRC"):
        Collection.repair(tmp_path / "index")
    shutil.rmtree(tmp_path / "index")
    with pytest.raises(NotAnIndexError):
        Collection.repair(tmp_path / "index")
    with pytest.raises(NotAnIndexError, match="is not indexed"):
        Collection.verify(folder)


def test_a_newer_catalogue_is_not_repaired(photos: Path) -> None:
    file = photos / ".lookalike" / "catalogue.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("CREATE TABLE later (id INTEGER PRIMARY KEY)")
    for use in (Collection.verify, Collection.repair):
        with pytest.raises(NotAnIndexError, match="upgrade lookalike"):
            use(photos)
    assert not list(file.parent.glob("*.damaged*"))


@pytest.mark.parametrize(
    ("bit", "told"),
    [(0, "already exists"), (1, "the version number"), (3, "the version number"), (30, "the version number")],
)
def test_a_version_number_that_was_damaged(photos: Path, bit: int, told: str) -> None:
    """The first bit makes it lower: then tables are there already that a migration would make."""
    before = answers(photos)
    file = photos / ".lookalike" / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    data[63 - bit // 8] ^= 1 << bit % 8
    file.write_bytes(data)
    with pytest.raises(DamagedError, match="lookalike repair"):
        Collection.open(photos)
    assert told in Collection.verify(photos)[0]
    assert Collection.repair(photos).kept == COUNT + 6
    assert Collection.verify(photos) == []
    assert answers(photos) == before


def test_a_higher_version_number_of_a_file_that_is_damaged_elsewhere(photos: Path) -> None:
    file = photos / ".lookalike" / "catalogue.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.execute("CREATE TABLE later (id INTEGER PRIMARY KEY)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'items'").fetchone()
    flip(file, (page - 1) * 4096)
    with pytest.raises(DamagedError, match="lookalike repair"):
        Collection.open(photos)


def test_a_repair_is_a_writer(photos: Path) -> None:
    from lookalike.collection.lock import writer_lock

    with writer_lock(str(photos / ".lookalike")):
        with pytest.raises(BusyError):
            Collection.repair(photos)
        assert Collection.verify(photos) == []


def test_a_repair_that_was_stopped_is_taken_up_again(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = answers(photos)
    segment(photos).unlink()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(Index, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            Collection.repair(photos)
    assert Collection.repair(photos).lost == []
    assert Collection.verify(photos) == []
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-5) for path, distances in before.items()}


def test_optimize(photos: Path) -> None:
    before = answers(photos)
    with Collection.open(photos) as reader, Collection.open(photos) as collection:
        reader.search(np.ones(1280))
        collection.optimize()
        about = collection.info()
        assert (about.segments, about.pending) == (1, 0)
        assert not len(collection._catalogue.removed())
        assert len(reader.search(np.ones(1280), k=100)) == COUNT + 6
        Path(collection.place.segments, "000009.segment").touch()
        collection.optimize()
        assert os.listdir(collection.place.segments) == list(collection._catalogue.segments())
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-6) for path, distances in before.items()}


def test_optimize_without_a_picture_left(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        for path in collection.paths()[1:]:
            os.unlink(path)
        collection.sync()
        assert PICTURES > len(collection) == 1
        with collection._catalogue.writing():
            collection._catalogue.remove(collection._catalogue.indexed().tolist())
        segments.seal(collection.place, collection._catalogue, everything=True)
        assert collection._catalogue.segments() == {}
        assert collection.search(np.ones(1280)) == []
    assert Collection.verify(folder) == []


def test_a_segment_whose_row_is_lost_is_found_by_what_it_holds(photos: Path) -> None:
    before = answers(photos)
    with closing(sqlite3.connect(photos / ".lookalike" / "catalogue.sqlite")) as connection:
        for event in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER segments_{event}")
        connection.execute("UPDATE segments SET vectors = 39 WHERE name LIKE '000001-%'")
        connection.commit()
    for i in range(20):
        (photos / f"{i:02}.png").unlink(missing_ok=True)
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost) == (COUNT + 6, 0, [])
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-6) for path, distances in before.items()}


def test_a_segment_that_cannot_be_read_now_is_left_alone(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ReadError(13, "cannot open the index: Permission denied")

    with monkeypatch.context() as refusing:
        refusing.setattr("lookalike.collection.mending.remains.verify_segment", refuse)
        with pytest.raises(ReadError):
            Collection.repair(photos)
    assert Collection.verify(photos) == []
    assert Collection.repair(photos).done == []


def test_a_folder_of_segments_that_cannot_be_made(photos: Path) -> None:
    shutil.rmtree(photos / ".lookalike" / "segments")
    (photos / ".lookalike" / "segments").touch()
    with pytest.raises(WriteError, match=r"expected to write in .*\.lookalike"):
        Collection.repair(photos)


@pytest.mark.parametrize("buried", [False, True])
def test_a_vector_that_is_sealed_and_pending(photos: Path, buried: bool) -> None:
    """As a seal leaves it that was killed before its commit, once a rescue has adopted its file."""
    before = answers(photos)
    with Collection.open(photos) as collection:
        catalogue = collection._catalogue
        some = catalogue.indexed()[:5].tolist()
        vectors = [collection.vector(path) for path in collection.paths()[:5]]
        with catalogue.writing():
            catalogue.restore(some, vectors)
            catalogue.forget(some if buried else [])
    assert Collection.verify(photos)
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost) == (COUNT + 6, 0, [])
    assert Collection.verify(photos) == []
    assert answers(photos) == {path: pytest.approx(distances, abs=1e-6) for path, distances in before.items()}
