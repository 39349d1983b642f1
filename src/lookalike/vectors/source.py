"""The file behind vectors: a regular one, and the same one each time it is opened."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from lookalike.errors import ReadError, VectorFileError
from lookalike.vectors.numbers import Dtype, Numbers

_END = 1 << 16  # bytes


@dataclass(frozen=True)
class Source:
    """A file as it was when it was found.

    Attributes:
        path: as given; not UTF-8 by surrogateescape.
        size: bytes.
        state: tells whether it is still the same: device, inode, time of change in ns.
    """

    path: str
    size: int
    state: tuple[int, int, int]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file, at its start.

        Raises:
            VectorFileError: it has changed since it was found.
            ReadError: it cannot be read, now or within.
        """
        with reading(self.path), open(self.path, "rb") as stream:
            if _source(self.path, os.fstat(stream.fileno())) != self:
                raise VectorFileError(
                    f"{self.path}: expected the file that was opened, received another; open it again"
                )
            yield stream

    def ends(self) -> bytes:
        """The SHA-256 of its beginning and its end, 64 KiB of each; raises as `open`."""
        with self.open() as stream:
            digest = hashlib.sha256(stream.read(_END))
            stream.seek(max(self.size - _END, 0))
            digest.update(stream.read(_END))
        return digest.digest()


def find(path: str | os.PathLike[str]) -> Source:
    """The file at `path`.

    Raises:
        VectorFileError: there is none, or it is a folder, a pipe or a device.
        ReadError: it cannot be looked at.
    """
    name = os.fsdecode(path)
    if "\0" in name:
        raise VectorFileError(f"{name!r}: expected the path of a file of vectors, received one with NUL; leave it out")
    with reading(name):
        return _source(name, os.stat(name))


def _source(path: str, found: os.stat_result) -> Source:
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise VectorFileError(f"{path}: expected a file of vectors, received {what}; name a regular file")
    return Source(path, found.st_size, (found.st_dev, found.st_ino, found.st_mtime_ns))


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What the system says while `path` is read, in a sentence."""
    try:
        yield
    except ReadError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VectorFileError(f"{path}: expected a file of vectors, received no such file; check the path") from error
    except OSError as error:
        raise ReadError(
            error.errno,
            f"{path}: expected to read it, received {(error.strerror or str(error))!r} from the system; "
            "check who may read it, and the disk",
        ) from error


def read_array(stream: BinaryIO, shape: tuple[int, ...], dtype: Dtype, path: str) -> Numbers:
    """The next numbers; VectorFileError where the file ends before."""
    array: Numbers = np.empty(shape, dtype)
    read_into(stream, array, path)
    return array


def read_into(stream: BinaryIO, array: Numbers, path: str) -> None:
    """Fills a contiguous array; VectorFileError where the file ends before."""
    rest = array.reshape(-1).view(np.uint8)
    while len(rest):
        more = stream.readinto(rest.data)  # type: ignore[attr-defined]
        if not more:
            raise VectorFileError(
                f"{path}: expected {len(rest):,} bytes more, received the end of the file; fetch it again"
            )
        rest = rest[more:]
