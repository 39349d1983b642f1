"""Files that are being written wait until they stay the same."""

from __future__ import annotations

import os
import time

from lookalike.collection.sync.compare import File

SETTLE = 0.75
"""Seconds that a file must stay the same before a watch takes it."""

UNSETTLED = "still being written; it is taken as soon as it stays the same"


class Settling:
    """Tells which files have stayed the same for a while, by their times and by what was seen of them before.

    Where clocks disagree, as on a network drive, a file of the future settles too: it was seen before.
    """

    def __init__(self, seconds: float = SETTLE) -> None:
        self._seconds = seconds
        self._moving: dict[bytes, tuple[File, float]] = {}  # what has not settled, and since when it is as it is

    @property
    def paths(self) -> frozenset[str]:
        """The files that have not settled."""
        return frozenset(file.path for file, _ in self._moving.values())

    def part(self, files: list[File]) -> set[bytes]:
        """The keys of the files that have not settled; to be asked once each round, with all new and changed files."""
        now, moving = time.monotonic(), {}
        for file in files:
            before, since = self._moving.get(file.key, (file, now))
            if before != file:
                moving[file.key] = file, now
            elif not self._is_old(file) and now - since < self._seconds:
                moving[file.key] = file, since
        self._moving = moving
        return set(moving)

    def unsettle(self, file: File) -> None:
        """This one has changed while it was read."""
        self._moving[file.key] = file, time.monotonic()

    def is_one_over(self) -> bool:
        """Whether a file has settled since, or is gone; only those that had not settled are looked at for this."""
        now, over = time.monotonic(), False
        for key, (file, since) in self._moving.items():
            seen = _as_it_is(file)
            if seen == file or seen is None:
                over = over or seen is None or self._is_old(file) or now - since >= self._seconds
            else:
                self._moving[key] = seen, now
        return over

    def _is_old(self, file: File) -> bool:
        return time.time_ns() - file.mtime_ns >= self._seconds * 1e9


def _as_it_is(file: File) -> File | None:
    try:
        status = os.stat(file.path)
    except OSError:
        return None
    return file._replace(size=status.st_size, mtime_ns=min(status.st_mtime_ns, 2**63 - 1))
