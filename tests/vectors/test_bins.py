""".fbin, .u8bin, .i8bin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .made import COUNT, DIM, VECTORS, require_read, require_refused, require_refused_within


def header(count: int, dim: int) -> bytes:
    return np.array([count, dim], "<u4").tobytes()


@pytest.mark.parametrize(("kind", "dtype"), [("fbin", "<f4"), ("u8bin", "u1"), ("i8bin", "i1")])
def test_each_kind(tmp_path: Path, kind: str, dtype: str) -> None:
    vectors = (VECTORS * 40).clip(0, 100).astype(dtype)
    path = tmp_path / f"base.1B.{kind}"
    path.write_bytes(header(COUNT, DIM) + vectors.tobytes())
    require_read(path, vectors)
    path = tmp_path / f"base.1B.{kind}.crop_nb_300"
    path.write_bytes(header(COUNT, DIM) + vectors.tobytes())
    require_read(path, vectors, format=kind)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (
            header(COUNT, DIM) + VECTORS.tobytes()[:-4],
            "promises 300 vectors of 7 dimensions, 8,408 bytes, received 8,404",
        ),
        (header(COUNT, DIM) + VECTORS.tobytes() + b"\0", "8,408 bytes, received 8,409; fetch it again"),
        (header(COUNT, DIM), "8,408 bytes, received 8;"),
        (header(COUNT, DIM)[:5], "received 5;"),
        (header(2**32 - 1, 2**32 - 1), "promises 4,294,967,295 vectors"),
        (header(0, DIM), "at least one vector of one dimension"),
        (header(COUNT, 0), "at least one vector of one dimension"),
        (header(1, 1 << 20) + bytes(4 << 20), "at most 1,048,575 dimensions"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, match: str) -> None:
    (tmp_path / "v.fbin").write_bytes(data)
    require_refused(tmp_path / "v.fbin", match)


def test_numbers_that_are_none(tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[7, 2] = np.nan
    (tmp_path / "v.fbin").write_bytes(header(COUNT, DIM) + vectors.tobytes())
    require_refused_within(tmp_path / "v.fbin", "received nan in row 7 ")
