"""Places that may not be written, and disks that are full."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.errors import WriteError
from tests.conftest import Require

from .conftest import LEAVE_A_WAL, PICTURES, Draw, Python

SEARCH = """
import sys, lookalike
from lookalike.errors import LookalikeError
try:
    with lookalike.open(sys.argv[1]) as collection:
        print(len(collection.search(sys.argv[2], k=100)), collection.read_only)
        try:
            collection.sync()
        except LookalikeError as error:
            print(type(error).__name__, error)
except LookalikeError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def locked(folder: Path) -> Iterator[Path]:
    """The folder, in which nobody but root may write; a test may index it first."""
    yield folder
    for place in (folder, folder / ".lookalike"):
        if place.exists():
            place.chmod(0o755)


def lock(folder: Path) -> None:
    for place in (folder / ".lookalike", folder):
        if place.exists():
            place.chmod(0o555)


def test_a_read_only_collection_is_searched_as_it_is(
    locked: Path, python: Python, unprivileged: tuple[str, ...], draw: Draw
) -> None:
    lookalike.open(locked).close()
    draw(locked / "new.png", seed=90)
    before = sorted(os.listdir(locked / ".lookalike"))
    lock(locked)
    done = python(SEARCH, locked, locked / "0.png", prefix=unprivileged)
    searched, synced = done.stdout.splitlines()
    assert searched == f"{PICTURES - 1} {locked / '.lookalike'} may not be written"
    assert synced.startswith("WriteError expected permission to write in ")
    assert sorted(os.listdir(locked / ".lookalike")) == before


def test_a_read_only_collection_that_a_killed_process_left(
    tmp_path: Path, locked: Path, python: Python, unprivileged: tuple[str, ...], draw: Draw
) -> None:
    """Its last changes are in SQLite's WAL, which nobody may write back."""
    other = tmp_path / "other"
    shutil.copytree(locked, other)
    draw(locked / "new.png", seed=90)
    with lookalike.open(other) as collection:
        draw(other / "new.png", seed=90)
        collection.sync()
        shutil.copytree(other / ".lookalike", locked / ".lookalike")
    lock(locked)
    done = python(SEARCH, locked, locked / "0.png", prefix=unprivileged)
    assert done.stdout.startswith(f"{PICTURES} {locked / '.lookalike'} may not be written"), done


def test_a_read_only_folder_without_a_collection(locked: Path, python: Python, unprivileged: tuple[str, ...]) -> None:
    lock(locked)
    done = python(SEARCH, locked, locked / "0.png", prefix=unprivileged)
    assert done.stdout.startswith("WriteError "), done
    assert "lookalike index SRC --to PATH" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path, require_or_skip: Require) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    require_or_skip(os.geteuid() == 0 and shutil.which("mount"), "needs root, to mount a small file system")
    mounted = subprocess.run(mount, capture_output=True, check=False)
    require_or_skip(mounted.returncode == 0, "this machine lets nobody mount a small file system")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)  # `open_beside` keeps a file open


@pytest.mark.parametrize("size", ["512k", "1250k"], ids=["of the catalogue", "of the segment"])
def test_a_full_disk_keeps_what_was_committed(tmp_path: Path, small_disk: Path, draw: Draw, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", small_disk], check=True)
    folder = tmp_path / "photos"
    for i in range(60):
        draw(folder / f"{i}.png", seed=i)
    with Collection.create(folder, small_disk / "index") as collection:
        with pytest.raises(WriteError, match=r"full disk|No space left") as caught:
            collection.sync(batch=5)
        assert str(small_disk) in str(caught.value)
        committed = len(collection)
        assert committed > 0
        assert (committed == 60) == (size == "1250k")
        assert len(collection.search(folder / "0.png", k=100)) == committed - 1
    with Collection.open(small_disk / "index") as collection:
        assert len(collection.search(folder / "0.png", k=100)) == committed - 1
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    with Collection.open(small_disk / "index") as collection:
        assert collection.sync(batch=5).unchanged == committed
        assert len(collection.search(folder / "0.png", k=100)) == 59


@pytest.mark.parametrize("wal", [False, True], ids=["all of it in the catalogue", "the last of it in a WAL"])
def test_a_disk_without_any_room_is_read(
    tmp_path: Path, small_disk: Path, draw: Draw, python: Python, folder: Path, wal: bool
) -> None:
    """SQLite would make a file beside the catalogue, even to read it."""
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    index = small_disk / "index"
    with Collection.create(folder, index) as collection:
        collection.sync()
    if wal:
        assert python(LEAVE_A_WAL, index).returncode == -signal.SIGKILL
        assert (index / "catalogue.sqlite-wal").stat().st_size > 0
    (index / "catalogue.sqlite-shm").unlink(missing_ok=True)
    with suppress(OSError), open(small_disk / "fill", "wb", buffering=0) as fill:
        while True:
            fill.write(bytes(4096))
    with Collection.open(index) as collection:
        assert collection.read_only == f"the disk of {index} is full"
        assert len(collection.search(folder / "0.png", k=100)) == PICTURES - 1
        assert collection.facts(folder / "1.png").get("stars") == (5 if wal else None)
        assert Collection.verify(index) == []
        draw(folder / "new.png", seed=90)
        for write in (collection.sync, collection.optimize):
            with pytest.raises(WriteError, match=r"full disk|No space left"):
                write()
        (small_disk / "fill").unlink()
        assert collection.sync().new == 1
        assert len(collection.search(folder / "0.png", k=100)) == PICTURES
        assert collection.info().read_only is None
        assert collection.facts(folder / "1.png").get("stars") == (5 if wal else None)
