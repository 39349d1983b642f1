"""What the workers of one `fetch` share: whose turn it is, the connections, and the bytes that wait."""

from __future__ import annotations

import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from lookalike.errors import PictureError
from lookalike.images.urls.address import Address
from lookalike.images.urls.clock import Clock, FetchLimits
from lookalike.images.urls.connection import Connection

PER_HOST = 4
"""So many connections to one host at once, and one for the picture that is waited for."""

WAITING = 64 << 20
"""In bytes; beyond them only the picture that is waited for goes on."""


class Traffic:
    """Every picture has the number of its turn; the one whose turn it is waits for no other, lest all wait for ever."""

    def __init__(self, limits: FetchLimits, most_idle: int) -> None:
        self._limits = limits
        self._most_idle = most_idle
        self._trust = ssl.create_default_context()
        self._changed = Condition()  # guards all below
        self._ended = False
        self._turn = 0
        self._held: dict[int, int] = {}
        self._busy: Counter[str] = Counter()
        self._resting: dict[str, float] = {}
        self._idle: list[Connection] = []

    def end(self) -> None:
        """Let nobody wait any more: whoever is at work raises PictureError."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            for connection in self._idle:
                connection.close()

    def check(self) -> None:
        if self._ended:
            raise PictureError("not wanted any more")

    def hold(self, turn: int, size: int) -> None:
        """So many more bytes are held; returns when more may be."""
        with self._changed:
            self._held[turn] = self._held.get(turn, 0) + size
            self._changed.wait_for(lambda: self._ended or turn == self._turn or sum(self._held.values()) < WAITING)
        self.check()

    def drop(self, turn: int) -> None:
        """Its bytes are held no more."""
        with self._changed:
            self._held.pop(turn, None)
            self._changed.notify_all()

    def pass_on(self) -> None:
        """The picture whose turn it is has been taken."""
        with self._changed:
            self._turn += 1
        self.drop(self._turn - 1)

    def rest(self, host: str, seconds: float) -> None:
        """Leave a host alone for so long."""
        with self._changed:
            self._resting[host] = max(self._resting.get(host, 0), time.monotonic() + seconds)

    @contextmanager
    def connection(self, turn: int, address: Address, clock: Clock, public: bool) -> Iterator[Connection]:
        """A connection to the server of an address: one that is idle, or a new one.

        Raises:
            PictureError: its host wants to be left alone for longer than is waited; and as `Connection`.
        """
        self._enter(turn, address.host)
        try:
            clock.skip()
            connection = self._take(address, public) or Connection(address, self._limits, clock, self._trust, public)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._put_back(connection)
        finally:
            self._leave(address.host)

    def _enter(self, turn: int, host: str) -> None:
        with self._changed:
            while True:
                self.check()
                rest = self._resting.get(host, 0) - time.monotonic()
                if rest > self._limits.patience:
                    raise PictureError(f"its server wants to be left alone for {rest:.0f} s")
                if rest <= 0 and (turn == self._turn or self._busy[host] < PER_HOST):
                    break
                self._changed.wait(rest if rest > 0 else None)
            self._resting.pop(host, None)
            self._busy[host] += 1

    def _leave(self, host: str) -> None:
        with self._changed:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]
            self._changed.notify_all()

    def _take(self, address: Address, public: bool) -> Connection | None:
        with self._changed:
            for connection in self._idle[::-1]:
                if connection.origin == address[:3] and (connection.is_public or not public):
                    self._idle.remove(connection)
                    if connection.is_quiet:
                        return connection
                    connection.close()
        return None

    def _put_back(self, connection: Connection) -> None:
        with self._changed:
            if self._ended or not connection.is_free:
                connection.close()
                return
            self._idle.append(connection)
            if len(self._idle) > self._most_idle:
                self._idle.pop(0).close()
