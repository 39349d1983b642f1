"""Writing a file so that it is there whole or not at all: into a draft beside it, which then takes its name."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from io import FileIO

from lookalike import durable
from lookalike.errors import WriteError

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)  # file systems without hard links


@contextmanager
def draft(path: str, overwrite: bool) -> Iterator[str]:
    """The path of a new file beside `path`, to be written within; at the end it is on the disk, under the name `path`.

    A link is followed. Where what is within raises, nothing is left and what was at `path` stays.

    Raises:
        WriteError: there is a file at `path` and `overwrite` is False, or the system cannot write.
    """
    with writing(path):
        target = os.path.realpath(path)
        require_free(path, overwrite)
    with durable.draft(target) as beside:
        yield beside
        with writing(path):
            durable.put(beside, target, partial(_name, overwrite=overwrite))


def require_free(path: str, overwrite: bool) -> None:
    """That nothing is at `path`, or a file that may be replaced.

    Raises:
        FileExistsError: there is a file.
        WriteError: there is something else, such as a folder or a pipe.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise WriteError(
            errno.EEXIST,
            f"{path}: expected no file there, or a regular one, received another kind; choose another name",
        )
    if not overwrite:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


@contextmanager
def writing(path: str) -> Iterator[None]:
    """What the system says while `path` is written, in a sentence."""
    try:
        yield
    except WriteError:
        raise
    except FileExistsError as error:
        raise WriteError(
            error.errno,
            f"{path}: expected no file there, received one; choose another name, or ask to overwrite it "
            "(`--overwrite` on the command line)",
        ) from error
    except OSError as error:
        raise WriteError(
            error.errno,
            f"{path}: expected to write it, received {(error.strerror or str(error))!r:.200} from the system; "
            "choose a folder that exists, that you may write to, and that has room",
        ) from error


def _name(beside: str, target: str, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(beside, target)  # unlike a rename, it never replaces
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            require_free(target, overwrite)
        else:
            return
    os.replace(beside, target)


class Sink:
    """A file being written."""

    def __init__(self, path: str, file: FileIO) -> None:
        self._path = path
        self._file = file

    def write(self, data: bytes | memoryview) -> None:
        """Adds all of it; WriteError where the system cannot."""
        with writing(self._path):
            rest = memoryview(data).cast("B")
            while rest:
                rest = rest[self._file.write(rest) :]

    def status(self) -> os.stat_result:
        """What tells it from others."""
        return os.fstat(self._file.fileno())

    def restart(self) -> None:
        """What is written next replaces the start of the file."""
        with writing(self._path):
            self._file.seek(0)


@contextmanager
def sink(path: str, overwrite: bool) -> Iterator[Sink]:
    """A new file as of `draft`, open."""
    with draft(path, overwrite) as beside:
        with writing(path):
            file = FileIO(beside, "x")
        with file:
            yield Sink(path, file)
