"""One writer at a time, across processes and threads; readers take no lock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.collection.catalogue.refused import refused
from lookalike.errors import BusyError, NotAnIndexError

_AGAIN = 0.1  # seconds between two tries


@contextmanager
def writer_lock(directory: str, wait: float = 0) -> Iterator[None]:
    """Be the only writer of a collection directory; the lock goes with the process, even by kill -9.

    Raises:
        BusyError: another process or thread is it, and still so after `wait` seconds.
        NotAnIndexError: there is no directory.
        WriteError: the directory cannot be written.
    """
    try:
        descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except FileNotFoundError as error:
        raise NotAnIndexError(
            f"expected a collection in {directory}, received no folder; index a folder first"
        ) from error
    except OSError as error:
        raise refused(directory, error) from error
    try:
        deadline = time.monotonic() + wait
        while not _lock(descriptor, directory):
            if time.monotonic() >= deadline:
                raise _busy(descriptor, directory, wait)
            time.sleep(_AGAIN)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: str) -> bool:
    """Take the lock if it is free, and leave our number in it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        number = b"%d\n" % os.getpid()
        os.pwrite(descriptor, number, 0)  # before the end is cut off: whoever reads it now finds a number
        os.truncate(descriptor, len(number))
    except BlockingIOError:
        return False
    except OSError as error:
        raise refused(directory, error) from error
    return True


def _busy(descriptor: int, directory: str, wait: float) -> BusyError:
    pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").partition("\n")[0] or "unknown"
    who = "this process" if pid == str(os.getpid()) else f"process {pid}"
    after = f" after {wait:g} s" if wait else ""
    return BusyError(
        f"expected to be the only writer of {directory}, received one at work{after or ' already'} ({who}); "
        "wait for it to end, or let wait= do so (`--wait SECONDS` of `lookalike index` and `lookalike sync`)"
    )
