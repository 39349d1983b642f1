""".npy files: in each order and dtype; those that are none; names beside them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.vectors import open_vectors, write_vectors

from .made import COUNT, DIM, NAMES, VECTORS, refused, require_read, require_refused, require_refused_within

DTYPES = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i2", ">u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_dtype_and_order(tmp_path: Path, dtype: str, order: Any) -> None:
    vectors = (VECTORS * 40).clip(0, 100).astype(dtype, order=order)
    np.save(tmp_path / "v.npy", vectors)
    require_read(tmp_path / "v.npy", vectors)
    require_read(tmp_path / "v.npy", vectors.T, layout="columns")
    assert open_vectors(tmp_path / "v.npy").distance is None


def test_the_header_of_python_2(tmp_path: Path) -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({COUNT}L, {DIM}L), }}".ljust(117) + "\n"
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "v.npy").write_bytes(magic + header.encode() + VECTORS.tobytes())
    require_read(tmp_path / "v.npy", VECTORS)


def test_version_2_of_the_header(tmp_path: Path) -> None:
    with open(tmp_path / "v.npy", "wb") as file:
        np.lib.format.write_array(file, VECTORS, version=(2, 0))
    require_read(tmp_path / "v.npy", VECTORS)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.array([{}, 1], object), "pickled objects, which are never read"),
        (np.full((3, 2), None), "pickled objects, which are never read"),
        (np.ones((3, 2), complex), "received dtype complex128; convert it"),
        (np.ones((3, 2), bool), "received dtype bool"),
        (np.ones((3, 2), "S4"), r"received dtype \|S4"),
        (np.ones((3, 2), "M8[s]"), "received dtype datetime64"),
        (np.ones(3, [("a", "f4"), ("b", "f4")]), "received dtype"),
        (np.ones((3, 2), np.longdouble), "received dtype float128"),
        (np.ones(3), r"one vector a row, received the shape \(3,\)"),
        (np.float32(3), r"received the shape \(\)"),
        (np.ones((3, 2, 2)), r"received the shape \(3, 2, 2\)"),
        (np.ones((0, 2)), r"at least one vector of one dimension, received the shape \(0, 2\)"),
        (np.ones((2, 0)), r"at least one vector of one dimension, received the shape \(2, 0\)"),
        (np.ones((1, 1 << 20), "u1"), "at most 1,048,575 dimensions.*if its columns are the vectors, give that layout"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: Any, match: str) -> None:
    np.save(tmp_path / "v.npy", array, allow_pickle=True)
    require_refused(tmp_path / "v.npy", match)


def test_every_cut_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.save(whole, VECTORS[:3])
    data = whole.getvalue()
    path = tmp_path / "v.npy"
    for size in range(6, len(data)):
        path.write_bytes(data[:size])
        require_refused(path, "header of a .npy array|bytes of numbers")
    path.write_bytes(data + b"\0")
    require_refused(path, "expected 84 bytes of numbers, as its header says, received 85")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000000)}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 99999999999999999999999999)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -7)}",
        "{'descr': ('<f4', (1000000000,)), 'fortran_order': False, 'shape': (3, 7)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (3, 7)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3.0, 7)}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (3, 7)}",
        "__import__('os').system('touch /tmp/x')",
        "(" * 5000,
        "[" * 9000 + "]" * 900,
        "'" + "9" * 20000 + "'",
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: str) -> None:
    text = header.encode() + b"\n"
    path = tmp_path / "v.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + VECTORS.tobytes())
    require_refused(path, "expected")


def test_a_header_longer_than_the_file(tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b" " * 100_000)
    require_refused(tmp_path / "v.npy", "header of a .npy array")
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x09\x00\x10\x00" + b" " * 1000)
    require_refused(tmp_path / "v.npy", "header of a .npy array")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(tmp_path: Path, wrong: float) -> None:
    vectors = VECTORS.copy()
    vectors[200, 3] = wrong
    np.save(tmp_path / "v.npy", vectors)
    require_refused_within(tmp_path / "v.npy", f"received {wrong} in row 200 ")


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    np.save(path, VECTORS)
    opened = open_vectors(path)
    np.save(path, VECTORS[1:])
    with refused(path, "received another; open it again"):
        next(opened.chunks())


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    np.save(path, np.ones((100_000, DIM)))
    chunks = open_vectors(path).chunks()
    next(chunks)
    with open(path, "r+b") as file:
        file.truncate(2_000_000)
    with refused(path, "received the end of the file"):
        list(chunks)


def test_names_beside_it(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path, beside = tmp_path / "v.npy", tmp_path / "v.parquet"
    write_vectors(path, [(NAMES, VECTORS)])
    require_read(path, VECTORS, NAMES)
    parquet.write_table(pyarrow.table({"path": NAMES[1:]}), beside)
    require_refused(path, "expected 300 names in .*v.parquet, which lies beside it, received 299; move")
    parquet.write_table(pyarrow.table({"caption": NAMES}), beside)
    require_read(path, VECTORS)
    beside.write_bytes(b"PAR1 this is none PAR1")
    with refused(beside, "a whole Parquet file"):
        open_vectors(path)
