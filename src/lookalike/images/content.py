"""The bytes of a picture file, read from regular files only."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from lookalike.errors import PictureError
from lookalike.images.extras import VIDEO

SMALLER = "make a smaller copy of it"
"""What to do about a picture beyond a limit."""

LARGEST_FILE = 512 << 20
"""In bytes; a larger file is no picture that is read."""

LARGEST_VIDEO = 4 << 30
"""In bytes; a video is never held whole."""

_CHUNK = 1 << 20


def read_file(path: str | bytes, most: int) -> bytes:
    """All bytes of a regular file of at most `most` bytes.

    Raises:
        PictureError: it is gone, unreadable, larger, a FIFO, a device or a folder.
    """
    return b"".join(_chunks(path, most))


def file_sha256(path: str) -> bytes:
    """The 32 bytes of the SHA-256 of a regular file, read in chunks.

    It has at most `LARGEST_FILE` bytes, or `LARGEST_VIDEO` where its name is a video's.

    Raises:
        PictureError: as `read_file`.
    """
    digest = hashlib.sha256()
    most = LARGEST_VIDEO if path.rpartition(".")[2].lower() in VIDEO.endings else LARGEST_FILE
    for chunk in _chunks(path, most):
        digest.update(chunk)
    return digest.digest()


def read_stream(stream: BinaryIO) -> tuple[bytes, str]:
    """All bytes of a stream, at most `LARGEST_FILE`, and what the stream is called, "" where it has no name.

    Raises:
        PictureError: it has more, none, or text instead of bytes, or cannot be read.
    """
    named = getattr(stream, "name", "")
    name = named if isinstance(named, str) else ""  # that of a pipe is a number
    data = bytearray()
    try:
        while len(data) <= LARGEST_FILE and (chunk := stream.read(_CHUNK)):
            data += chunk
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror})", name) from error
    except TypeError:
        raise PictureError("expected the bytes of a picture, received text; open it in binary mode", name) from None
    if not data:
        raise PictureError("expected the bytes of a picture, received none", name)
    if len(data) > LARGEST_FILE:
        raise PictureError(f"at most {LARGEST_FILE >> 20} MiB are read; {SMALLER}", name)
    return bytes(data), name


def _chunks(path: str | bytes, most: int) -> Iterator[bytes]:
    with regular_file(path) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > most:
            reason = f"the file has {size >> 20} MiB; at most {most >> 20} MiB are read; {SMALLER}"
            raise PictureError(reason, os.fsdecode(path))
        # Never more than the size seen at first: a file that grows for ever (a log) still ends.
        while size > 0 and (chunk := os.read(descriptor, min(size, _CHUNK))):
            size -= len(chunk)
            yield chunk


@contextmanager
def regular_file(path: str | bytes) -> Iterator[int]:
    """The descriptor of a regular file, opened to read. PictureError where it is none, or cannot be read."""
    name = os.fsdecode(path)
    descriptor = -1
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer. O_NOCTTY: a terminal is only refused.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureError("not a regular file", name)
        yield descriptor
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror})", name) from error
    except ValueError as error:  # a NUL in the name
        raise PictureError(f"cannot be read ({error})", name) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)
