"""The address of a picture on the web, in the one form in which it is kept, sent and shown."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from lookalike.errors import PictureError

LONGEST = 4096
"""In bytes; as long as a path."""

_PORTS = {"http": 80, "https": 443}
_WEB = re.compile("https?://", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_SAFE = "%/?:@!$&'()*+,;=[]~"  # beside letters, digits and -._ what RFC 3986 lets stand


class Address(NamedTuple):
    """A URL whose parts are ASCII without blanks; `str` gives it back in its one form.

    Attributes:
        scheme: "http" or "https".
        host: in lower case; one of IPv6 without its brackets.
        target: path and query, as they are asked for.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port, as the server is told them; the port is left out where the scheme says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def is_url(text: str) -> bool:
    """Whether a text begins with http:// or https://."""
    return _WEB.match(text) is not None


def normal(url: str) -> str:
    """The one form of a URL, by which its picture is known.

    Scheme and host are in lower case, the host in ASCII (IDNA), the scheme's own port and the fragment are left out,
    and what is no ASCII is percent-encoded: text as UTF-8, other bytes as they are. What was encoded stays so.

        >>> normal("HTTP://Example.com:80/Ä b.jpg#top")
        'http://example.com/%C3%84%20b.jpg'

    Raises:
        PictureError: it is none of http or https, has no host, a user name or a password, control characters or
            more than 4,096 bytes. Its path is the URL without what is secret.
    """
    return str(parse(url))


def parse(url: str) -> Address:
    """As `normal`, in its parts."""
    if len(url) > LONGEST:
        raise _refused(f"longer than {LONGEST:,} bytes", url)
    if not is_url(url) or _CONTROL.search(url):
        raise _refused("no URL of http or https, or one with control characters", url)
    try:
        parts = urlsplit(url)
        address = Address(parts.scheme, _host(parts.hostname or ""), parts.port or _PORTS[parts.scheme], _target(parts))
    except ValueError as error:
        raise _refused("a URL without the name of a host, or of no port", url) from error
    if parts.username is not None:
        raise _refused("a URL with a user name or a password, which would be kept and shown", url)
    if len(str(address)) > LONGEST:
        raise _refused(f"longer than {LONGEST:,} bytes when percent-encoded", url)
    return address


def redirected(address: Address, location: str) -> Address:
    """Where a header `Location`, each of whose characters is one byte, leads; PictureError as `normal`."""
    text = location.encode("latin-1").decode("utf-8", "surrogateescape")
    try:
        url = urljoin(str(address), text)
    except ValueError as error:
        raise _refused("no URL", text) from error
    return parse(url)


def without_secrets(url: str) -> str:
    """What may be a URL as it can be shown: without what may be a user name and a password, and not too long."""
    before, at, after = url.rpartition("@")
    shown = f"{before.partition('//')[0]}//…@{after}" if at else url
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


def _host(name: str) -> str:
    if ":" in name:
        return str(ipaddress.IPv6Address(name.partition("%")[0]))
    in_ascii = name if name.isascii() else name.encode("idna").decode("ascii")
    if not _HOST.match(in_ascii):
        raise ValueError("no name of a host")
    return in_ascii


def _target(parts: SplitResult) -> str:
    path, query = (quote(part, _SAFE, errors="surrogateescape") for part in (parts.path or "/", parts.query))
    return f"{path}?{query}" if query else path


def _refused(why: str, url: str) -> PictureError:
    return PictureError(why, without_secrets(url))
