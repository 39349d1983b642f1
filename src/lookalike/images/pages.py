"""How many pictures a file holds: the pages of a TIFF, the frames of an animation, the pictures of a HEIC burst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lookalike.images.facts import Fact
from lookalike.images.video import MEDIA

if TYPE_CHECKING:
    from PIL import Image

STANDS_FOR = frozenset(["media", "pages"])
"""The facts of a file that holds more than the picture that is looked at."""

MOST = 9999
"""No more are counted."""

_REDUCED, _MASK = 1, 4  # bits of the new subfile type (TIFF 6.0, section 8): no pages
_SUBFILE = 254
_IMAGE, _EXTENSION = 0x2C, 0x21  # of GIF89a


def stands_for(data: bytes, image: Image.Image) -> dict[str, Fact]:
    """The facts of a loaded picture that say so: two such files may be alike in what is looked at alone."""
    media, count = image.info.get(MEDIA), pages(data, image)
    return ({"media": media} if media else {}) | ({"pages": count} if count > 1 else {})


def pages(data: bytes, image: Image.Image) -> int:
    """At least 1, at most `MOST`. Of those the reader takes the first, and of HEIF the primary one.

    The second picture of a JPEG is what phones keep beside it, a map of brightness or depth: it is none.
    """
    if image.format == "GIF":
        return max(1, _frames_of_gif(data))
    if image.format == "TIFF":
        return max(1, _pages_of_tiff(data))
    if image.format in ("WEBP", "AVIF", "HEIF", "PNG"):
        return min(MOST, max(1, int(getattr(image, "n_frames", 1))))  # as their headers say
    return 1


def _frames_of_gif(data: bytes) -> int:
    """Its blocks are passed over, none is decoded (GIF89a, section 15 and those behind it)."""
    frames, at = 0, 13 + _table(data[10:11])
    while frames < MOST and at < len(data):
        if data[at] == _IMAGE:
            frames += 1
            at += 11 + _table(data[at + 9 : at + 10])
        elif data[at] == _EXTENSION:
            at += 2
        else:
            break
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return frames


def _table(packed: bytes) -> int:
    """The bytes of a table of colours, by what announces it."""
    return 3 << (packed[0] & 7) + 1 if packed and packed[0] & 0x80 else 0


def _pages_of_tiff(data: bytes) -> int:
    """Its main directories, without thumbnails and masks; of BigTIFF, too."""
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    big = 43 in data[2:4]
    width, head, entry = (8, 8, 20) if big else (4, 2, 12)  # bytes of an offset, of a count of entries, of an entry

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    found, at, seen = 0, number(8 if big else 4, width), set[int]()
    while at and at not in seen and len(seen) < MOST and at + head <= len(data):
        seen.add(at)
        count = number(at, head)
        # tags are in order, and this one is the first there can be
        kind = number(at + head + entry - width, 4) if number(at + head, 2) == _SUBFILE else 0
        found += not kind & (_REDUCED | _MASK)
        at = number(at + head + count * entry, width)
    return found
