"""Signs that something below some folders has changed; the only file that imports watchfiles.

A sign says that it is worth looking, not what happened: signs may be lost (a queue overflows, a link leads
elsewhere, a drive is on another machine), so whoever waits here looks all the same every `LOOK` seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence, Set

from watchfiles import Change, watch

from lookalike.collection.place import Place
from lookalike.errors import LookalikeError

STEP = 100  # milliseconds
QUIET, MOST = 0.8, 5.0  # seconds without a further sign that end a burst, and after which one is cut
TICK = 1.0  # seconds between two looks at the folders themselves
LOOK = 600.0

Identity = tuple[int, int] | None  # device and inode


class Signs:
    """The system tells what changes below some folders, except in the collection directory `own`; from now on.

    A folder that goes and comes back, as by mounting its disk, is a sign, and is followed again; for `own` it is
    a sign, too.

    Raises:
        LookalikeError: the system follows no more folders, or not these.
    """

    def __init__(self, tops: Callable[[], Sequence[str]], own: str) -> None:
        self._tops = tops
        self._own = own + os.sep
        self._names = tuple(name + os.sep for name in Place.at(own).names)
        self._next_look = time.monotonic() + LOOK
        self._next_tick = 0.0
        self._changes: Generator[set[tuple[Change, str]], None, None]
        self._followed: dict[str, Identity]
        self._early = False
        self._follow()

    def wait(self, seconds: float, but: Set[str] = frozenset()) -> bool:
        end = time.monotonic() + seconds
        first = last = 0.0
        while True:
            told, now = self._told(but), time.monotonic()
            if told:
                first, last = first or now, now
            if first and (now - last >= QUIET or now - first >= MOST):
                return True
            if not first and now >= end:
                return False

    def close(self) -> None:
        self._changes.close()

    def _told(self, but: Set[str]) -> bool:
        """Whether there was a sign in the last moment, `but` of these files."""
        early, self._early = self._early, False
        told = self._next(but) or early
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + TICK
            if self._followed != self._identities():
                self._follow()
                told = True
        if now >= self._next_look:
            self._next_look = now + LOOK
            told = True
        return told

    def _next(self, but: Set[str]) -> bool:
        try:
            changes = next(self._changes)
        except RuntimeError:  # it cannot tell names that are not UTF-8: that is a sign, too
            self._follow()
            return True
        return any(not (path.startswith(self._names) or path in but) for _, path in changes)

    def _follow(self) -> None:
        """Begin anew."""
        self._followed = self._identities()
        there = [top for top, identity in self._followed.items() if identity and top != self._own]
        self._changes = watch(
            *there,
            watch_filter=None,
            debounce=STEP,
            step=STEP,
            rust_timeout=STEP,
            yield_on_timeout=True,
            force_polling=False,
            ignore_permission_denied=True,
        )
        try:
            self._early = bool(next(self._changes))  # it follows from the first step on
        except FileNotFoundError:  # gone since; the next tick sees that
            self._changes = _silent()
        except (OSError, UnicodeEncodeError) as error:
            raise LookalikeError(
                f"expected the system to tell what changes in {', '.join(there)}, received {error}; look every so "
                "many seconds instead, by poll= (`--poll SECONDS` on the command line)"
            ) from error

    def _identities(self) -> dict[str, Identity]:
        return {top: _identity(top) for top in (*self._tops(), self._own)}


def _identity(top: str) -> Identity:
    try:
        status = os.stat(top)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _silent() -> Generator[set[tuple[Change, str]], None, None]:
    """Tells nothing."""
    while True:
        time.sleep(STEP / 1000)
        yield set()
