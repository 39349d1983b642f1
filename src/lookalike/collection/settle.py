"""Files that are being written wait until they stay the same."""

from __future__ import annotations

import time

from lookalike.collection.compare import File

SETTLE = 0.75
"""Seconds that a file must stay the same before a watch takes it."""

UNSETTLED = "still being written; it is taken as soon as it stays the same"


class Settling:
    """Tells which files have stayed the same for a while, by their times and by what was seen in earlier rounds.

    Where clocks disagree, as on a network drive, a file of the future settles too: it was seen before.
    """

    def __init__(self, seconds: float = SETTLE) -> None:
        self._seconds = seconds
        self._seen: dict[bytes, tuple[File, float]] = {}  # files of the last round that had not settled, and since when

    def part(self, files: list[File]) -> set[bytes]:
        """The keys of the files that have not settled; to be asked once each round, with all new and changed files."""
        now, since = time.time_ns(), time.monotonic()
        moving: dict[bytes, tuple[File, float]] = {}
        for file in files:
            if now - file.mtime_ns >= self._seconds * 1e9:
                continue
            before, when = self._seen.get(file.key, (None, since))
            if before != file:
                moving[file.key] = file, since
            elif since - when < self._seconds:
                moving[file.key] = file, when
        self._seen = moving
        return set(moving)
