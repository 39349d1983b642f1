"""An archive's file: a regular one, read in small steps."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from io import BufferedReader, FileIO
from typing import Any

from lookalike.errors import ArchiveError, ReadError
from lookalike.images.archives.limits import CHUNK

State = tuple[int, int, int, int]
"""Tells whether a file is still the same: device, inode, size, time of change in ns."""


class File(FileIO):
    """The regular file at `path`.

    Args:
        step: told of the bytes that were read, before the next ones are.

    Attributes:
        trouble: why it cannot be read any more; for those who read may make another error of that.

    Raises:
        ArchiveError: there is none.
        ReadError: it cannot be read now.
    """

    def __init__(self, path: str | bytes, step: Callable[[int], None] = lambda _: None) -> None:
        self.step = step
        self.trouble: ReadError | None = None
        try:
            # O_NONBLOCK: opening a FIFO would wait for a writer. O_NOCTTY: a terminal is only refused.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the path
            raise ArchiveError("expected an archive, received no such file; check the path") from error
        except OSError as error:
            raise unreadable(error) from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
            raise ArchiveError(f"expected an archive, received {what}; name a regular file")
        super().__init__(descriptor)

    @property
    def state(self) -> State:
        found = os.fstat(self.fileno())
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def readinto(self, buffer: Any) -> int:
        try:
            count = os.readv(self.fileno(), [memoryview(buffer)[:CHUNK]])
        except OSError as error:
            self.trouble = unreadable(error)
            raise self.trouble from error
        self.step(count)
        return count


class Buffer(BufferedReader):
    """Reads a file ahead, and leaves it open for the next one that does."""

    def close(self) -> None:
        pass


def unreadable(error: OSError) -> ReadError:
    return ReadError(
        error.errno,
        f"expected to read it, received {(error.strerror or str(error))!r} from the system; check who may read it, "
        "and the disk",
    )
