"""Where a host is reached, and a connection to one of these places."""

from __future__ import annotations

import errno
import ipaddress
import os
import select
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import Any, NamedTuple

from lookalike.errors import PictureError
from lookalike.images.urls.clock import Clock

_MOST = 4  # places of one host that are tried


class Place(NamedTuple):
    """An address of IPv4 or IPv6, with a port, as the system writes them."""

    family: int
    address: tuple[Any, ...]

    @property
    def is_public(self) -> bool:
        """Whether it is on the internet, not in this machine's own network."""
        host = ipaddress.ip_address(self.address[0])
        inner = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
        return (inner or host).is_global


def connected(host: str, port: int, seconds: float, clock: Clock, public: bool) -> tuple[socket.socket, bool]:
    """A connection to the first place of a host that answers, and whether it is public.

    Args:
        seconds: for looking up the host, and again for all of its places.
        public: no other place will do.

    Raises:
        PictureError: it took too long, or no place is public.
        OSError: as the system says.
    """
    clock.begin(seconds, f"its host was not found within {seconds:g} s")
    places = [place for place in _look_up(host, port, clock) if place.is_public or not public][:_MOST]
    if not places:
        raise PictureError("leads from the internet to an address that is not on it")
    for place in places[:-1]:
        with suppress(OSError, PictureError):
            return _connect(place, seconds / len(places), clock), place.is_public
    return _connect(places[-1], seconds / len(places), clock), places[-1].is_public


def _look_up(host: str, port: int, clock: Clock) -> Sequence[Place]:
    """In a thread of its own, for the system takes its time, and nothing interrupts it."""
    found: Future[Sequence[Place]] = Future()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([Place(row[0], row[4]) for row in rows])
        except (OSError, ValueError) as error:
            found.set_exception(error)

    Thread(target=look_up, name="lookalike-resolver", daemon=True).start()
    while True:
        with clock.step() as step, suppress(TimeoutError):
            return found.result(step)


def _connect(place: Place, seconds: float, clock: Clock) -> socket.socket:
    clock.begin(seconds, f"no connection within {seconds:g} s")
    connection = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = connection.connect_ex(place.address)
        if code == errno.EINPROGRESS:
            _wait(connection, clock)
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        connection.close()
        raise
    return connection


def _wait(connection: socket.socket, clock: Clock) -> None:
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    ready: Sequence[tuple[int, int]] = ()
    while not ready:
        with clock.step() as step:
            ready = poll.poll(step * 1000)
