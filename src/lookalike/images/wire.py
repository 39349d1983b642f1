"""The messages between the pool and its children.

    request    "!7B6I" what, by data, fit, filter, exact, shorter is given, crop is given,
                       side, shorter, crop's x, y, width and height | the path's bytes, or the picture's
    reply      "!B" 0 | a failure's reason in UTF-8
               "!B" 1 | 32 bytes SHA-256, "!IIH" width, height, n, 32 bytes of the hash of the pixels,
                        the thumbnail, n bytes of facts, side * side * 3 bytes of RGB
                        for each square                                                          for LOAD
               "!B" 1 | a JPEG file                                                             for THUMBNAIL
               "!B" 1 | 32 bytes SHA-256 of either file, JSON of a verdict                      for COMPARE

To COMPARE, the path is that of both files, with a zero byte between them.

The parent trusts no length a child sends: each request has a largest reply.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any, NamedTuple, get_args

from lookalike.fitting import MOST_SQUARES, Box, Filter, Fit, Input
from lookalike.images.compare.verdict import KINDS, Change, Region, Verdict
from lookalike.images.facts import FACTS_BYTES, Fact, pack, unpack
from lookalike.images.thumb import THUMB_BYTES

LOAD, THUMBNAIL, COMPARE = range(3)
FAILED, OK = b"\0", b"\1"
REASON_BYTES = 4096
HEIC_TIMES = 4
"""How many times as much CPU time as another picture a HEIC may take: it is decoded whole, 0.1 s a million pixels."""

FITS: tuple[Fit, ...] = get_args(Fit)
FILTERS: tuple[Filter, ...] = get_args(Filter)

_REQUEST = struct.Struct("!7B6I")
CHANGES: tuple[Change, ...] = get_args(Change)

_SHA256 = 32
_PICTURE = struct.Struct(f"!32sIIH32s{THUMB_BYTES}s")


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
        squares = MOST_SQUARES if self.input.fit == "squares" else 1
        return max(REASON_BYTES, _PICTURE.size + FACTS_BYTES + 3 * squares * self.input.side**2 + 1024) + 1


class Picture(NamedTuple):
    """What a child answers to LOAD."""

    sha256: bytes
    width: int
    height: int
    facts: Mapping[str, Fact]
    thumb: bytes
    same: bytes
    pixels: bytes

    def pack(self) -> bytes:
        facts = pack(self.facts)
        head = (self.sha256, self.width, self.height, len(facts), self.same, self.thumb)
        return _PICTURE.pack(*head) + facts + self.pixels

    @classmethod
    def unpack(cls, message: bytes, side: int) -> Picture:
        """ValueError where it is none of squares of `side` pixels, or its facts are none."""
        if len(message) < _PICTURE.size:
            raise ValueError(f"expected a picture, received {len(message)} bytes")
        sha256, width, height, length, same, thumb = _PICTURE.unpack_from(message)
        end = _PICTURE.size + length
        facts, pixels = unpack(message[_PICTURE.size : end]), message[end:]
        squares, rest = divmod(len(pixels), 3 * side**2)
        if rest or not 1 <= squares <= MOST_SQUARES:
            raise ValueError(f"expected squares of {3 * side**2} bytes of pixels, received {len(pixels)}")
        return cls(sha256, width, height, facts, thumb, same, pixels)


class Compared(NamedTuple):
    """What a child answers to COMPARE: of what bytes it speaks, and what it says."""

    sha256: bytes
    other_sha256: bytes
    verdict: Verdict

    def pack(self) -> bytes:
        return self.sha256 + self.other_sha256 + json.dumps(self.verdict).encode()

    @classmethod
    def unpack(cls, message: bytes) -> Compared:
        """ValueError where it is none."""
        return cls(message[:_SHA256], message[_SHA256 : 2 * _SHA256], verdict_of(json.loads(message[2 * _SHA256 :])))


def verdict_of(fields: Any) -> Verdict:
    """A verdict that was JSON; ValueError where it is none."""
    try:
        kind, changes, place = fields
        if kind in KINDS and set(changes) <= set(CHANGES):
            return Verdict(kind, tuple(changes), None if place is None else Region(*map(float, place)))
    except TypeError as error:
        raise ValueError(f"expected a verdict, received {fields!r:.80}") from error
    raise ValueError(f"expected a verdict, received {fields!r:.80}")
