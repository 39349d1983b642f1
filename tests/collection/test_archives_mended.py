"""Verify and repair of a collection whose lost vectors are of pictures in archives."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.errors import ReadError
from lookalike.images.archives import reader
from tests.archived import pack, stamp
from tests.faults import pictures
from tests.faults.pictures import encoded
from tests.segment_files import forget_rows, segment

from .archiving import counts, ids, made, members, state, synced
from .conftest import Draw, Python

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("tiles")]

SEEDS = range(1, 9)


@pytest.fixture(params=["a.tar", "a.zip", "a.parquet"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive, whose collection has lost its vectors, beside a folder and another archive; each has a fact."""
    archive = pack(tmp_path / request.param, members(*SEEDS), 0)
    other = pack(tmp_path / "other.tar", members(9), 0)
    pictures.write(str(tmp_path / "photos" / "10.png"), 10)
    with made([archive, tmp_path / "photos", other], tmp_path) as collection:
        collection.sync()
        collection.describe({path: {"mine": os.path.basename(path)} for path in collection.paths()})
    return archive


def lose_vectors(place: Path) -> None:
    segment(place / "index").unlink()
    assert len(Collection.verify(place / "index")) == 1


def facts(place: Path) -> dict[str, object]:
    with Collection.open(place / "index") as collection:
        return {os.path.basename(path): collection.facts(path)["mine"] for path in collection.paths()}


def named(*seeds: int) -> dict[str, object]:
    return {f"{seed}.png": f"{seed}.png" for seed in seeds}


def test_lost_vectors_are_made_again(archive: Path, tmp_path: Path) -> None:
    before, whole = ids(tmp_path), state(tmp_path)
    lose_vectors(tmp_path)
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, report.kept, report.lost_anything) == (10, 0, False)
    assert (ids(tmp_path), state(tmp_path), facts(tmp_path)) == (before, whole, named(*range(1, 11)))
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 10}


def test_of_an_archive_that_changed_what_is_the_same_is_made_again(archive: Path, tmp_path: Path) -> None:
    lose_vectors(tmp_path)
    pack(archive, {**members(1, 2, 3, 20), "4.png": encoded(30), "renamed.png": encoded(5)}, 1)
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, report.lost_facts) == (5, [])
    assert {os.path.basename(path): reason for path, reason in report.lost} == {
        "4.png": "the file has another content now; the next sync indexes that; its facts are kept",
        **{f"{i}.png": "it is not in its file any more; its facts are kept" for i in (5, 6, 7, 8)},
    }
    assert Collection.verify(tmp_path / "index") == []
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 5, "new": 3, "embedded": 3}
    assert facts_of(tmp_path, archive) == {
        **named(1, 2, 3, 4),
        "20.png": None,
        "renamed.png": "5.png",
    }


def facts_of(place: Path, archive: Path) -> dict[str, object]:
    with Collection.open(place / "index") as collection:
        paths = [path for path in collection.paths() if path.startswith(f"{archive}/")]
        return {os.path.basename(path): collection.facts(path).get("mine") for path in paths}


def test_an_archive_that_is_away_stops_it_before_anything_is_changed(archive: Path, tmp_path: Path) -> None:
    whole = state(tmp_path)
    lose_vectors(tmp_path)
    archive.rename(tmp_path / "away")
    with pytest.raises(ReadError, match=r"8 of them.*--give-up") as error:
        Collection.repair(tmp_path / "index")
    assert str(archive) in str(error.value)
    report = Collection.repair(tmp_path / "index", give_up=True)
    assert (report.embedded, len(report.lost), report.lost_facts) == (2, 8, [])
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 2, "lost": 1}
    (tmp_path / "away").rename(archive)
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 2, "new": 8, "embedded": 8}
        assert counts(collection.sync()) == {"unchanged": 10}
    assert (state(tmp_path), facts(tmp_path)) == (whole, named(*range(1, 11)))


def test_what_cannot_be_read_is_set_aside_until_it_can(archive: Path, tmp_path: Path) -> None:
    whole = state(tmp_path)
    lose_vectors(tmp_path)
    saved = archive.read_bytes()
    archive.write_bytes(saved[: len(saved) // 2])
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, len(report.lost), report.lost_facts) == (2, 8, [])
    assert all("expected a whole" in reason for _, reason in report.lost)
    archive.write_bytes(saved)
    stamp(archive, 0)  # as it was when it was taken in
    with Collection.open(tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"unchanged": 2, "new": 8, "embedded": 8}
    assert (state(tmp_path), facts(tmp_path)) == (whole, named(*range(1, 11)))


def test_without_an_extra_they_are_set_aside_until_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a.parquet", members(1, 2), 0)
    synced(archive, tmp_path)
    segment(tmp_path / "index").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(reader, "find_spec", lambda name: None)
        report = Collection.repair(tmp_path / "index")
    assert {reason.partition(":")[0] for _, reason in report.lost} == {"Parquet needs an extra"}
    assert counts(synced(archive, tmp_path)) == {"new": 2, "embedded": 2}


REPAIR = """
import sys
from lookalike.collection import Collection
from lookalike.errors import LookalikeError
try:
    print(Collection.repair(sys.argv[1]).embedded)
except LookalikeError as error:
    print(type(error).__name__, error)
"""


def test_an_archive_that_may_not_be_read_is_out_of_reach(
    tmp_path: Path, draw: Draw, python: Python, unprivileged: tuple[str, ...]
) -> None:
    archive = pack(tmp_path / "a.tar", {"x.png": draw(tmp_path / "0.png", seed=0).read_bytes()}, 0)
    with Collection.create(archive, tmp_path / "index") as collection:
        collection.sync()
    segment(tmp_path / "index").unlink()
    archive.chmod(0)
    done = python(REPAIR, tmp_path / "index", prefix=unprivileged)
    assert done.stdout.startswith("ReadError expected to read the pictures whose vectors are damaged"), done.stderr
    assert f"{archive}: Permission denied" in done.stdout
    archive.chmod(0o600)
    assert python(REPAIR, tmp_path / "index", prefix=unprivileged).stdout == "1\n"


@pytest.mark.parametrize("table", ["containers", "roots", "metadata", "items"])
def test_after_a_rescue_the_next_sync_goes_on(archive: Path, tmp_path: Path, table: str) -> None:
    whole = state(tmp_path)
    forget_rows(tmp_path / "index")
    with closing(sqlite3.connect(tmp_path / "index" / "catalogue.sqlite")) as connection:
        which = "WHERE id = 4" if table == "items" else ""  # the picture in the folder is the first
        connection.execute(f"UPDATE {table} SET crc = crc + 1 {which}")
        connection.commit()
    Collection.repair(tmp_path / "index")
    assert Collection.verify(tmp_path / "index") == []
    with Collection.open(tmp_path / "index") as collection:
        assert {str(archive), str(tmp_path / "other.tar")} <= set(collection.info().roots)
        report = collection.sync()
        lost = table == "items"
        if table != "roots":
            assert counts(report) == {"unchanged": 10 - lost, **({"new": 1, "embedded": 1} if lost else {})}
        assert collection.sync().embedded == 0
        assert (report.lost, report.failed) == ([], [])
    assert {path for path in state(tmp_path) if "photos" not in path} == {p for p in whole if "photos" not in p}
    if table != "metadata":
        assert facts_of(tmp_path, archive) == {**named(*SEEDS), **({"3.png": None} if lost else {})}


def test_exif_that_a_rescue_had_lost_is_read_again(tmp_path: Path, draw: Draw) -> None:
    from io import BytesIO

    from PIL import Image

    file, exif = BytesIO(), Image.Exif()
    exif[0x0110] = "Pinhole"
    Image.open(draw(tmp_path / "0.png", seed=0)).convert("RGB").save(file, "JPEG", exif=exif)
    archive = pack(tmp_path / "a.tar", {"x.jpg": file.getvalue(), **members(1)}, 0)
    synced(archive, tmp_path)
    with Collection.open(tmp_path / "index") as collection:
        assert collection.paths("camera contains 'pinhole'") == [f"{archive}/x.jpg"]
    forget_rows(tmp_path / "index")
    with closing(sqlite3.connect(tmp_path / "index" / "catalogue.sqlite")) as connection:
        connection.execute("UPDATE metadata SET crc = crc + 1")
        connection.commit()
    Collection.repair(tmp_path / "index")
    with Collection.open(tmp_path / "index") as collection:
        assert collection.paths("camera contains 'pinhole'") == []
        assert counts(collection.sync()) == {"unchanged": 2}
        assert collection.paths("camera contains 'pinhole'") == [f"{archive}/x.jpg"]
        assert counts(collection.sync()) == {"unchanged": 2}
