"""A connection to the server of an address: no wait is longer than a clock allows, and every byte is counted."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from typing import TypeVar, cast

from lookalike import __version__
from lookalike.errors import PictureError
from lookalike.images.urls.address import Address
from lookalike.images.urls.clock import Clock, FetchLimits
from lookalike.images.urls.place import connected

T = TypeVar("T")

_HEAD = 64 << 10  # bytes of an answer before its content
_BUFFER = 64 << 10


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
        self._socket, self.is_public = connected(address.host, address.port, limits.connect, clock, public)
        if address.scheme == "https":
            try:
                self._secure(address.host, trust)
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

    def _secure(self, host: str, trust: ssl.SSLContext) -> None:
        self._socket = secure = trust.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._clock.begin(self._limits.connect, f"no secure connection within {self._limits.connect:g} s")
        self._patiently(secure.do_handshake)

    def _begin(self) -> None:
        self._clock.begin(self._limits.silence, f"its server was silent for {self._limits.silence:g} s")

    def _patiently(self, action: Callable[[], T]) -> T:
        while True:
            with self._clock.step() as seconds:
                self._socket.settimeout(seconds)
                with suppress(TimeoutError):  # the clock says whether that was all
                    return action()


class _Incoming(RawIOBase):
    """What a connection receives; closing this leaves the connection open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._connection.receive(buffer)


def _request(address: Address) -> bytes:
    lines = (
        f"GET {address.target} HTTP/1.1",
        f"Host: {address.authority}",
        f"User-Agent: lookalike/{__version__}",
        "Accept: image/*, */*;q=0.1",
        "Accept-Encoding: identity",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")
