"""What kind of archive a file is, by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lookalike.images.archives import archive_kind
from tests.images.archives.made import END, MEMBER, PICTURE, PICTURES, TAR_MODES, make_parquet, make_tar, make_zip

NOISE = random.Random(1).randbytes(2 << 20)


@pytest.mark.parametrize("ending", TAR_MODES)
def test_tars_whatever_they_are_called(tmp_path: Path, ending: str) -> None:
    for number, files in enumerate((PICTURES, {"big.jpg": NOISE})):
        path = make_tar(tmp_path / f"{number}", files, TAR_MODES[ending])
        assert archive_kind(str(path)) == "tar"


def test_zips_but_for_those_of_numpy(tmp_path: Path) -> None:
    assert archive_kind(str(make_zip(tmp_path / "a.bin", PICTURES))) == "zip"
    assert archive_kind(str(make_zip(tmp_path / "empty", {}))) == "zip"
    for name in ("vectors.npz", "vectors.NPZ"):
        with open(tmp_path / name, "wb") as file:
            np.savez(file, vectors=np.zeros((3, 4)))
        assert archive_kind(str(tmp_path / name)) is None


def test_parquet(tmp_path: Path) -> None:
    assert archive_kind(str(make_parquet(tmp_path / "a", [{"image": PICTURE}]))) == "parquet"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"P",
        PICTURE,
        b"x" * 600,
        bytes(10240),
        MEMBER[:511],
        MEMBER[:100] + b"X" + MEMBER[101:],
        NOISE,
        b"\x1f\x8b\x08" + NOISE,
        b"BZh9" + NOISE,
        b"\xfd7zXZ\0" + NOISE,
        gzip.compress(b"a log"),
        gzip.compress(NOISE),
        bz2.compress(NOISE),
        lzma.compress(NOISE, preset=0),
        bz2.compress(MEMBER + NOISE)[: 800 << 10],
        gzip.compress(MEMBER)[:20],
    ],
    ids=range(17),
)
def test_others_are_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(data)
    assert archive_kind(str(tmp_path / "a.tar")) is None


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tar")
    os.symlink("nowhere", tmp_path / "broken.tar")
    for path in (tmp_path, tmp_path / "pipe.tar", tmp_path / "broken.tar", tmp_path / "gone.tar", "/dev/zero"):
        assert archive_kind(str(path)) is None
    assert archive_kind("nul\0.tar") is None
    assert archive_kind("\ud800.tar") is None


def test_what_may_not_be_read_is_none(as_nobody: Path) -> None:
    path = make_tar(as_nobody / "a.tar", PICTURES)
    assert archive_kind(str(path)) == "tar"
    path.chmod(0)
    assert archive_kind(str(path)) is None


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A first block of bzip2 may be 900 KB, and of xz as large as its dictionary: 512 bytes are asked of them."""
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(MEMBER + END + bytes(50 << 20)))
    assert archive_kind(str(path)) == "tar"
    path.write_bytes(bz2.compress(bytes(50 << 20)))
    assert archive_kind(str(path)) is None


def test_asking_imports_nothing_large() -> None:
    code = (
        "import sys, lookalike.images.archives; print(sorted({'numpy', 'pyarrow', 'PIL', 'zipfile'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
