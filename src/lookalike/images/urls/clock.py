"""What the picture of one URL may cost, and the time that it has left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lookalike.errors import PictureError

_STEP = 0.1  # seconds of waiting at once, after which whoever waits looks whether it is still wanted
_GAP = 1.0  # no more seconds are counted at once: this process may have been stopped meanwhile (Ctrl-Z)


@dataclass(frozen=True)
class FetchLimits:
    """What the picture of one URL may cost.

    Attributes:
        size: in bytes.
        seconds: from looking up its host to its last byte, through all redirects; not while it waits for others.
        connect: seconds for looking up a host, again for connecting to it, and again for its certificate.
        silence: seconds without a byte.
        redirects: so many at most are followed.
        patience: so many seconds at most a server may ask to be left alone (Retry-After), twice.
    """

    size: int = 64 << 20
    seconds: float = 120
    connect: float = 10
    silence: float = 20
    redirects: int = 5
    patience: float = 30


DEFAULT_LIMITS = FetchLimits()


class Clock:
    """The time that one URL has left, as a whole and for what it does now.

    Args:
        wanted: raises PictureError where nobody waits for the picture any more.
    """

    def __init__(self, seconds: float, wanted: Callable[[], None]) -> None:
        self._seconds = self._left = seconds
        self._left_now, self._otherwise = math.inf, ""
        self._wanted = wanted
        self._last = time.monotonic()

    def begin(self, seconds: float, otherwise: str) -> None:
        """From now on so many seconds, after which `otherwise` is the reason of the failure."""
        self._count()
        self._left_now, self._otherwise = seconds, otherwise

    def skip(self) -> None:
        """What has passed since the last step does not count."""
        self._last = time.monotonic()

    @contextmanager
    def step(self) -> Iterator[float]:
        """The seconds to wait at most, before another step.

        Raises:
            PictureError: no time is left, or the picture is not wanted any more.
        """
        self._wanted()
        self._count()
        if self._left <= 0:
            raise PictureError(f"took more than {self._seconds:g} s to fetch")
        if self._left_now <= 0:
            raise PictureError(self._otherwise)
        yield min(_STEP, self._left, self._left_now)
        self._count()

    def _count(self) -> None:
        now = time.monotonic()
        passed = min(now - self._last, _GAP)
        self._last = now
        self._left -= passed
        self._left_now -= passed
