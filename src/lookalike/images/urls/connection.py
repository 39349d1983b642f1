"""A connection to the server of an address: no wait is longer than a clock allows, and every byte is counted."""

from __future__ import annotations

import errno
import ipaddress
import os
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from threading import Thread
from typing import Any, NamedTuple, TypeVar, cast

from lookalike import __version__
from lookalike.errors import PictureError
from lookalike.images.urls.address import Address
from lookalike.images.urls.clock import Clock, FetchLimits

T = TypeVar("T")

_HEAD = 64 << 10  # bytes of an answer before its content
_BUFFER = 64 << 10
_MOST_PLACES = 4  # of one host that are tried


class Connection:
    """An open one, which is to be asked for one address at a time.

    Args:
        public: only a server on the internet will do.

    Attributes:
        origin: scheme, host and port.
        is_public: whether its server is one on the internet.
        is_used: whether it was asked before.

    Raises:
        PictureError: it took too long, or the server is not public.
        OSError: as the system says.
    """

    def __init__(
        self, address: Address, limits: FetchLimits, clock: Clock, trust: ssl.SSLContext, public: bool
    ) -> None:
        self.origin = address[:3]
        self._limits = limits
        self._clock = clock
        self._left = 0  # bytes that may still come
        self._response: HTTPResponse | None = None
        self.is_used = False
        too_slow = f"no connection within {limits.connect:g} s"
        clock.begin(limits.connect, too_slow)
        places = [place for place in _look_up(address, clock) if place.is_public or not public][:_MOST_PLACES]
        if not places:
            raise PictureError("leads from the internet to an address that is not on it")
        self._socket, self.is_public = _connected(places, clock, limits.connect / len(places), too_slow)
        try:
            if address.scheme == "https":
                secure = trust.wrap_socket(self._socket, server_hostname=address.host, do_handshake_on_connect=False)
                self._socket = secure
                clock.begin(limits.connect, too_slow)
                self._patiently(secure.do_handshake)
        except BaseException:
            self.close()
            raise

    def ask(self, address: Address, clock: Clock) -> HTTPResponse:
        """The head of the answer; its content is still to be read.

        Raises:
            PictureError: it takes too long, or is longer than it may be, now or while it is read.
            OSError, HTTPException, ValueError: it breaks off, or makes no sense.
        """
        self._clock, self._response, self.is_used = clock, None, True
        self._begin()
        request = memoryview(_request(address))
        while request:
            request = request[self._patiently(partial(self._socket.send, request)) :]
        self._left = _HEAD
        self._response = HTTPResponse(cast(socket.socket, self))
        self._response.begin()
        self._left = 2 * self._limits.size + _HEAD  # what chunks take beside the content is less, but in a flood
        return self._response

    @property
    def is_free(self) -> bool:
        """Whether its answer has been read to its end, and the server takes another question."""
        response = self._response
        return response is not None and not response.will_close and (response.isclosed() or response.length == 0)

    @property
    def is_quiet(self) -> bool:
        """Whether its server has neither closed it nor sent what nobody asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._socket.close()

    def makefile(self, mode: str) -> BufferedReader:  # noqa: ARG002 (what HTTPResponse asks of a socket)
        return BufferedReader(_Incoming(self), _BUFFER)

    def receive(self, buffer: memoryview) -> int:
        if self._left <= 0:
            raise PictureError("its server sends too much beside the picture")
        self._begin()
        count = self._patiently(partial(self._socket.recv_into, buffer))
        self._left -= count
        return count

    def _begin(self) -> None:
        self._clock.begin(self._limits.silence, f"its server was silent for {self._limits.silence:g} s")

    def _patiently(self, action: Callable[[], T]) -> T:
        while True:
            with self._clock.step() as seconds:
                self._socket.settimeout(seconds)
                try:
                    return action()
                except TimeoutError:
                    pass  # the clock says whether that was all


class _Incoming(RawIOBase):
    """What a connection receives; closing this leaves the connection open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._connection.receive(buffer)


class _Place(NamedTuple):
    """Where a host is reached."""

    family: int
    address: tuple[Any, ...]  # begins with an IP address and a port

    @property
    def is_public(self) -> bool:
        host = ipaddress.ip_address(self.address[0])
        inner = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
        return (inner or host).is_global


def _look_up(address: Address, clock: Clock) -> Sequence[_Place]:
    """In a thread of its own, for the system takes its time, and nothing interrupts it."""
    found: Future[Sequence[_Place]] = Future()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
            found.set_result([_Place(row[0], row[4]) for row in rows])
        except (OSError, ValueError) as error:
            found.set_exception(error)

    Thread(target=look_up, name="lookalike-resolver", daemon=True).start()
    while True:
        with clock.step() as seconds:
            try:
                return found.result(seconds)
            except TimeoutError:
                pass


def _connected(places: Sequence[_Place], clock: Clock, seconds: float, otherwise: str) -> tuple[socket.socket, bool]:
    """The first place that answers, each within so many seconds, and whether it is public."""
    for number, place in enumerate(places, 1):
        clock.begin(seconds, otherwise)
        connection = socket.socket(place.family, socket.SOCK_STREAM)
        try:
            _connect(connection, place, clock)
            return connection, place.is_public
        except BaseException as error:
            connection.close()
            if number == len(places) or not isinstance(error, OSError | PictureError):
                raise
    raise AssertionError("no place was given")


def _connect(connection: socket.socket, place: _Place, clock: Clock) -> None:
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    code = connection.connect_ex(place.address)
    if code == errno.EINPROGRESS:
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        while True:
            with clock.step() as seconds:
                if poll.poll(seconds * 1000):
                    break
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def _request(address: Address) -> bytes:
    lines = (
        f"GET {address.target} HTTP/1.1",
        f"Host: {address.authority}",
        f"User-Agent: lookalike/{__version__}",
        "Accept: image/*, */*;q=0.1",
        "Accept-Encoding: identity",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")
