"""Following the sources of a collection: a sync whenever something has changed in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Protocol, SupportsFloat

from lookalike.collection.report import SyncReport
from lookalike.collection.settle import SETTLE, Settling
from lookalike.errors import ArgumentError

_IDLE = 60.0  # seconds of waiting at a time; any number will do


class Waiting(Protocol):
    """A way to wait for a sign."""

    def wait(self, seconds: float) -> bool:
        """Until a burst of signs is over, or for so many seconds; whether there was one."""
        ...

    def close(self) -> None: ...


class Clock:
    """Every so many seconds is a sign: for drives where the system tells nothing."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = time.monotonic() + every

    def wait(self, seconds: float) -> bool:
        time.sleep(max(0.0, min(seconds, self._next - time.monotonic())))
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._every
        return True

    def close(self) -> None:
        pass


def rounds(sync: Callable[[Settling], SyncReport], waiting: Waiting) -> Iterator[SyncReport]:
    """The report of the first sync, then of every one that found something new; without end."""
    settling = Settling()
    report, enough = sync(settling), time.monotonic() + 2 * SETTLE
    while report.unsettled and not report.changes and time.monotonic() < enough:  # all of it was just put there
        waiting.wait(SETTLE)
        report = sync(settling)
    yield report
    while True:
        if waiting.wait(SETTLE if report.unsettled else _IDLE) or report.unsettled:
            before, report = report, sync(settling)
            if report.changes or report.newly_failed or report.lost != before.lost:
                yield report


def as_seconds(name: str, value: SupportsFloat, *, least: float) -> float:
    """A number of seconds, `math.inf` too.

    Raises:
        ArgumentError: it is none, or less than `least`.
    """
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not seconds >= least:
        raise ArgumentError(f"expected {name} of at least {least:g} seconds, received {value!r}; give a number")
    return seconds
