"""Which kind a file is of: by its content, whatever its name says."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from lookalike.errors import ArgumentError, ReadError
from lookalike.vectors import Format, open_vectors
from lookalike.vectors.kind import FORMATS

from .made import VECTORS, refused, require_refused


def test_the_content_before_the_name(tmp_path: Path) -> None:
    path = tmp_path / "v.fbin"
    with open(path, "wb") as file:
        np.save(file, VECTORS)
    assert open_vectors(path).parts[0].format == "npy"
    with open(path, "wb") as file:
        np.savez(file, VECTORS)
    assert open_vectors(path).parts[0].format == "npz"
    with h5py.File(path, "w") as file:
        file["v"] = VECTORS
    assert open_vectors(path).parts[0].format == "hdf5"
    path.write_text("the 1 2\n")
    assert open_vectors(path, format="glove").parts[0].format == "glove"


@pytest.mark.parametrize(
    ("start", "match"),
    [
        (b"\x1f\x8b\x08\x00", "received a gzip archive; unpack it"),
        (b"BZh91AY", "received a bzip2 archive; unpack it"),
        (b"\xfd7zXZ\0", "received an xz archive; unpack it"),
        (b"\x28\xb5\x2f\xfd", "received a zstd archive; unpack it"),
        (b"FEA1", "received Feather of version 1; write it again"),
        (b"PARE", "received Parquet with an encrypted footer; write it again"),
        (pickle.dumps(VECTORS), "received a pickle, which is never read, for it may run code"),
        (b"", "received an empty one; fetch it again"),
        (b"<html>404</html>", "received one that begins with b'<html>404</html>'"),
        (b"path,stars\ncat.jpg,5\n", "received one that begins with b'path,stars"),
        (b"\0" * 5000, "received one that begins with"),
        (b"nothing at all", "received one that begins with"),
    ],
)
def test_what_is_no_file_of_vectors(tmp_path: Path, start: bytes, match: str) -> None:
    (tmp_path / "v").write_bytes(start)
    require_refused(tmp_path / "v", match)


def test_a_pickle_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "run"),)

    evil = np.array([Evil()], object)
    np.save(tmp_path / "v.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "v.npz", feats=evil)
    (tmp_path / "v.pkl").write_bytes(pickle.dumps(evil))
    for name in ("v.npy", "v.npz", "v.pkl"):
        require_refused(tmp_path / name, "which (is|are) never read, for (it|they) may run code")
    assert not (tmp_path / "run").exists()


def test_what_is_no_file(tmp_path: Path) -> None:
    require_refused(tmp_path / "none.npy", "received no such file; check the path")
    require_refused(tmp_path, "received a folder; name a regular file")
    os.mkfifo(tmp_path / "pipe.npy")
    require_refused(tmp_path / "pipe.npy", "received a pipe or a device; name a regular file")
    require_refused(Path("/dev/zero"), "received a pipe or a device; name a regular file")
    (tmp_path / "file").touch()
    require_refused(tmp_path / "file" / "v.npy", "received no such file; check the path")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ReadError, match="loop: expected to read it, received 'Too many levels"):
        open_vectors(tmp_path / "loop")


def test_an_unknown_format(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VECTORS)
    with pytest.raises(ArgumentError, match="format is 'pickle'; expected one of npy, npz, hdf5"):
        open_vectors(tmp_path / "v.npy", format="pickle")  # type: ignore[arg-type]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("data", [b"x", b"\xff" * 64, b"\0" * 64, b"1 1\n" * 9, b"9" * 200, b"PK\x03\x04" + b"\0" * 99])
def test_a_file_of_another_format(tmp_path: Path, format_: Format, data: bytes) -> None:
    """Whatever it is said to be."""
    if format_ in ("parquet", "arrow"):
        pytest.importorskip("pyarrow")
    (tmp_path / "v").write_bytes(data)
    with refused(tmp_path / "v", "expected"):
        list(open_vectors(tmp_path / "v", format=format_).chunks())
