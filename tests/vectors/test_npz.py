""".npz archives: which array is which; bombs, pickles and damage."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .made import (
    NAMES,
    STRANGE,
    VECTORS,
    require_read,
    require_refused,
    require_refused_within,
    require_same_or_refused,
)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_vectors_and_names(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "v.npz"
    save(path, feats=VECTORS.T, filenames=np.array(NAMES))
    require_read(path, VECTORS, NAMES)
    save(path, vectors=VECTORS.astype(">f8"), names=np.array([name.encode() for name in NAMES]))
    require_read(path, VECTORS.astype("f8"), NAMES)
    save(path, only=VECTORS, labels=np.arange(len(VECTORS)))
    require_read(path, VECTORS)
    save(path, one=VECTORS, other=VECTORS[:5], words=np.array(NAMES[:5]))
    require_refused(path, "received several: 'one', 'other'; give the key")
    require_read(path, VECTORS[:5], NAMES[:5], key="other", names="words")
    save(path, train=VECTORS, test=VECTORS[:5], names=np.array(NAMES))
    require_read(path, VECTORS, NAMES)
    require_read(path, VECTORS[:5], key="test")
    save(path, v=np.asfortranarray(VECTORS))
    require_read(path, VECTORS)


def test_strange_names(tmp_path: Path) -> None:
    count = len(STRANGE)
    np.savez(tmp_path / "v.npz", v=VECTORS[:count], names=np.array(STRANGE))
    require_read(tmp_path / "v.npz", VECTORS[:count], STRANGE)
    as_bytes = [name.encode("utf-8", "surrogateescape") for name in STRANGE]
    np.savez(tmp_path / "v.npz", v=VECTORS[:count], names=np.array([name[:100] for name in as_bytes]))
    require_read(
        tmp_path / "v.npz", VECTORS[:count], [name[:100].decode("utf-8", "surrogateescape") for name in as_bytes]
    )


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({"v": np.array([{}], object)}, "received 'v'; give the key"),
        ({"feats": np.full((3, 2), None)}, "pickled objects, which are never read"),
        ({"v": np.ones((3, 2)), "names": np.array(list("abc"), object)}, "names: .*pickled objects"),
        ({"v": np.ones((3, 2)), "names": np.arange(3)}, "names as an array of texts .*received int64"),
        ({"v": np.ones((3, 2)), "names": np.array([["a"], ["b"], ["c"]])}, r"of the shape \(3, 1\)"),
        ({"v": np.ones((3, 2)), "names": np.array(["a"] * 4)}, r"as many names as rows or columns, received 4"),
        ({"v": np.ones((3, 3)), "names": np.array(list("abc"))}, "received 3 for the shape .*give the layout"),
        ({"v": np.ones((3, 2)), "names": np.array(["a", "b", "x" * 5000])}, "texts of at most 4,096 characters"),
        ({}, "received nothing"),
        ({"v": np.ones(3)}, "received 'v'"),
        ({"feats": np.ones((3, 2))}, "expected filenames beside feats.*give the layout"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, arrays: dict[str, Any], match: str) -> None:
    np.savez(tmp_path / "v.npz", **arrays)
    require_refused(tmp_path / "v.npz", match)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["a", "", "c"], "received an empty one, in row 1 "),
        (["a", "b\0b", "c"], r"received one with NUL, 'b\\x00b', in row 1 "),
        (["a", "b", "a"], r"expected each name once, received 'a' in row 2 \(from 0\) as in row 0"),
        (["a", "\ud800", "c"], "received one with half a character"),
        (["a", "é" * 3000, "c"], "received one of 6,000 bytes"),
    ],
)
def test_names_that_are_none(tmp_path: Path, names: list[str], match: str) -> None:
    np.savez(tmp_path / "v.npz", v=VECTORS[:3], names=np.array(names))
    require_refused_within(tmp_path / "v.npz", match)


def test_names_beyond_unicode(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", v=VECTORS[:3], names=np.full(3, 0x7FFFFFFF, "<u4").view("<U1"))
    require_refused_within(tmp_path / "v.npz", "expected names in Unicode")


def test_a_bomb(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "v.npz", v=np.zeros((100_000, 200), np.float32))
    assert (tmp_path / "v.npz").stat().st_size < 200_000
    require_refused(
        tmp_path / "v.npz", "packed at most 100:1, received .* bytes that unpack to 80,000,128; if you trust"
    )


def test_a_header_of_a_bomb(tmp_path: Path) -> None:
    """Few bytes that promise many: the size in the archive's table must be the array's."""
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 1000)})
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("v.npy", member.getvalue() + b"\0" * 100)
    require_refused(tmp_path / "v.npz", "expected 4,000,000,000,000,000 bytes of numbers, .* received 100;")


def test_across_a_large_archive(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", v=np.ones((10, 1 << 20), np.float32))
    require_refused(tmp_path / "v.npz", "received them across it", layout="columns")


def test_members_that_are_no_arrays(tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("v.npy", b"not an array")
    require_refused(path, "'v': expected the header of a .npy array")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("v.npy", b"x")
    require_refused(path, "stored or deflated")
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(1001):
            archive.writestr(f"{i}.npy", b"")
    require_refused(path, "at most 1,000 arrays")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("v.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("v.npy", b"")
    require_refused(path, "of different names")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../escape", b"x")  # is not looked at
    require_refused(path, "received nothing")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_damage_is_refused_or_harmless(tmp_path: Path, save: Any) -> None:
    whole = io.BytesIO()
    save(whole, feats=VECTORS[:20].T, filenames=np.array(NAMES[:20]))
    data = whole.getvalue()
    path = tmp_path / "v.npz"
    for size in range(4, len(data), 7):
        path.write_bytes(data[:size])
        require_refused(path, "a whole .npz archive")
    found = 0
    for at in range(4, len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        found += require_same_or_refused(path, VECTORS[:20], NAMES[:20])
    assert found > 0.8 * len(data)
