"""A disk that is full again and again, with a little more room each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import LONG, Require
from tests.faults import pictures, vectors

from .conftest import ROOT

SMALLEST = 64  # KiB; pages of memory are 4
STEP = 4 if LONG else 16
PICTURES, VECTORS = 120, 600

# 0: done, 3: the disk is full; what is committed is printed before and after
SYNC = """
import sys
from lookalike.collection import Collection
from lookalike.errors import WriteError
from tests.faults import pictures, vectors
from tests.faults.observe import observe
pictures.prepare()
pictures.expect(range(200))
folder, index = sys.argv[1:]
try:
    with Collection.create(folder, index, model=pictures.MODEL) as collection:
        print(len(observe(collection, folder)[0]))
        try:
            collection.sync(batch=7)
        finally:
            print(len(observe(collection, folder)[0]))
except WriteError as error:
    assert index in str(error) and ("room" in str(error) or "No space left" in str(error)), error
    sys.exit(3)
"""


# the same of a file of vectors, by blocks of 128
IMPORT = """
import sys
from lookalike.collection import Collection
from lookalike.collection.sealed import bulk
from lookalike.errors import WriteError
from lookalike.vectors import vector_file
from tests.faults import pictures, vectors
from tests.faults.observe import observe
bulk._PART, bulk.MOST_PARTS, vector_file.ROWS = 32, 4, 32
pictures.expect(range(600))
folder, index = sys.argv[1:]
try:
    with Collection.create(vectors.files(folder), index) as collection:
        print(len(observe(collection, folder)[0]))
        try:
            collection.sync()
        finally:
            print(len(observe(collection, folder)[0]))
            assert not [part for part in __import__("os").listdir(index + "/segments") if "part" in part]
except WriteError as error:
    assert index in str(error) and ("room" in str(error) or "No space left" in str(error)), error
    sys.exit(3)
"""


@pytest.fixture
def small_disk(tmp_path: Path, require_or_skip: Require) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    require_or_skip(os.geteuid() == 0 and shutil.which("mount"), "needs root, to mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALLEST}k", "tmpfs", str(disk)]
    require_or_skip(
        subprocess.run(command, capture_output=True, check=False).returncode == 0,
        "this machine lets nobody mount a small file system",
    )
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_whatever_room_there_is_what_was_committed_stays(tmp_path: Path, small_disk: Path) -> None:
    folder = tmp_path / "photos"
    for seed in range(PICTURES):
        pictures.write(str(folder / f"{seed}.png"), seed)
    grow(SYNC, folder, small_disk, PICTURES)


def test_whatever_room_there_is_the_blocks_of_an_import_stay(tmp_path: Path, small_disk: Path) -> None:
    vectors.write(str(tmp_path), {f"v/{seed}": seed for seed in range(VECTORS)})
    grow(IMPORT, tmp_path, small_disk, VECTORS)


def grow(script: str, folder: Path, small_disk: Path, expected: int) -> None:
    """Run the script again and again, each time with a little more room, until all that is expected is in."""
    committed, full = 0, 0
    for size in range(SMALLEST, 4096, STEP):
        subprocess.run(["mount", "-o", f"remount,size={size}k", small_disk], check=True)
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder), str(small_disk / "index")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        counts = [committed, *map(int, done.stdout.split())]
        assert counts == sorted(counts), f"{counts}, in {size} KiB"
        committed = counts[-1]
        if done.returncode == 0:
            break
        full += 1
    assert committed == expected
    assert full > 5
