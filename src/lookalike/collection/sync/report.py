"""What a sync did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import perf_counter
from typing import Literal, NamedTuple, Protocol, get_args

from lookalike.images.find import Skipped

Things = Literal["pictures", "vectors"]
"""What the items of a collection are."""

Stage = Literal["find", "decode", "embed", "commit", "seal"]


class Failure(NamedTuple):
    """A picture that could not be read, and why."""

    path: str
    reason: str


class Emptied(NamedTuple):
    """A folder that is a source and holds no picture any more, and how many it held."""

    path: str
    pictures: int


class FoundAgain(NamedTuple):
    """A source that is elsewhere now.

    Attributes:
        was, path: where it was, and where it is.
        pictures: how many of its pictures moved with it.
    """

    was: str
    path: str
    pictures: int


class Progress(Protocol):
    """Called with how many of the new and changed pictures are read, once before the first and after each.

    Read is not yet committed: pictures are embedded and committed by batches.
    """

    def __call__(self, done: int, total: int) -> None: ...


@dataclass
class SyncReport:
    """What a sync found and did. Each file is counted once: `found` = `indexed` + skipped + failed.

    Attributes:
        things: what is counted; below they are called pictures.
        new, changed, moved, unchanged: pictures that are indexed now, by what happened to them.
        returned: pictures that had been gone for a while, and have their ids and facts again.
        removed: pictures that were indexed and are there no more.
        emptied: the folders of which all pictures were removed.
        absent: pictures that are gone and would be known if they came back, now or from earlier syncs.
        kept_days: for so many days each of them is.
        kept: pictures still indexed that cannot be looked at now: in a lost source, or a closed folder; or
            that were missed, but may be in a file that is left to the next sync.
        embedded: pictures that went through the model; copies of a known picture need not.
        skipped: files that are no pictures, cannot be opened, or are being written, with the reason.
        unsettled: how many of them are being written, have changed while they were read, or may be the other half of
            a move of such a one.
        damaged: the pictures among the new and changed ones of which a part is missing or makes no sense; they have
            the fact `damaged`.
        failed: pictures that cannot be read, with the reason; tried again when their size or time changes.
        newly_failed: how many of them did not fail before, or for another reason.
        lost: sources that are missing or cannot be read, with the reason.
        polled: of a watch, why it looks by the clock, as where the system follows no more folders; else "".
        found_again: sources that are elsewhere now, as a disk that was plugged in again, and were recognised.
        seconds: wall-clock time of each stage; decoding goes on in other processes all the while, and counts
            where it is waited for.
        elapsed: wall-clock seconds of the whole.
        processor: seconds of processor time, of this process and of its decoders.
    """

    things: Things = "pictures"
    new: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    unchanged: int = 0
    removed: int = 0
    kept: int = 0
    embedded: int = 0
    newly_failed: int = 0
    unsettled: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    lost: list[Skipped] = field(default_factory=list)
    emptied: list[Emptied] = field(default_factory=list)
    absent: int = 0
    kept_days: int = 0
    found_again: list[FoundAgain] = field(default_factory=list)
    polled: str = ""
    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(get_args(Stage), 0.0))
    elapsed: float = 0.0
    processor: dict[Literal["own", "decoders"], float] = field(default_factory=lambda: {"own": 0.0, "decoders": 0.0})
    _stage: Stage | None = field(default=None, init=False, repr=False)
    _since: float = field(default=0.0, init=False, repr=False)

    @property
    def indexed(self) -> int:
        return self.new + self.changed + self.moved + self.returned + self.unchanged

    @property
    def changes(self) -> int:
        """How many pictures are, or were, indexed otherwise than before."""
        return self.new + self.changed + self.moved + self.returned + self.removed

    @property
    def found(self) -> int:
        return self.indexed + sum(skipped.total for skipped in self.skipped) + len(self.failed)

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """The time within counts for this stage, and not for the one around it."""
        around, start = self._stage, perf_counter()
        self._count_until(start)
        self._stage = stage
        try:
            yield
        finally:
            self._count_until(perf_counter())
            self._stage = around

    def _count_until(self, now: float) -> None:
        if self._stage is not None:
            self.seconds[self._stage] += now - self._since
        self._since = now

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around the whole, up to the end of the decoders."""
        start, own, decoders = perf_counter(), _processor(RUSAGE_SELF), _processor(RUSAGE_CHILDREN)
        try:
            yield
        finally:
            self.elapsed = perf_counter() - start
            self.processor = {"own": _processor(RUSAGE_SELF) - own, "decoders": _processor(RUSAGE_CHILDREN) - decoders}


def _processor(whose: int) -> float:
    used = getrusage(whose)
    return used.ru_utime + used.ru_stime
