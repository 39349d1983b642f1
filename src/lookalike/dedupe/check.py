"""Whether a file is still the one that was planned for, right before something is done to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lookalike.dedupe.disk import digest
from lookalike.dedupe.plan import Planned
from lookalike.errors import PictureError


class LeftAlone(Exception):  # noqa: N818 (no error: the file is passed over, and the reason told)
    """A file that is not touched, and why."""


class Keeper:
    """The file that a group keeps: nothing is done to the others unless it is the one planned for, and stays it.

    Args:
        path: where it lies.
        planned: what it was.
        halves: the other half of its pair, RAW or video, by the path: they are kept with it.
    """

    def __init__(self, path: str, planned: Planned, halves: Mapping[str, Planned] | None = None) -> None:
        self.path = path
        self.planned = planned
        self._files = {path: planned, **(halves or {})}
        self._status: dict[str, os.stat_result] = {}

    def require(self) -> os.stat_result:
        """What the system says of it; bytes are read the first time. LeftAlone if it or a half of it has changed."""
        for path, planned in self._files.items():
            with _of_kept(path):
                if path not in self._status:
                    self._status[path] = unchanged(path, planned)
                require_same(path, self._status[path])
        return self._status[self.path]

    def look(self) -> None:
        """LeftAlone if its size or time, or that of a half of it, is another one now."""
        for path, planned in self._files.items():
            with _of_kept(path):
                looks_unchanged(path, planned)


@contextmanager
def _of_kept(path: str) -> Iterator[None]:
    try:
        yield
    except LeftAlone as reason:
        raise LeftAlone(f"of {path}, which was to be kept: {reason}") from reason


def unchanged(path: str, planned: Planned) -> os.stat_result:
    """What the system says of a file that has the size, the time and the bytes that were planned for.

    Raises:
        LeftAlone: it is another one now.
    """
    before = looks_unchanged(path, planned)
    require_bytes(path, planned.sha256)
    require_same(path, before)
    return before


def looks_unchanged(path: str, planned: Planned) -> os.stat_result:
    """What the system says of a file that has the size and the time that were planned for, else LeftAlone."""
    status = status_of(path)
    if (status.st_size, status.st_mtime_ns) != (planned.size, planned.mtime_ns):
        raise LeftAlone("its size or time has changed")
    return status


def status_of(path: str) -> os.stat_result:
    """LeftAlone for what is gone, or no regular file."""
    try:
        status = os.lstat(path)
    except OSError as error:
        raise LeftAlone(f"it cannot be looked at ({error.strerror})") from error
    if not stat.S_ISREG(status.st_mode):
        raise LeftAlone("it is no regular file any more")
    return status


def require_bytes(path: str, sha256: str) -> None:
    """LeftAlone unless the file's bytes have this hash."""
    try:
        found = digest(path)
    except PictureError as error:
        raise LeftAlone(error.reason) from error
    if found != sha256:
        raise LeftAlone("its bytes have changed")


def require_same(path: str, before: os.stat_result) -> None:
    """LeftAlone if anything was done to the file since the system was asked."""
    now = status_of(path)
    if _identity(now) != _identity(before):
        raise LeftAlone("it is being changed")


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
