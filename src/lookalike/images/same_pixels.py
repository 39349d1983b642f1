"""A hash that two pictures share only where their pixels are the same, got without decoding more than is anyway.

Of a JPEG it is that of the coded pixels and of what says how to decode them, so it costs no full decoding; of other
formats that of the decoded pixels. Two of one hash have the same pixels; two of different ones may still have.
"""

from __future__ import annotations

import hashlib
import re

from PIL import Image

from lookalike.images.colour import upright

_MARKER = re.compile(rb"\xff+([^\x00\xff])")  # ITU-T T.81, B.1.1
_ROWS = 256
_SOS, _COM = 0xDA, 0xFE
_APP0, _ICC, _ADOBE, _APP15 = 0xE0, 0xE2, 0xEE, 0xEF


def of_jpeg(data: bytes, turn: int) -> bytes:
    """The hash (32 bytes) of a JPEG file with this EXIF orientation: of all but what tells of the picture."""
    digest = hashlib.sha256(b"JPEG %d" % turn)
    position = 2
    while found := _MARKER.match(data, position):
        marker, start = found[1][0], found.end()
        if marker == _SOS:
            break
        position = start + max(2, int.from_bytes(data[start : start + 2], "big"))
        if marker == _APP0 and data.startswith(b"JFIF\0", start + 2):
            digest.update(b"JFIF")  # that it is there tells decoders the colour space; its density does not matter
        elif not _is_about(marker, data[start + 2 : position]):
            digest.update(data[start - 1 : position])
    digest.update(memoryview(data)[position:])  # the scans, and whatever is between and behind them
    return digest.digest()


def of_file(data: bytes) -> bytes:
    """The hash (32 bytes) of a file that holds more than the picture that is looked at."""
    return hashlib.sha256(b"file " + data).digest()


def of_decoded(image: Image.Image, turn: int) -> bytes:
    """The hash (32 bytes) of a decoded picture, with its transparency and colour profile, as it is seen upright."""
    alike = image
    if image.mode in ("1", "P", "PA") or (image.mode in ("L", "RGB") and image.has_transparency_data):
        alike = image.convert("RGBA" if image.has_transparency_data else "L" if image.mode == "1" else "RGB")
    if alike.mode == "RGBA" and alike.getchannel("A").getextrema() == (255, 255):
        alike = alike.convert("RGB")
    alike, _ = upright(alike, turn)
    digest = hashlib.sha256(f"{alike.mode} {alike.width} {alike.height} ".encode())
    digest.update(image.info.get("icc_profile") or b"")
    for top in range(0, alike.height, _ROWS):  # a copy of all would not fit into a decoder's memory
        digest.update(alike.crop((0, top, alike.width, min(top + _ROWS, alike.height))).tobytes())
    return digest.digest()


def _is_about(marker: int, content: bytes) -> bool:
    """Whether a segment tells of the picture, and not how to decode it: EXIF, XMP, thumbnails, comments."""
    if marker == _ICC:
        return not content.startswith(b"ICC_PROFILE\0")
    return marker == _COM or (_APP0 <= marker <= _APP15 and marker != _ADOBE)
