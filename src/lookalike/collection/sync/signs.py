"""Signs that something below some folders has changed; the only file that imports watchfiles.

A sign says that it is worth looking, not what happened: signs may be lost (a queue overflows, a link leads
elsewhere, a drive is on another machine), so whoever waits here looks all the same every `LOOK` seconds. So whatever
goes wrong with them is a sign, too, and never an end.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence, Set
from typing import Protocol

from lookalike.collection.place import Place

STEP = 0.1  # seconds
QUIET, MOST = 0.8, 5.0  # seconds without a further sign that end a burst, and after which one is cut
TICK = 1.0  # seconds between two looks at the folders themselves
LOOK = 600.0
POLL = 30.0  # seconds between two looks where the system tells nothing

Identity = tuple[int, int] | None  # device and inode


class Teller(Protocol):
    """What tells of changes as the system does."""

    def next(self, seconds: float) -> set[str]:
        """The paths that changed, waiting for them for so long at most; any error is a sign."""
        ...

    def close(self) -> None: ...


class Signs:
    """The system tells what changes below some folders, except in the collection directory `own`; from now on.

    A folder that goes and comes back, as by mounting its disk, is a sign, and is followed again; for `own` it is
    a sign, too.

    Attributes:
        polled: why it looks every `POLL` seconds, as where the system follows no more folders; else "". It tries
            again every `LOOK` seconds.
    """

    def __init__(self, tops: Callable[[], Sequence[str]], own: str) -> None:
        self._tops = tops
        self._own = own + os.sep
        self._names = tuple(name + os.sep for name in Place.at(own).names)
        self._next_look = time.monotonic() + LOOK
        self._next_tick = 0.0
        self._next_poll = 0.0
        self._teller: Teller = _Silent()
        self.polled = ""
        self._follow()

    def wait(self, seconds: float, but: Set[str] = frozenset()) -> bool:
        end = time.monotonic() + seconds
        first = last = 0.0
        while True:
            told, now = self._told(but, STEP if first else min(TICK, max(end - time.monotonic(), 0))), time.monotonic()
            if told:
                first, last = first or now, now
            if first and (now - last >= QUIET or now - first >= MOST):
                return True
            if not first and now >= end:
                return False

    def close(self) -> None:
        self._teller.close()

    def _told(self, but: Set[str], seconds: float) -> bool:
        """Whether there is a sign within so many seconds, `but` of these files."""
        told = self._next(but, seconds)
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + TICK
            if self._followed != self._identities():
                self._follow()
                told = True
        if self.polled and now >= self._next_poll:
            self._next_poll = now + POLL
            told = True
        if now >= self._next_look:
            self._next_look = now + LOOK
            if self.polled:
                self._follow()
            told = True
        return told

    def _next(self, but: Set[str], seconds: float) -> bool:
        try:
            changes = self._teller.next(seconds)
        except Exception:  # noqa: BLE001 (of whatever kind: it tells no more, and what it would have told is not known)
            time.sleep(STEP)  # as long as it goes on, this is asked again at once
            self._follow()
            return True
        return any(not (path.startswith(self._names) or path in but) for path in changes)

    def _follow(self) -> None:
        """Begin anew; where the system cannot, by the clock."""
        self._teller.close()
        self._followed = self._identities()
        there = [top for top, identity in self._followed.items() if identity and top != self._own]
        own = self._followed[self._own]
        try:
            self._teller, self.polled = _teller(there, {own} if own else set()), ""
        except Exception as error:  # noqa: BLE001 (as in `_next`)
            self._teller, self.polled = _Silent(), _why(error)
            self._next_poll = time.monotonic() + POLL

    def _identities(self) -> dict[str, Identity]:
        return {top: _identity(top) for top in (*self._tops(), self._own)}


def _identity(top: str) -> Identity:
    try:
        status = os.stat(top)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _why(error: Exception) -> str:
    full = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}
    limit = full.get(error.errno or 0) if isinstance(error, OSError) else None
    cure = f"the limit fs.inotify.{limit} is reached: raise it" if limit else f"it says {error}"
    return f"the system tells no changes ({cure}); they are looked for every {POLL:g} s, or as by --poll SECONDS"


def _teller(tops: Sequence[str], out: Set[tuple[int, int]]) -> Teller:
    if os.uname().sysname == "Linux":
        from lookalike.collection.sync.inotify import Inotify

        return Inotify(tops, out)
    return Watched(tops)


class Watched:
    """Tells what watchfiles does; of systems where it follows no links."""

    def __init__(self, tops: Sequence[str]) -> None:
        from watchfiles import watch

        self._changes = watch(
            *tops,
            watch_filter=None,
            debounce=round(1000 * STEP),
            step=round(1000 * STEP),
            rust_timeout=round(1000 * STEP),
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        )
        self._early = self._next()  # it follows from the first step on

    def next(self, seconds: float) -> set[str]:  # noqa: ARG002
        early, self._early = self._early, set()
        return early | self._next()

    def close(self) -> None:
        self._changes.close()

    def _next(self) -> set[str]:
        return {path for _, path in next(self._changes)}


class _Silent:
    """Tells nothing."""

    def next(self, seconds: float) -> set[str]:
        time.sleep(seconds)
        return set()

    def close(self) -> None:
        pass
