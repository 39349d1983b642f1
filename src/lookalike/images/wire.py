"""The messages between the pool and its children: a length, then that many bytes.

    request    "!BBI" what, fit, side | the path's bytes
    reply      "!B" 0 | a failure's reason in UTF-8
               "!B" 1 | 32 bytes SHA-256, "!IIH" width, height, n, n bytes of facts, side * side * 3 bytes of RGB
                                                                                        for LOAD
               "!B" 1 | a JPEG file                                                             for THUMBNAIL

The parent trusts no length a child sends: each request has a largest reply.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from lookalike.images.facts import FACTS_BYTES, Fact, pack, unpack

if TYPE_CHECKING:  # the parent works without Pillow
    from lookalike.images.decode import Fit

LENGTH = struct.Struct("!I")
READY = b"ready"
"""A child's first message: its imports and limits stand."""

LOAD, THUMBNAIL = range(2)
FAILED, OK = b"\0", b"\1"
REASON_BYTES = 4096

FITS: tuple[Fit, ...] = ("squeeze", "crop", "pad", "seamless")
LARGEST_SIDE = 1 << 15
"""In pixels; the length of a reply of that many squared still fits `LENGTH`."""

_REQUEST = struct.Struct("!BBI")
_PICTURE = struct.Struct("!32sIIH")


class Request(NamedTuple):
    """What a child is asked for."""

    what: int
    path: bytes
    side: int
    fit: Fit

    def pack(self) -> bytes:
        return _REQUEST.pack(self.what, FITS.index(self.fit), self.side) + self.path

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        what, fit, side = _REQUEST.unpack_from(message)
        return cls(what, message[_REQUEST.size :], side, FITS[fit])

    @property
    def largest_reply(self) -> int:
        """In bytes; a JPEG never takes more than its pixels and a header."""
        return max(REASON_BYTES, _PICTURE.size + FACTS_BYTES + 3 * self.side**2 + 1024) + 1


class Picture(NamedTuple):
    """What a child answers to LOAD."""

    sha256: bytes
    width: int
    height: int
    facts: Mapping[str, Fact]
    pixels: bytes

    def pack(self) -> bytes:
        facts = pack(self.facts)
        return _PICTURE.pack(self.sha256, self.width, self.height, len(facts)) + facts + self.pixels

    @classmethod
    def unpack(cls, message: bytes, side: int) -> Picture:
        """ValueError where it is none of `side` pixels squared, or its facts are none."""
        if len(message) < _PICTURE.size:
            raise ValueError(f"expected a picture, received {len(message)} bytes")
        sha256, width, height, length = _PICTURE.unpack_from(message)
        end = _PICTURE.size + length
        facts, pixels = unpack(message[_PICTURE.size : end]), message[end:]
        if len(pixels) != 3 * side**2:
            raise ValueError(f"expected {3 * side**2} bytes of pixels, received {len(pixels)}")
        return cls(sha256, width, height, facts, pixels)
