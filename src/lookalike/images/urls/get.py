"""The picture at one URL: its bytes, through redirects and past busy servers, or why there are none."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from io import BytesIO

from lookalike.errors import PictureError
from lookalike.images.urls.address import Address, redirected
from lookalike.images.urls.clock import Clock, FetchLimits
from lookalike.images.urls.traffic import Traffic

_CHUNK = 64 << 10
_WAITS = 2  # for a server that is busy
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_ELSEWHERE = (301, 302, 303, 307, 308)


class Get:
    """The fetching of one picture, whose turn has this number."""

    def __init__(self, limits: FetchLimits, traffic: Traffic, turn: int) -> None:
        self._limits = limits
        self._traffic = traffic
        self._turn = turn
        self._clock = Clock(limits.seconds, traffic.check)
        self._waits = 0
        self._public = False  # what was on the internet once is not led into a private network

    def run(self, address: Address) -> bytes:
        """The content at an address.

        Raises:
            PictureError: none that can be taken.
        """
        try:
            for _ in range(self._limits.redirects + 1):
                answer = self._answer(address)
                if isinstance(answer, bytes):
                    return answer
                address = answer
        except (OSError, HTTPException, ValueError) as error:
            raise PictureError(_reason(error)) from error
        raise PictureError(f"leads on and on, to more than {self._limits.redirects} other addresses")

    def _answer(self, address: Address) -> bytes | Address:
        """The content at an address, or the one where it leads."""
        while True:
            used = False
            try:
                with self._traffic.connection(self._turn, address, self._clock, self._public) as connection:
                    used = connection.is_used
                    response = connection.ask(address, self._clock)
                    self._public |= connection.is_public
                    if not self._is_to_wait(response, address.host):
                        return self._taken(response, address)
            except ConnectionError:
                if not used:
                    raise
                self._traffic.drop(self._turn)  # its server had closed it: that says nothing of the picture

    def _is_to_wait(self, response: HTTPResponse, host: str) -> bool:
        """Whether the server is busy and says for how long; then its host is left alone by all."""
        seconds = _retry_after(response.headers["Retry-After"] or "") if response.status in _BUSY else None
        if seconds is None or self._waits == _WAITS:
            return False
        self._waits += 1
        self._traffic.rest(host, seconds)
        return True

    def _taken(self, response: HTTPResponse, address: Address) -> bytes | Address:
        location = response.headers["Location"]
        if response.status in _ELSEWHERE and location:
            try:
                return redirected(address, location)
            except PictureError as error:
                raise PictureError(f"leads to {error.path}: {error.reason}") from error
        if response.status != HTTPStatus.OK:
            raise PictureError(_named(response.status))
        if _packed(response):
            raise PictureError("its content is compressed, which was not asked for")
        return self._content(response)

    def _content(self, response: HTTPResponse) -> bytes:
        content, size = BytesIO(), response.length or 0
        if size <= self._limits.size:
            size = 0
            while size <= self._limits.size and (chunk := response.read(_CHUNK)):
                size += content.write(chunk)
                self._traffic.hold(self._turn, len(chunk))
                self._clock.skip()
        if size > self._limits.size:
            raise PictureError(f"is larger than {self._limits.size / (1 << 20):g} MiB")
        if response.length:
            raise PictureError(f"its server's answer ends {response.length:,} bytes early")
        return content.getvalue()


def _packed(response: HTTPResponse) -> bool:
    content, transfer = response.headers["Content-Encoding"], response.headers["Transfer-Encoding"]
    return (content or "identity").lower() != "identity" or (transfer or "chunked").lower() != "chunked"


def _named(status: int) -> str:
    with suppress(ValueError):
        return f"{status} {HTTPStatus(status).phrase}"
    return f"an answer of status {status}"


def _retry_after(text: str) -> float | None:
    """Seconds, given as such or as the time then; None where it is neither."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, one without zone, one that no clock shows
        return None


def _reason(error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"its server's certificate is refused ({error.verify_message})"
        case ssl.SSLError():
            return f"no secure connection to its server ({(error.reason or 'it broke').lower().replace('_', ' ')})"
        case socket.gaierror():
            return f"its host is not found ({error.strerror})"
        case IncompleteRead():
            return "its server's answer ends early"
        case OSError():
            return f"no connection to its server ({error.strerror or error})"
    return "its server's answer makes no sense"
