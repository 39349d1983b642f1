"""Copies of a collection that are made while others search and write it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.collection import backup as module
from lookalike.collection.place import existing_place
from lookalike.errors import ArgumentError, BusyError, DamagedError, ReadError, WriteError

from .conftest import PICTURES, Draw, Python


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    with Collection.open(folder) as opened:
        opened.sync()
        opened.describe({folder / "0.png": {"stars": 5}})
        yield opened


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "backup"


def files(place: Path) -> list[str]:
    return sorted(os.listdir(place))


def test_it_is_a_collection_that_finds_the_pictures_where_they_are(
    folder: Path, collection: Collection, dest: Path
) -> None:
    expected = collection.search(folder / "0.png", k=9)
    told: list[tuple[int, int]] = []
    report = collection.backup(dest, lambda done, total: told.append((done, total)))
    assert (report.path, report.items, report.copied, report.kept) == (str(dest), PICTURES, 1, 0)
    assert told[-1] == (report.bytes, report.bytes)
    assert files(dest) == ["base", "catalogue.sqlite", "lock", "rows", "segments"]
    with Collection.open(dest) as copy:
        assert copy.search(folder / "0.png", k=9) == expected
        assert copy.facts(folder / "0.png")["stars"] == 5
        assert copy.sync().unchanged == PICTURES
    assert Collection.verify(dest) == []


def test_what_is_there_is_not_copied_again(folder: Path, collection: Collection, dest: Path, draw: Draw) -> None:
    collection.backup(dest)
    (segment,) = (dest / "segments").iterdir()
    before = segment.stat()
    draw(folder / "new.png", seed=70)
    collection.sync()
    report = collection.backup(dest)
    assert (report.items, report.copied, report.kept) == (PICTURES + 1, 1, 1)
    assert segment.stat() == before
    collection.optimize()
    assert (collection.backup(dest).copied, len(list((dest / "segments").iterdir()))) == (1, 1)
    with Collection.open(dest) as copy:
        assert len(copy.search(folder / "new.png", k=99)) == PICTURES


def test_a_copy_that_was_damaged_is_copied_again(collection: Collection, dest: Path) -> None:
    collection.backup(dest)
    (segment,) = (dest / "segments").iterdir()
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    assert Collection.verify(dest)
    assert collection.backup(dest).copied == 1
    assert Collection.verify(dest) == []


def test_a_damaged_collection_leaves_an_earlier_backup_as_it_was(
    folder: Path, collection: Collection, dest: Path, draw: Draw
) -> None:
    collection.backup(dest)
    draw(folder / "new.png", seed=70)
    collection.sync()
    collection.optimize()
    (segment,) = Path(collection.place.segments).iterdir()
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    with pytest.raises(DamagedError):
        collection.backup(dest)
    assert Collection.verify(dest) == []
    with Collection.open(dest) as copy:
        assert len(copy) == PICTURES


def test_it_is_of_one_snapshot_while_others_write(
    folder: Path, collection: Collection, dest: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = module._begin
    held: list[bool] = []

    def beginning(*given: object) -> object:
        begun = begin(*given)  # type: ignore[arg-type]
        if not held:
            held.append(True)

            def write() -> None:
                draw(folder / "new.png", seed=70)
                (folder / "1.png").unlink()
                collection.sync()
                collection.optimize()  # which deletes the files of the snapshot

            writing = threading.Thread(target=write)
            writing.start()
            writing.join(60)
            assert not writing.is_alive()
        return begun

    monkeypatch.setattr(module, "_begin", beginning)
    report = collection.backup(dest)
    assert (report.items, report.copied) == (PICTURES, 1)
    with Collection(existing_place(str(dest))) as copy:
        assert {Path(path).name for path in copy.paths()} == {"0.png", "1.png", "2.png", "3.png", "4.png", "last.png"}
    with Collection.open(folder) as now:
        assert "new.png" in {Path(path).name for path in now.paths()}


RESTORE = """
import sys
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    report = collection.sync()
    print(report.unchanged, report.new, len(collection.search(id=1, k=99)))
"""


def test_it_goes_back_in_place_of_what_was_lost(
    folder: Path, collection: Collection, dest: Path, python: Python
) -> None:
    collection.backup(dest)
    collection.close()
    shutil.rmtree(folder / ".lookalike")
    shutil.copytree(dest, folder / ".lookalike")
    assert python(RESTORE, folder).stdout == f"{PICTURES} 0 {PICTURES - 1}\n"


def test_what_else_is_there_is_left_alone(folder: Path, collection: Collection, tmp_path: Path, draw: Draw) -> None:
    other = draw(tmp_path / "other" / "one.png", seed=1)
    with Collection.open(other.parent) as another:
        another.sync()
    shutil.copytree(folder / ".lookalike", tmp_path / "by hand")  # went on by itself, as far as we know
    (tmp_path / "file").write_text("x")
    for place in (
        other.parent,
        other.parent / ".lookalike",
        tmp_path / "by hand",
        tmp_path / "file",
        folder / ".lookalike",
        folder / ".lookalike" / "backup",
    ):
        with pytest.raises(ArgumentError, match="expected"):
            collection.backup(place)
    assert "base" not in files(other.parent / ".lookalike") + files(folder / ".lookalike")
    assert (tmp_path / "file").read_text() == "x"


def test_only_one_writes_a_backup(collection: Collection, dest: Path) -> None:
    from lookalike.collection.lock import writer_lock

    collection.backup(dest)
    with writer_lock(str(dest)), pytest.raises(BusyError):
        collection.backup(dest)


def test_a_place_that_cannot_be_written(collection: Collection, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collection.backup(dest)
    before = {name: (dest / name).stat() for name in files(dest) if name != "lock"}

    def full(path: str) -> None:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr("lookalike.collection.catalogue.database.sync", full)
    with pytest.raises(WriteError, match="No space left"):
        collection.backup(dest)
    monkeypatch.undo()
    assert {name: (dest / name).stat() for name in files(dest) if name != "lock"} == before


STOPPED = """
import os, signal, sys
from lookalike import durable
from lookalike.collection import Collection
def stop(*_):
    os.kill(os.getpid(), signal.SIGKILL)
durable.put = stop
with Collection.open(sys.argv[1]) as collection:
    collection.backup(sys.argv[2])
"""


@pytest.mark.parametrize("first", [True, False])
def test_one_that_was_killed_goes_on(
    folder: Path, collection: Collection, dest: Path, python: Python, first: bool
) -> None:
    if not first:
        collection.backup(dest)
        collection.optimize()
    assert python(STOPPED, folder, dest).returncode == -9
    assert [name for name in files(dest) if name.startswith("catalogue.sqlite.new")]
    assert collection.backup(dest).items == PICTURES
    assert not [path for path in dest.rglob("*") if path.name.startswith((".lookalike-", "catalogue.sqlite.new"))]
    assert Collection.verify(dest) == []


def test_an_original_that_cannot_be_read(collection: Collection, dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: object) -> bytes:
        raise ReadError(5, "expected to read it, received Input/output error")

    monkeypatch.setattr(module, "_read", fail)
    with pytest.raises(ReadError, match="expected to read it"):
        collection.backup(dest)
