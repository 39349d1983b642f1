"""One writer at a time, across processes; readers take no lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.collection.refused import refused
from lookalike.errors import BusyError


@contextmanager
def writer_lock(directory: str) -> Iterator[None]:
    """Be the only writer of a collection directory; the lock goes with the process, even by kill -9.

    Raises:
        BusyError: another process is it, at once.
        WriteError: the directory cannot be written.
    """
    try:
        descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise refused(directory, error) from error
    try:
        _lock(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    except BlockingIOError as error:
        pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise BusyError(
            f"expected to be the only writer of {directory}, received one at work already (process {pid}); "
            "wait for it to end"
        ) from error
    except OSError as error:
        raise refused(directory, error) from error
