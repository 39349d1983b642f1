"""A disk that comes back at another path is recognised, and never wrongly."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lookalike.collection import Collection
from tests.collection.conftest import PICTURES, Draw


@pytest.fixture
def media(tmp_path: Path, folder: Path) -> Path:
    """The folder on a disk, mounted at `a/USB`."""
    disk = tmp_path / "media" / "a" / "USB"
    disk.mkdir(parents=True)
    folder.rename(disk / "photos")
    return tmp_path / "media"


@pytest.fixture
def kept(tmp_path: Path, media: Path) -> Path:
    """A collection of it, apart, in which one picture has facts."""
    to = tmp_path / "kept"
    photos = media / "a" / "USB" / "photos"
    with Collection.create(photos, to) as collection:
        collection.sync()
        collection.describe({photos / "0.png": {"stars": 5}})
    return to


def ids(collection: Collection) -> dict[str, int]:
    return {Path(collection.path(id)).name: id for id in collection.originals(collection.paths())}


def plug_in_again(media: Path) -> Path:
    (media / "b").mkdir()
    (media / "a" / "USB").rename(media / "b" / "USB")
    return media / "b" / "USB"


@pytest.mark.parametrize("given", ["photos", ".", "photos/below"])
def test_a_disk_at_another_path_keeps_ids_and_facts(media: Path, kept: Path, given: str) -> None:
    with Collection.open(kept) as collection:
        before = ids(collection)
    disk = plug_in_again(media)
    with Collection.create(disk / given, kept) as collection:
        report = collection.sync()
        (again,) = report.found_again
        assert again == (str(media / "a" / "USB" / "photos"), str(disk / "photos"), PICTURES)
        assert (report.unchanged, report.new, report.removed, report.embedded, report.lost) == (PICTURES, 0, 0, 0, [])
        assert ids(collection) == before
        assert collection.facts(disk / "photos" / "0.png")["stars"] == 5
        assert str(disk / "photos") in collection.info().roots
        assert str(again.was) not in collection.info().roots
        assert collection.sync().found_again == []
    assert Collection.verify(kept) == []


def test_sync_finds_it_among_the_mounted_disks(media: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = plug_in_again(media)
    spaced = media / "c d"
    disk.rename(spaced)
    table = media / "mounts"
    table.write_bytes(
        b"proc /proc proc rw 0 0\n/dev/sdb1 %s vfat rw 0 0\n" % os.fsencode(spaced).replace(b" ", b"\\040")
    )
    monkeypatch.setattr("lookalike.collection.moved_source._MOUNTS", str(table))
    with Collection.open(kept) as collection:
        report = collection.sync()
        assert [each.path for each in report.found_again] == [str(spaced / "photos")]
        assert (report.unchanged, report.lost) == (PICTURES, [])


@pytest.mark.parametrize("shift", [1, 1.9, -3600, 7 * 3600 + 1])
def test_times_may_be_those_of_fat(media: Path, kept: Path, shift: float) -> None:
    """Of two seconds, and of the clock of another zone."""
    disk = plug_in_again(media)
    for path in disk.rglob("*.png"):
        time = path.stat().st_mtime_ns + int(shift * 10**9)
        os.utime(path, ns=(time, time))
    with Collection.create(disk / "photos", kept) as collection:
        report = collection.sync()
        assert (len(report.found_again), report.unchanged, report.embedded) == (1, PICTURES, 0)


def test_one_other_content_is_another_disk(media: Path, kept: Path) -> None:
    disk = plug_in_again(media)
    path = disk / "photos" / "3.png"
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"?")  # of the same size
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    with Collection.create(disk / "photos", kept) as collection:
        report = collection.sync()
        assert report.found_again == []
        assert (report.kept, len(report.lost)) == (PICTURES, 1)
        facts = [collection.facts(path) for path in collection.paths("stars = 5")]
        assert len(facts) == 1


def test_other_pictures_are_another_disk(media: Path, kept: Path, draw: Draw) -> None:
    shutil.rmtree(media / "a" / "USB")
    other = media / "b" / "USB" / "photos"
    for i in range(PICTURES):
        draw(other / f"{i}.png", seed=100 + i)
    with Collection.create(other, kept) as collection:
        report = collection.sync()
        assert (report.found_again, report.new, report.kept) == ([], PICTURES, PICTURES)


def test_a_copy_is_not_the_disk_while_that_is_there(media: Path, kept: Path) -> None:
    shutil.copytree(media / "a" / "USB" / "photos", media / "copy" / "photos", copy_function=shutil.copy2)
    with Collection.create(media / "copy" / "photos", kept) as collection:
        report = collection.sync()
        assert (report.found_again, report.new, report.unchanged) == ([], PICTURES, PICTURES)


def test_what_was_given_to_a_picture_that_is_not_there_is_not_lost(media: Path, kept: Path) -> None:
    disk = plug_in_again(media)
    (disk / "photos" / "0.png").unlink()  # which has stars
    (disk / "photos" / "1.png").unlink()  # which has nothing
    with Collection.create(disk / "photos", kept) as collection:
        report = collection.sync()
        assert [each.pictures for each in report.found_again] == [PICTURES - 1]
        assert (report.unchanged, report.removed, report.kept) == (PICTURES - 2, 1, 1)
        assert [Path(path).name for path in collection.paths("stars = 5")] == ["0.png"]
        shutil.copy2(disk / "photos" / "2.png", disk / "photos" / "other.png")
        assert collection.sync().kept == 1
