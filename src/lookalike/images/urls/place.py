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
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all of IPv6 that was given out for the internet (RFC 4291, section 2.4)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1; 64:ff9b:1::/48 is of a network's own (RFC 8215)

Host = ipaddress.IPv4Address | ipaddress.IPv6Address


class Place(NamedTuple):
    """An address of IPv4 or IPv6, with a port, as the system writes them."""

    family: int
    address: tuple[Any, ...]

    @property
    def is_public(self) -> bool:
        """Whether it is on the internet, not in this machine's own network."""
        host = _unwrapped(ipaddress.ip_address(self.address[0]))
        is_unicast = host in _UNICAST if host.version == 6 else not host.is_multicast
        return is_unicast and host.is_global  # which Teredo is not


def _unwrapped(host: Host) -> Host:
    """The address of IPv4 that one of IPv6 stands for, where it does: whoever connects to the one reaches the other."""
    if isinstance(host, ipaddress.IPv4Address):
        return host
    nat64 = ipaddress.IPv4Address(host.packed[-4:]) if host in _NAT64 else None
    return host.ipv4_mapped or nat64 or host.sixtofour or host


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
