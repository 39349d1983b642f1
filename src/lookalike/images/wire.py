"""The messages between the pool and its children.

    request    "!7B6I" what, by data, fit, filter, exact, shorter is given, crop is given,
                       side, shorter, crop's x, y, width and height | the path's bytes, or the picture's
    reply      "!B" 0 | a failure's reason in UTF-8
               "!B" 1 | 32 bytes SHA-256, "!IIH" width, height, n, n bytes of facts, side * side * 3 bytes of RGB
                                                                                        for LOAD
               "!B" 1 | a JPEG file                                                             for THUMBNAIL

The parent trusts no length a child sends: each request has a largest reply.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import astuple
from typing import NamedTuple, get_args

from lookalike.fitting import Box, Filter, Fit, Input
from lookalike.images.facts import FACTS_BYTES, Fact, pack, unpack

LOAD, THUMBNAIL = range(2)
FAILED, OK = b"\0", b"\1"
REASON_BYTES = 4096

FITS: tuple[Fit, ...] = get_args(Fit)
FILTERS: tuple[Filter, ...] = get_args(Filter)

_REQUEST = struct.Struct("!7B6I")
_PICTURE = struct.Struct("!32sIIH")


class Request(NamedTuple):
    """What a child is asked for: of the picture at `path`, or where that is None, in `data`."""

    what: int
    path: bytes | None
    data: bytes
    input: Input
    crop: Box | None = None

    def pack(self) -> tuple[bytes, bytes]:
        """The message, in two parts."""
        input, crop = self.input, self.crop
        head = _REQUEST.pack(
            self.what,
            self.path is None,
            FITS.index(input.fit),
            FILTERS.index(input.filter),
            input.exact,
            input.shorter is not None,
            crop is not None,
            input.side,
            input.shorter or 0,
            *(astuple(crop) if crop else (0, 0, 0, 0)),
        )
        return head, self.data if self.path is None else self.path

    @classmethod
    def unpack(cls, message: bytes) -> Request:
        what, by_data, fit, filter, exact, shortened, cropped, side, shorter, *crop = _REQUEST.unpack_from(message)
        rest = message[_REQUEST.size :]
        input = Input(side, FITS[fit], shorter if shortened else None, FILTERS[filter], bool(exact))
        path, data = (None, rest) if by_data else (rest, b"")
        return cls(what, path, data, input, Box(*crop) if cropped else None)

    @property
    def largest_reply(self) -> int:
        """In bytes; a JPEG never takes more than its pixels and a header."""
        return max(REASON_BYTES, _PICTURE.size + FACTS_BYTES + 3 * self.input.side**2 + 1024) + 1


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
