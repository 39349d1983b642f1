"""What is done to the disk: renames that overwrite nothing, and files that outlast a power cut."""

from __future__ import annotations

import os

from lookalike.durable import draft, put
from lookalike.errors import WriteError
from lookalike.images.content import file_sha256


def digest(path: str) -> str:
    """The SHA-256 of a file's bytes now, in hexadecimal. PictureError where it cannot be read."""
    return file_sha256(path).hex()


def rename_to_new(source: str, target: str) -> None:
    """Give a file another name that is free; a kill may leave an empty file there, which `is_reserved` knows.

    Raises:
        FileExistsError: the name is taken.
        OSError: it is on another file system, or the system says no.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
    try:
        os.rename(source, target)
    except BaseException:  # Ctrl-C may come on either side of the rename
        if os.path.lexists(source) and is_reserved(target):
            os.unlink(target)  # the empty file of above
        raise


def is_reserved(path: str) -> bool:
    """Whether the name is taken by an empty file, as a killed `rename_to_new` leaves."""
    return os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) == 0


def write_new(path: str, data: bytes, cure: str) -> None:
    """Write a file that was not there: whole and durable when this returns, or not there.

    Args:
        cure: what to do where that cannot be.

    Raises:
        WriteError: there is one of that name, or it cannot be written.
    """
    try:
        with draft(path) as beside:
            _write(beside, data)
            put(beside, path, rename_to_new)
    except OSError as error:
        raise _unwritten(path, error, cure) from error


def write_over(path: str, data: bytes) -> None:
    """Write a file, or replace it: the old one or the new one is there, whatever happens. A pipe is written to.

    WriteError where it cannot be written.
    """
    path = os.path.realpath(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as stream:
                stream.write(data)
            return
        with draft(path) as beside:
            _write(beside, data)
            put(beside, path)
    except OSError as error:
        raise _unwritten(path, error, "name another") from error


def _write(path: str, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)


def _unwritten(path: str, error: OSError, cure: str) -> WriteError:
    return WriteError(error.errno, f"expected to write {path}, received {error.strerror!r} from the system; {cure}")
