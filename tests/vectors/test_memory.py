"""A large file takes little memory: each format's own bound, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.memory import GROWN

pytestmark = [pytest.mark.thorough, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

COUNT, DIM = 200_000, 640
SIZE = COUNT * DIM * 4  # 488 MiB

READ = f"""{GROWN}
import sys
import h5py  # else its import is measured
if sys.argv[2] == "pyarrow":
    import pyarrow.parquet
from lookalike.vectors import open_vectors

def work():
    global count
    count = sum(len(chunk.vectors) for chunk in open_vectors(sys.argv[1], layout=sys.argv[3] or None).chunks())

print(grown(work), count)
"""


def took(path: Path, package: str = "", layout: str = "") -> int:
    """MiB, while all chunks are read."""
    command = [sys.executable, "-W", "error", "-c", READ, str(path), package, layout]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    most, count = map(int, done.stdout.split())
    assert count == COUNT
    path.unlink()
    return most


def sparse(path: Path, start: bytes) -> Path:
    """A file of zeros that has no room on the disk."""
    path.write_bytes(start)
    with open(path, "r+b") as file:
        file.truncate(len(start) + SIZE)
    return path


def npy_header(fortran: bool) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': {fortran}, 'shape': ({COUNT}, {DIM}), }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def test_npy(tmp_path: Path) -> None:
    assert took(sparse(tmp_path / "v.npy", npy_header(False))) < 100


@pytest.mark.parametrize("layout", ["", "columns"])
def test_npy_across(tmp_path: Path, layout: str) -> None:
    """128 MiB are read at once, for the numbers of a vector lie far from each other."""
    path = sparse(tmp_path / "v.npy", npy_header(not layout))
    if layout:
        data = path.read_bytes()[:128].replace(b"(200000, 640)", b"(640, 200000)")
        with open(path, "r+b") as file:
            file.write(data)
    assert took(path, layout=layout) < 220


def test_fbin(tmp_path: Path) -> None:
    assert took(sparse(tmp_path / "v.fbin", np.array([COUNT, DIM], "<u4").tobytes())) < 100


def in_hdf5(path: Path, shape: tuple[int, int], chunks: tuple[int, int] | None, compression: str | None = None) -> Path:
    """Zeros: contiguous ones take no room on the disk, but are there for HDF5."""
    with h5py.File(path, "w") as file:
        if chunks is None:
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            h5py.h5d.create(file.id, b"v", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple(shape), creation)
        else:
            file.create_dataset("v", shape, "f4", chunks=chunks, compression=compression)
            dice = np.random.default_rng(0).standard_normal(chunks, np.float32)
            for row in range(0, shape[0], chunks[0]):
                for column in range(0, shape[1], chunks[1]):
                    part = file["v"][row : row + chunks[0], column : column + chunks[1]].shape
                    file["v"][row : row + chunks[0], column : column + chunks[1]] = dice[: part[0], : part[1]]
    return path


@pytest.mark.parametrize("chunks", [None, (1000, 640)])
def test_hdf5(tmp_path: Path, chunks: tuple[int, int] | None) -> None:
    assert took(in_hdf5(tmp_path / "v.h5", (COUNT, DIM), chunks)) < 130


@pytest.mark.parametrize("chunks", [None, (640, 100), (64, 20_000)])
def test_hdf5_in_columns(tmp_path: Path, chunks: tuple[int, int] | None) -> None:
    assert took(in_hdf5(tmp_path / "v.h5", (DIM, COUNT), chunks), layout="columns") < 300


def test_hdf5_in_large_pieces(tmp_path: Path) -> None:
    path = in_hdf5(tmp_path / "v.h5", (COUNT, DIM), (40_000, 640), "lzf")
    assert took(path) < 450


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_arrow(tmp_path: Path, kind: str) -> None:
    """One group of rows, or one batch, that is as large as the file."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import ipc, parquet

    dice = np.random.default_rng(0).standard_normal(COUNT * DIM, np.float32)
    table = pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(dice), DIM)})
    if kind == "parquet":
        parquet.write_table(table, tmp_path / "v", row_group_size=COUNT)
    else:
        with ipc.new_file(str(tmp_path / "v"), table.schema) as writer:
            writer.write_table(table)
    del table, dice
    assert took(tmp_path / "v", "pyarrow") < (300 if kind == "parquet" else 100)


WRITTEN = f"""{GROWN}
import sys
import h5py
import numpy as np
import pyarrow.parquet
from lookalike.vectors import write_vectors
dice = np.random.default_rng(0).standard_normal((10_000, 640), np.float32)

def chunks():
    for start in range(0, 200_000, 10_000):
        yield [str(i) for i in range(start, start + 10_000)], dice

print(grown(lambda: write_vectors(sys.argv[1], chunks())))
"""


@pytest.mark.parametrize("ending", ["h5", "npy", "bin"])
def test_writing(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("pyarrow")
    command = [sys.executable, "-W", "error", "-c", WRITTEN, str(tmp_path / f"v.{ending}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"v.{ending}").stat().st_size > SIZE
    (tmp_path / f"v.{ending}").unlink()
    assert int(done.stdout) < 150
