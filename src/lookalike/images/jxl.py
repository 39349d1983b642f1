"""JPEG XL (ISO/IEC 18181): how large a picture is, before its reader, which decodes at once, ever sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lookalike.errors import PictureError
from lookalike.images.extras import JXL

if TYPE_CHECKING:
    from PIL import Image

CODESTREAM = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"

_ORIENTATION = 0x0112
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_BITS = (9, 13, 18, 30)  # of a size
_MOST_BOXES = 1000


def size(data: bytes) -> tuple[int, int]:
    """Width and height by the header (18181-1, section C.3, and 18181-2 of the container); 0, 0 where it has none."""
    stream = data[:64] if data.startswith(CODESTREAM) else _codestream(data)
    if not stream.startswith(CODESTREAM) or len(stream) < 16:
        return 0, 0
    bits = int.from_bytes(stream[2:16], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    def length(small: int) -> int:
        return 8 * (1 + take(5)) if small else 1 + take(_BITS[take(2)])

    small = take(1)
    height = length(small)
    ratio = take(3)
    if not ratio:
        return length(small), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def load_reader() -> None:
    """PictureError where the reader is not installed."""
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError as error:
        raise PictureError(JXL.missing) from error
    JpegXLImagePlugin.DECODE_THREADS = 0  # the pool uses each core already; a thread's stack costs memory


def forget_orientation(image: Image.Image) -> None:
    """The pixels are upright, whatever EXIF says (18181-2, section 9.4), but for those of a JPEG that was packed."""
    if not getattr(image, "jpeg", False):
        image.getexif().pop(_ORIENTATION, None)


def _codestream(data: bytes) -> bytes:
    """The beginning of what is in the container."""
    return next((body for kind, body in _boxes(data) if kind == b"jxlc" or (kind == b"jxlp" and body)), b"")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each box of a container, with where it begins (ISO/IEC 14496-12, section 4.2)."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 16 > len(data):
            return
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        start = at + head + (4 if kind == b"jxlp" else 0)  # behind its number
        yield kind, data[start : start + 64]
        if length < head:  # 0: up to the end
            return
        at += length
