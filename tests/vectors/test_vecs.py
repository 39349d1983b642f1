""".fvecs, .bvecs, .ivecs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.vectors import open_vectors

from .made import COUNT, DIM, VECTORS, require_read, require_refused, require_refused_within

KINDS = {"fvecs": "<f4", "bvecs": "u1", "ivecs": "<i4"}


def records(vectors: np.ndarray[tuple[int, int], np.dtype[np.generic]]) -> bytes:
    return b"".join(len(vector).to_bytes(4, "little") + vector.tobytes() for vector in vectors)


@pytest.mark.parametrize(("kind", "dtype"), KINDS.items())
def test_each_kind(tmp_path: Path, kind: str, dtype: str) -> None:
    vectors = (VECTORS * 40).clip(0, 200).astype(dtype)
    path = tmp_path / f"base.{kind.upper()}"
    path.write_bytes(records(vectors))
    require_read(path, vectors)
    path = tmp_path / "other"
    path.write_bytes(records(vectors))
    require_read(path, vectors, format=kind)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (records(VECTORS)[:-1], "received 7 dimensions in the first and 9,599 bytes in all; fetch it again"),
        (records(VECTORS)[:3], "received .* 3 bytes in all"),
        (b"\0\0\0\0" * 8, "received 0 dimensions"),
        (b"\xff\xff\xff\xff" * 8, "received -1 dimensions"),
        (b"\xff\xff\xff\x7f" * 8, "received 2,147,483,647 dimensions"),
        (b"\0\0\0\7" + records(VECTORS)[4:], "received 117,440,512 dimensions"),  # big-endian
    ],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes, match: str) -> None:
    (tmp_path / "v.fvecs").write_bytes(data)
    if data.startswith(b"\xff\xff\xff\xff"):
        require_refused(tmp_path / "v.fvecs", match, format="fvecs")
    else:
        require_refused(tmp_path / "v.fvecs", match)


def test_a_vector_of_another_length(tmp_path: Path) -> None:
    data = bytearray(records(VECTORS))
    data[4 * (1 + DIM) * 200] = 9
    (tmp_path / "v.fvecs").write_bytes(data)
    require_refused_within(tmp_path / "v.fvecs", "expected 7 dimensions in each vector, received 9 in row 200 ")


def test_numbers_that_are_none(tmp_path: Path) -> None:
    vectors = VECTORS.copy()
    vectors[COUNT - 1, 0] = np.inf
    (tmp_path / "v.fvecs").write_bytes(records(vectors))
    require_refused_within(tmp_path / "v.fvecs", "received inf in row 299 ")
    assert open_vectors(tmp_path / "v.fvecs").dim == DIM
