"""Repair where pictures whose vectors are lost cannot be read: nobody's facts are dropped for that."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection, LostFacts
from lookalike.errors import ReadError
from tests.segment_files import segment

from .conftest import Draw, Python


@pytest.fixture
def sources(tmp_path: Path, draw: Draw) -> list[Path]:
    """Two folders of three pictures, whose index in a third place has lost its vectors; each picture has a fact."""
    folders = [tmp_path / name for name in ("disk", "home")]
    for number, folder in enumerate(folders):
        for i in range(3):
            draw(folder / f"{i}.png", seed=10 * number + i)
    with Collection.create(folders, tmp_path / "index") as collection:
        collection.sync()
        collection.describe({path: {"mine": Path(path).name} for path in collection.paths()})
    segment(tmp_path / "index").unlink()
    return folders


def contents(folder: Path) -> dict[str, str]:
    """Every file with its hash, but SQLite's shared memory."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith("-shm")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.name != "lock"}


def names(collection: Collection) -> dict[str, object]:
    return {path: collection.facts(path)["mine"] for path in collection.paths()}


@pytest.mark.parametrize("catalogue", ["whole", "damaged"])
@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_source_out_of_reach_stops_it_before_anything_is_changed(
    sources: list[Path], tmp_path: Path, how: str, catalogue: str
) -> None:
    disk = sources[0]
    disk.rename(tmp_path / "away")
    if how == "empty":
        disk.mkdir()
    index = tmp_path / "index"
    if catalogue == "damaged":
        data = bytearray((index / "catalogue.sqlite").read_bytes())
        data[5] ^= 1
        (index / "catalogue.sqlite").write_bytes(data)
    before = contents(index)
    with pytest.raises(ReadError, match=r"3 of them.*--give-up") as error:
        Collection.repair(index)
    assert str(disk) in str(error.value)
    assert contents(index) == before
    if how == "empty":
        disk.rmdir()
    (tmp_path / "away").rename(disk)
    report = Collection.repair(index)
    assert (report.embedded, report.lost_anything) == (6, False)
    with Collection.open(index) as collection:
        assert names(collection) == {str(path): path.name for folder in sources for path in folder.iterdir()}


def test_given_up_they_keep_their_facts_for_when_the_source_is_back(sources: list[Path], tmp_path: Path) -> None:
    disk, index = sources[0], tmp_path / "index"
    with Collection.open(index) as collection:
        ids = {item.id for item in collection._catalogue.items() if b"disk" in item.path}
    disk.rename(tmp_path / "away")
    report = Collection.repair(index, give_up=True)
    assert (report.kept, report.embedded, report.lost_facts) == (0, 3, [])
    assert set(report.lost_ids) == ids
    assert {failure.path for failure in report.lost} == {str(disk / f"{i}.png") for i in range(3)}
    assert Collection.verify(index) == []
    with Collection.open(index) as collection:
        assert len(collection) == 3
        assert {failure.path for failure in collection.failed()} == {str(disk / f"{i}.png") for i in range(3)}
        collection.sync()  # still away
        (tmp_path / "away").rename(disk)
        assert collection.sync().new == 3
        assert names(collection) == {str(path): path.name for folder in sources for path in folder.iterdir()}


def test_given_up_they_keep_their_facts_also_where_they_come_back_under_other_names(
    sources: list[Path], tmp_path: Path
) -> None:
    disk, index = sources[0], tmp_path / "index"
    disk.rename(tmp_path / "away")
    Collection.repair(index, give_up=True)
    (tmp_path / "away").rename(disk)
    (disk / "0.png").rename(disk / "x.png")
    (disk / "1.png").rename(disk / "0.png")
    (disk / "2.png").rename(disk / "1.png")
    with Collection.open(index) as collection:
        report = collection.sync()
        assert (report.new, report.embedded, report.failed) == (3, 3, [])
        expected = {str(path): path.name for path in sources[1].iterdir()}
        renamed = {"x.png": "0.png", "0.png": "1.png", "1.png": "2.png"}
        assert names(collection) == expected | {str(disk / new): old for new, old in renamed.items()}
        assert collection.failed() == []
    assert Collection.verify(index) == []


def test_a_folder_that_may_not_be_read_is_out_of_reach(
    sources: list[Path], tmp_path: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    sources[0].chmod(0)
    script = "import sys; from lookalike.collection import Collection; Collection.repair(sys.argv[1])"
    done = python(script, tmp_path / "index", prefix=unprivileged)
    sources[0].chmod(0o755)
    assert "ReadError" in done.stderr
    assert str(sources[0]) in done.stderr


@pytest.mark.parametrize("how", ["may not be read", "is broken", "has another content"])
def test_a_picture_that_is_there_and_cannot_be_embedded_keeps_its_facts(
    sources: list[Path], tmp_path: Path, draw: Draw, python: Python, unprivileged: tuple[str, ...], how: str
) -> None:
    picture, index = sources[0] / "1.png", tmp_path / "index"
    whole, times = picture.read_bytes(), picture.stat()
    if how == "may not be read":
        picture.chmod(0)
    elif how == "is broken":
        picture.write_bytes(whole[:200] + bytes(len(whole) - 200))
        os.utime(picture, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        draw(picture, seed=77)
    script = (
        "import sys; from lookalike.collection import Collection; "
        "print([path for path, _ in Collection.repair(sys.argv[1]).lost])"
    )
    done = python(script, index, prefix=unprivileged)
    assert done.stdout == f"{[str(picture)]}\n", done.stderr
    picture.chmod(0o644)
    picture.write_bytes(whole)
    os.utime(picture, ns=(times.st_atime_ns, times.st_mtime_ns))
    with Collection.open(index) as collection:
        assert collection.sync().new == 1
        assert names(collection)[str(picture)] == "1.png"
        assert len(collection.search(np.ones(1280), k=100)) == 6


def test_a_picture_that_was_moved_is_embedded_from_where_it_is(sources: list[Path], tmp_path: Path) -> None:
    (sources[0] / "1.png").rename(sources[1] / "moved.png")
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, report.lost) == (6, [])
    with Collection.open(tmp_path / "index") as collection:
        assert collection.sync().moved == 1
        assert names(collection)[str(sources[1] / "moved.png")] == "1.png"


def test_the_facts_of_a_picture_that_is_gone_are_told(sources: list[Path], tmp_path: Path) -> None:
    with Collection.open(tmp_path / "index") as collection:
        (item,) = (item for item in collection._catalogue.items() if item.path.endswith(b"disk/1.png"))
    (sources[0] / "1.png").unlink()
    report = Collection.repair(tmp_path / "index")
    assert report.lost_ids == [item.id]
    assert report.lost_facts == [LostFacts(item.id, str(sources[0] / "1.png"), {"mine": "1.png"})]
    assert report.lost_anything


@pytest.mark.parametrize("how", ["exchanged", "in turn", "onto another"])
def test_a_picture_whose_name_another_has_now_is_embedded_from_where_it_is(
    sources: list[Path], tmp_path: Path, how: str
) -> None:
    disk = sources[0]
    one, two, three = (disk / f"{i}.png" for i in range(3))
    moves = {
        "exchanged": {one: two, two: one},
        "in turn": {one: two, two: three, three: one},
        "onto another": {one: two},  # which is gone
    }[how]
    for path in moves:
        path.rename(path.with_suffix(".aside"))
    for path, to in moves.items():
        path.with_suffix(".aside").rename(to)
    gone = {two} if how == "onto another" else set()
    report = Collection.repair(tmp_path / "index")
    assert {Path(failure.path) for failure in report.lost} == gone
    assert [lost[1:] for lost in report.lost_facts] == [(str(path), {"mine": path.name}) for path in gone]
    assert report.embedded == 6 - len(gone)
    with Collection.open(tmp_path / "index") as collection:
        assert collection.sync().moved == len(moves)
        there = {path for folder in sources for path in folder.iterdir()}
        before = {to: path for path, to in moves.items()}
        assert names(collection) == {str(path): before.get(path, path).name for path in there}


def test_a_picture_whose_file_was_touched_is_embedded_again(sources: list[Path], tmp_path: Path) -> None:
    for path in sources[0].iterdir():
        os.utime(path, ns=(1, 1))
    report = Collection.repair(tmp_path / "index")
    assert (report.embedded, report.lost) == (6, [])
