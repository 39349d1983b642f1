"""Following the sources of a collection: a sync whenever something has changed in them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Set
from typing import Protocol, SupportsFloat

from lookalike.collection.place import Place
from lookalike.collection.sync.report import SyncReport
from lookalike.collection.sync.settle import SETTLE, Settling
from lookalike.errors import ArgumentError
from lookalike.images.find import Skipped

LEAST_POLL = 0.1
"""So many seconds at least are between two looks of a watch that looks by the clock."""

_IDLE = 60.0  # seconds of waiting at a time; any number will do


class Waiting(Protocol):
    """A way to wait for a sign.

    Attributes:
        polled: as of `SyncReport`.
    """

    polled: str

    def wait(self, seconds: float, but: Set[str] = frozenset()) -> bool:
        """Until a burst of signs is over, or for so many seconds; whether there was one, `but` of these files."""
        ...

    def close(self) -> None: ...


class Clock:
    """Every so many seconds is a sign: for drives where the system tells nothing."""

    polled = ""  # that it looks by the clock was asked for

    def __init__(self, every: float) -> None:
        self._every = every
        self._next = time.monotonic() + every

    def wait(self, seconds: float, but: Set[str] = frozenset()) -> bool:  # noqa: ARG002
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

    def look() -> SyncReport:
        report = sync(settling)
        report.polled = waiting.polled
        return report

    report, enough = look(), time.monotonic() + 2 * SETTLE
    while report.unsettled and not report.changes and time.monotonic() < enough:  # all of it was just put there
        waiting.wait(SETTLE)
        report = look()
    yield report
    while True:
        # a file that is written all the time costs a look at itself, not at everything
        moving = settling.paths
        if waiting.wait(SETTLE if moving else _IDLE, moving) or settling.is_one_over():
            before, report = report, look()
            is_news = report.changes or report.newly_failed or report.lost != before.lost
            if is_news or report.polled != before.polled:
                yield report


def out_of_reach(place: Place, before: SyncReport) -> SyncReport:
    """The report of a round in which the collection itself is not there: it is lost with all of its pictures."""
    lost = Skipped(place.directory, "the collection is not there now, as when its disk is not mounted")
    return SyncReport(things=before.things, kept=before.indexed + before.kept, lost=[lost])


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
