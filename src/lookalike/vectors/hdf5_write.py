"""HDF5 in the layout of the original experiment: `feats` (dims, n) beside `filenames`.

The matrix lies in pieces of whole vectors, so that it grows as vectors come, and is read back piece by piece. Its
attribute `layout` says that its columns are the vectors, for where there are as many as dimensions.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.vectors import names as naming
from lookalike.vectors.accepted import Rows
from lookalike.vectors.apart import apart
from lookalike.vectors.draft import draft, writing
from lookalike.vectors.hdf5 import LAYOUT
from lookalike.vectors.layout import FEATS, NAMES
from lookalike.vectors.numbers import Dtype

if TYPE_CHECKING:
    import h5py

_PIECE = 1 << 18  # bytes
_NAMES = 1 << 10  # in a piece


def write_hdf5(path: str, chunks: Iterator[Rows], dim: int, dtype: Dtype, overwrite: bool) -> tuple[str, ...]:
    """The file, at `path`; raises as `write_vectors`.

    h5py works in a thread of its own, where no Ctrl-C is raised: in the midst of a write it would crash HDF5.
    """
    with draft(path, overwrite) as beside, apart(_writer(path, beside, dim, dtype)) as write:
        for chunk in chunks:
            write(chunk)
    return (path,)


def _writer(path: str, beside: str, dim: int, dtype: Dtype) -> Generator[None, Rows, None]:
    """Takes what is sent; the file is whole when it is closed."""
    import h5py

    with created(disk := Disk(path, beside)) as file:
        piece = max(1, _PIECE // (dim * dtype.itemsize))
        feats = file.create_dataset(FEATS, (dim, 0), dtype, maxshape=(dim, None), chunks=(dim, piece))
        feats.attrs[LAYOUT] = "columns"
        names = file.create_dataset(NAMES[0], (0,), h5py.string_dtype(), maxshape=(None,), chunks=(_NAMES,))
        start = 0
        while True:
            chunk = yield
            disk.require_room()
            end = start + len(chunk.vectors)
            feats.resize(end, axis=1)
            feats[:, start:end] = chunk.vectors.T
            names.resize(end, axis=0)
            names[start:end] = np.array([naming.encode(name) for name in chunk.names or ()], object)
            start = end


class Disk(io.FileIO):
    """A file that keeps what the system refuses to itself: HDF5 crashes where it cannot write what it holds."""

    def __init__(self, path: str, beside: str) -> None:
        """The draft `beside` of the file at `path`; WriteError where it cannot be made."""
        with writing(path):
            super().__init__(beside, "x+")
        self._path = path
        self._error: OSError | None = None

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest and self._error is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self._error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def require_room(self) -> None:
        """WriteError where something could not be written."""
        if self._error is not None:
            with writing(self._path):
                raise self._error


@contextmanager
def created(disk: Disk) -> Iterator[h5py.File]:
    """A new HDF5 file on `disk`; WriteError where it could not be written."""
    import h5py

    with disk:
        try:
            with h5py.File(disk, "w") as file:
                yield file
        finally:
            disk.require_room()
