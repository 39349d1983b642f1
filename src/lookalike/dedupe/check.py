"""Whether a file is still the one that was planned for, right before something is done to it."""

from __future__ import annotations

import os
import stat

from lookalike.dedupe.disk import digest
from lookalike.dedupe.plan import Planned
from lookalike.errors import PictureError


class LeftAlone(Exception):  # noqa: N818 (no error: the file is passed over, and the reason told)
    """A file that is not touched, and why."""


class Keeper:
    """The file that a group keeps: nothing is done to the others unless it is the one planned for, and stays it."""

    def __init__(self, path: str, planned: Planned) -> None:
        self.path = path
        self.planned = planned
        self._status: os.stat_result | None = None

    def require(self) -> os.stat_result:
        """What the system says of it; its bytes are read the first time. LeftAlone if it has changed."""
        try:
            if self._status is None:
                self._status = unchanged(self.path, self.planned)
            require_same(self.path, self._status)
        except LeftAlone as reason:
            raise LeftAlone(f"of {self.path}, which was to be kept: {reason}") from reason
        return self._status


def unchanged(path: str, planned: Planned) -> os.stat_result:
    """What the system says of a file that has the size, the time and the bytes that were planned for.

    Raises:
        LeftAlone: it is another one now.
    """
    before = status_of(path)
    if (before.st_size, before.st_mtime_ns) != (planned.size, planned.mtime_ns):
        raise LeftAlone("its size or time has changed")
    require_bytes(path, planned.sha256)
    require_same(path, before)
    return before


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
