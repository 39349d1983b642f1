"""A whole picture, decoded to be compared: its pixels, their hash, and how they were packed."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from lookalike.errors import PictureError
from lookalike.images.colour import flatten, orientation, to_srgb, upright
from lookalike.images.formats import DAMAGE, MAX_PIXELS, open_picture
from lookalike.images.pages import stands_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

KEPT_PIXELS = 16_000_000
"""Larger pictures are averaged by whole numbers until they have no more: two of them stay within memory."""

_ROWS = 256  # are hashed at a time, so that no second copy of a large picture is made
_LUMA, _CHROMA = 0, 1  # places of the components in a JPEG's frame header
_LOSSLESS_WEBP = b"VP8L"


class HoldsMoreError(PictureError):
    """A file of which more than a picture decides whether it is a copy: a video, a RAW file, one of several pages."""


class Encoding(NamedTuple):
    """How a picture was packed, as far as it tells what may have been lost.

    Attributes:
        format: by the name that Pillow gives it, such as "JPEG".
        lossy: whether this format, as it was used here, changes pixels.
        luma, chroma: a JPEG's quantisation tables of brightness and colour: 64 steps, rows of rising vertical
            frequency, as the upright picture has them; None for other formats.
        sampling: how a JPEG stores colours, by Pillow's numbers: 0 in full, 1 at half the width, 2 and half the height.
        corner: x and y, below 8, in the upright picture, where a block of the JPEG's grid begins.
    """

    format: str
    lossy: bool
    luma: tuple[int, ...] | None = None
    chroma: tuple[int, ...] | None = None
    sampling: int = 0
    corner: tuple[int, int] = (0, 0)


class Whole(NamedTuple):
    """A decoded picture, upright, in 8-bit sRGB over white.

    Attributes:
        pixels: uint8, (height, width, 3); of a picture of more than `KEPT_PIXELS` averages of 2 x 2, 3 x 3, … of them.
        width, height: of the upright picture in full.
        sha256: of the width, the height, and all pixels in full, with their transparency where there is some.
        encoding: how it was packed.
        over_black: its pixels over black, where it is transparent in places; what is white there is seen so.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    sha256: bytes
    encoding: Encoding
    over_black: NDArray[np.uint8] | None = None


def whole(data: bytes, max_pixels: int = MAX_PIXELS) -> Whole:
    """Decodes a whole picture: the first frame or page.

    Raises:
        PictureError: no picture of an allowed format, damaged, truncated, or of more than `max_pixels`.
        HoldsMoreError: the file holds more than this picture.
    """
    import numpy as np

    image = open_picture(data, max_pixels)
    if 0 in image.size:
        raise PictureError("a picture without pixels")
    try:
        image.load()
        if stands_for(data, image):
            raise HoldsMoreError("it holds more than the picture that is looked at: only its bytes tell a copy")
        turn = orientation(image)
        encoding = _encoding(image, data, turn)
        profile = image.info.get("icc_profile")
        alpha = _transparency(image)
        image, _ = upright(to_srgb(flatten(image), profile), turn)
        if alpha:
            alpha, _ = upright(alpha, turn)
    except DAMAGE as error:
        raise PictureError(f"a damaged picture ({error or type(error).__name__})") from error
    width, height = image.size
    digest = _digest(image, alpha)
    factor = math.ceil(math.sqrt(width * height / KEPT_PIXELS))
    if factor > 1:
        size = max(1, round(width / factor)), max(1, round(height / factor))
        image = image.resize(size, Image.Resampling.BOX)
        alpha = alpha and alpha.resize(size, Image.Resampling.BOX)
    pixels = np.array(image, dtype=np.uint8)
    return Whole(pixels, width, height, digest, encoding, None if alpha is None else _over_black(pixels, alpha))


def _transparency(image: Image.Image) -> Image.Image | None:
    """The alpha of a loaded picture that is not opaque everywhere."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _over_black(over_white: NDArray[np.uint8], alpha: Image.Image) -> NDArray[np.uint8]:
    """What of white shines through is taken away: over white c·a + 255·(1 − a), over black c·a."""
    import numpy as np

    white = 255 - np.asarray(alpha, np.uint8)[..., np.newaxis]
    return np.maximum(over_white, white) - white


def _digest(*images: Image.Image | None) -> bytes:
    digest = hashlib.sha256()
    for image in filter(None, images):
        digest.update(b"%d x %d\n" % image.size)
        for top in range(0, image.height, _ROWS):
            digest.update(image.crop((0, top, image.width, min(top + _ROWS, image.height))).tobytes())
    return digest.digest()


def _encoding(image: Image.Image, data: bytes, turn: int) -> Encoding:
    name = image.format or ""
    if name == "MPO":
        name = "JPEG"
    if name == "JPEG":
        return _jpeg_encoding(image, turn)
    if name == "WEBP":
        return Encoding(name, lossy=_LOSSLESS_WEBP not in data[12:64])
    lossy = name in ("AVIF", "HEIF") or (name == "TIFF" and "jpeg" in str(image.info.get("compression")))
    return Encoding(name, lossy)


def _jpeg_encoding(image: Image.Image, turn: int) -> Encoding:
    """Tables that belong to another space of colours than YCbCr or gray are left out: they say little of brightness."""
    tables, layers = getattr(image, "quantization", {}), getattr(image, "layer", [])
    if image.mode not in ("L", "RGB") or not tables or not layers:
        return Encoding("JPEG", lossy=True)
    picked = []
    for place in (_LUMA, _CHROMA):
        table = tables.get(layers[min(place, len(layers) - 1)][3])
        if table is None:
            return Encoding("JPEG", lossy=True)
        sideways = turn >= 5
        picked.append(tuple(int(table[8 * (i % 8) + i // 8 if sideways else i]) for i in range(64)))
    width, height = (image.height, image.width) if turn >= 5 else image.size
    # The grid begins at the stored picture's top left, which the orientation may bring to another corner.
    x = width % 8 if turn in (2, 3, 6, 7) else 0
    y = height % 8 if turn in (3, 4, 7, 8) else 0
    return Encoding("JPEG", True, picked[0], picked[1], _sampling(layers), (x, y))


def _sampling(layers: Sequence[tuple[int, int, int, int]]) -> int:
    """By the factors of the first component; those that Pillow cannot write are taken for the nearest that it can."""
    across, down = layers[0][1:3]
    return 0 if len(layers) == 1 or (across, down) == (1, 1) else 1 if down == 1 else 2
