"""JPEG (ITU-T T.81): what the header says of how it must be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
_FRAMES = frozenset([0xC0, 0xC1, 0xC2, 0xC9, 0xCA])  # those that libjpeg decodes; the others are lossless or unused
_SEQUENTIAL = (0xC0, 0xC1)  # by Huffman codes, as all others that are in use
_ALONE = frozenset([0x01, *range(0xD0, 0xD8)])  # markers without a length
_MOST_SEGMENTS = 2000
_BLOCK = 64  # samples, for which there is one code at least, of a bit or more


class Header(NamedTuple):
    """How a picture is coded.

    Attributes:
        held: the bytes of its coefficients, two for each sample, where they must be held whole to be decoded, as those
            of a progressive one; 0 of one that is decoded row by row.
    """

    width: int
    height: int
    held: int

    @property
    def least_bytes(self) -> int:
        """No fewer can hold so many pixels."""
        return self.width * self.height // _BLOCK // 8


def header(data: bytes, start: int = 0) -> Header | None:
    """What a JPEG that begins at `start` says up to its first scan; None where that is damaged, or is
    of a kind that nothing here decodes."""
    frame, about = 0, b""
    for marker, body in _segments(data, start):
        if marker in _FRAMES and len(body) >= 6 + 3 * body[5] > 6 and not frame:
            frame, about = marker, body
        elif marker == _SCAN and frame and body:
            width, height = int.from_bytes(about[3:5], "big"), int.from_bytes(about[1:3], "big")
            in_one_pass = frame in _SEQUENTIAL and body[0] == about[5]
            return Header(width, height, 0 if in_one_pass else 2 * int(width * height * _samples(about)))
    return None


def _samples(frame: bytes) -> float:
    """How many there are for a pixel: 3 without subsampling, 1.5 as most are."""
    factors = [(frame[at] >> 4 or 1, frame[at] & 15 or 1) for at in range(7, 7 + 3 * frame[5], 3)]
    whole = max(across for across, _ in factors) * max(down for _, down in factors)
    return sum(across * down for across, down in factors) / whole


def _segments(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The segments of a header, as marker and body, up to the first scan."""
    if data[start : start + 2] != bytes([0xFF, _START]):
        return
    at = start + 2
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            return
        while data[at : at + 1] == b"\xff":  # fill bytes
            at += 1
        marker = int.from_bytes(data[at : at + 1], "big")
        at += 1
        if marker in _ALONE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if marker == _END or length < 2 or at + length > len(data):
            return
        yield marker, data[at + 2 : at + length]
        if marker == _SCAN:
            return
        at += length
