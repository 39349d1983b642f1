"""A large archive takes little memory: of the child that reads it, and of this process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.fitting import Input
from lookalike.images.archives import read
from lookalike.images.given import Given
from lookalike.images.pool import DecoderPool, Loaded
from tests.images.archives.made import END, PICTURE, header, headers, make_tar, make_zip, padded
from tests.memory import GROWN

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

READ = f"""{GROWN}
import resource
import sys
from lookalike.images.archives import look, read

def work():
    global count
    count = sum(1 for _ in read(sys.argv[1], contents=look(sys.argv[1])))

own = grown(work)
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, count)
"""


def took(path: Path, count: int) -> tuple[int, int]:
    """MiB of this process and of the largest child, while all pictures are read."""
    command = [sys.executable, "-W", "error", "-c", READ, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    own, child, read = map(int, done.stdout.split())
    assert read == count
    return own, child


NOISE = random.Random(1).randbytes(8 << 20)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_large_tar(tmp_path: Path, mode: str) -> None:
    path = make_tar(tmp_path / "a", {f"{number}.jpg": NOISE for number in range(60)}, mode)
    own, child = took(path, 60)
    assert own < 40
    assert child < 45


def test_a_large_zip(tmp_path: Path) -> None:
    own, child = took(make_zip(tmp_path / "a", {f"{number}.jpg": NOISE for number in range(60)}), 60)
    assert own < 40
    assert child < 45


@pytest.mark.parametrize(("rows", "most"), [(4, 250), (16, 450)])
def test_a_large_parquet(tmp_path: Path, rows: int, most: int) -> None:
    """A page is read and unpacked as a whole: by default one of pictures holds all of its row group."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    with parquet.ParquetWriter(tmp_path / "a", pa.schema([("image", pa.binary())])) as writer:
        for _ in range(64 // rows):
            writer.write_table(pa.table({"image": [NOISE[row:] for row in range(rows)]}))
    own, child = took(tmp_path / "a", 64)
    assert own < 40
    assert child < most


def test_the_largest_picture(tmp_path: Path) -> None:
    """It is in memory once here, a piece of it in the child; and a decoder takes it."""
    path = tmp_path / "a.tar"
    size = 256 << 20
    with open(path, "wb") as file:
        file.write(header(b"a.png", size) + PICTURE)
        file.seek(512 + size)
        file.write(END)
    own, child = took(path, 1)
    assert own < 256 + 80
    assert child < 30
    with DecoderPool(1) as pool:
        (picture,) = pool.load((each for each in read(str(path)) if isinstance(each, Given)), Input(8, "pad"))
    assert isinstance(picture, Loaded)


def test_many_names(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with open(path, "wb") as file:
        file.writelines(headers(f"folder/{number:07}.jpg" for number in range(300_000)))
        file.write(END)
    own, child = took(path, 300_000)
    assert own < 110
    assert child < 120


def test_the_longest_header(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    body = b"1048576 comment=" + os.urandom(1 << 19).hex().encode()[: (1 << 20) - 17] + b"\n"
    path.write_bytes((header(b"h", len(body), b"x") + padded(body)) * 50 + header() + END)
    own, child = took(path, 1)
    assert own < 20
    assert child < 35
