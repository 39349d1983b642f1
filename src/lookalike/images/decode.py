"""Decoding: the bytes of one picture to a small square of RGB pixels.

Everything here happens in the calling process; `pool.py` does it in limited children.
NumPy is imported only where an array is made: a child works without it and starts in a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Box, Filter, Fit, Input
from lookalike.images.colour import flatten, orientation, to_srgb, upright
from lookalike.images.exif import exif_facts
from lookalike.images.facts import Fact
from lookalike.images.formats import DAMAGE, MAX_PIXELS, open_picture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DRAFT = 2  # a JPEG is decoded at no less than twice the size it is resized to
_REDUCE = 3.0  # shrink by whole numbers first, to no less than 3 times the size it is resized to
_QUALITY = 85
_EDGE = 64  # samples along an edge
_WHITE = 240  # and above, in each channel
_MOST_SCALED = 1 << 24  # pixels that are resized to be cut; of a longer strip only what is kept is made
_RESAMPLING: Mapping[Filter, Image.Resampling] = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
}


class Decoded(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: uint8, (side, side, 3), sRGB.
        width, height: the whole picture's, in pixels, after its orientation was applied.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


class Square(NamedTuple):
    """As `Decoded`, with the pixels as a Pillow image in mode RGB, and what EXIF says."""

    image: Image.Image
    width: int
    height: int
    facts: Mapping[str, Fact]


def decode(data: bytes, input: Input, max_pixels: int = MAX_PIXELS, crop: Box | None = None) -> Decoded:
    """Decodes a JPEG, PNG, WebP, GIF (first frame), TIFF (first page), BMP, AVIF or HEIC file.

    Alpha is laid over white, 16 bits are scaled to 8, an ICC profile is honoured, the orientation applied; the resize
    averages over what each pixel stands for. Pillow may warn of damaged metadata through `warnings`.

    Args:
        crop: the part of the upright picture that is looked at; all of it by default.

    Raises:
        PictureError: no picture, damaged, truncated, more than `max_pixels`, not to be decoded faithfully, or without
            that part.

    Example:
        >>> pixels, width, height = decode(Path("cat.jpg").read_bytes(), Input(224, "squeeze"))
    """
    square = decode_square(data, input, max_pixels, crop)
    return Decoded(_array(square.image), square.width, square.height)


def decode_square(data: bytes, input: Input, max_pixels: int = MAX_PIXELS, crop: Box | None = None) -> Square:
    """As `decode`, without NumPy."""
    image = open_picture(data, max_pixels)
    small, (width, height) = _shrink(image, input, crop, draft=True)
    return Square(_on_white(small, input.side), width, height, exif_facts(image))


def fit_image(image: Image.Image, input: Input, crop: Box | None = None) -> NDArray[np.uint8]:
    """The pixels of a Pillow image as `decode` makes them of a file: uint8, (side, side, 3).

    The image is not changed. A large JPEG differs by a level or two from the same file given to `decode`.

    Raises:
        PictureError: as `decode`.
    """
    small, _ = _shrink(image, input, crop, draft=False)
    return _array(_on_white(small, input.side))


def thumbnail(data: bytes, side: int, max_pixels: int = MAX_PIXELS, crop: Box | None = None) -> bytes:
    """A JPEG of a picture, or a part of it, over white, its longer side at most `side` pixels, without metadata.

    Smaller pictures keep their size.

    Raises:
        PictureError: as `decode`.
    """
    image = open_picture(data, max_pixels)
    longest = max(image.size if crop is None else (crop.width, crop.height))
    small, _ = _shrink(image, Input(min(side, longest), "pad"), crop, draft=True)
    file = BytesIO()
    small.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


class _Placement(NamedTuple):
    """The size a picture is resized to, and the part (left, top, right, bottom) that is kept of it."""

    size: tuple[int, int]
    box: tuple[float, float, float, float]


def _placement(size: tuple[int, int], side: int, fit: Fit) -> _Placement:
    width, height = size
    if fit == "crop":
        left, top = (width - min(size)) / 2, (height - min(size)) / 2
        return _Placement((side, side), (left, top, width - left, height - top))
    scale_x, scale_y = (side / max(size),) * 2 if fit == "pad" else (side / width, side / height)
    scaled = max(1, round(width * scale_x)), max(1, round(height * scale_y))
    return _Placement(scaled, (0, 0, width, height))


def _shrink(image: Image.Image, input: Input, crop: Box | None, *, draft: bool) -> tuple[Image.Image, tuple[int, int]]:
    """The picture in RGB, upright, resized but not padded; and its whole size, upright."""
    whole = image.size
    if 0 in whole:
        raise PictureError("a picture without pixels")
    profile = image.info.get("icc_profile")
    scale = 1.0
    try:
        if draft and not input.exact and crop is None:
            # what is seamless may be cropped, which takes more pixels
            fit: Fit = "crop" if input.fit == "seamless" else input.fit
            width, height = _placement(whole, input.shorter or input.side, fit).size
            drafted = image.draft(None, (width * _DRAFT, height * _DRAFT))
            # Not image.width / width: the last column may stand for less than a whole one.
            scale = drafted[1][2] / whole[0] if drafted else 1.0
        image.load()
        flat, turn = flatten(image), orientation(image)
        if crop is not None:
            flat, sideways = upright(flat, turn)
            flat = _cut(flat, crop)
            small = to_srgb(_resize(flat, flat.size, scale, input, profile), profile)
        else:
            small, sideways = upright(to_srgb(_resize(flat, whole, scale, input, profile), profile), turn)
        return small, whole[::-1] if sideways else whole
    except DAMAGE as error:
        raise PictureError(_damage(image, error)) from error


def _cut(image: Image.Image, crop: Box) -> Image.Image:
    right, lower = crop.x + crop.width, crop.y + crop.height
    if right > image.width or lower > image.height:
        raise PictureError(
            f"expected a part within its {image.width} x {image.height} pixels, received one from {crop.x}, {crop.y} "
            f"to {right}, {lower}"
        )
    return image.crop((crop.x, crop.y, right, lower))


def _resize(
    image: Image.Image, whole: tuple[int, int], scale: float, input: Input, profile: bytes | None
) -> Image.Image:
    """A picture of the size `whole`, of which `image` may be drafted at a smaller `scale`, resized but not padded."""
    fit, resample = input.fit, _RESAMPLING[input.filter]
    if fit == "seamless":
        fit = "pad" if _white_along_long_edges(image, profile) >= 0.5 else "crop"
    size, box = _placement(whole, input.side, fit)
    if input.shorter:
        scaled, (left, top) = _shorter(whole, input.side, input.shorter)
        if input.exact and scaled[0] * scaled[1] <= _MOST_SCALED:
            return image.resize(scaled, resample).crop((left, top, left + input.side, top + input.side))
        along_x, along_y = whole[0] / scaled[0], whole[1] / scaled[1]
        right, lower = left + input.side, top + input.side
        box = (left * along_x, top * along_y, right * along_x, lower * along_y)
    part = (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)
    return image.resize(size, resample, part, reducing_gap=None if input.exact else _REDUCE)


def _shorter(whole: tuple[int, int], side: int, shorter: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The size once the shorter edge is scaled, and the corner of the square in its middle, as torchvision rounds."""
    width, height = whole
    longer = shorter * max(whole) // min(whole)
    size = (shorter, longer) if width <= height else (longer, shorter)
    return size, (round((size[0] - side) / 2), round((size[1] - side) / 2))


def _white_along_long_edges(image: Image.Image, profile: bytes | None) -> float:
    """The share of nearly white among what lies within a 64th of either long edge, where `pad` would go on in white."""
    width, height = image.size
    deep = max(1.0, min(image.size) / _EDGE)
    boxes: tuple[tuple[float, float, float, float], ...]
    if width >= height:
        size, boxes = (_EDGE, 1), ((0, 0, width, deep), (0, height - deep, width, height))
    else:
        size, boxes = (1, _EDGE), ((0, 0, deep, height), (width - deep, 0, width, height))
    edges = (image.resize(size, Image.Resampling.BOX, box) for box in boxes)
    pixels = b"".join(to_srgb(edge, profile).tobytes() for edge in edges)
    return sum(min(pixels[i : i + 3]) >= _WHITE for i in range(0, len(pixels), 3)) / (2 * _EDGE)


def _on_white(image: Image.Image, side: int) -> Image.Image:
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _array(image: Image.Image) -> NDArray[np.uint8]:
    import numpy as np

    return np.array(image, dtype=np.uint8)


def _damage(image: Image.Image, error: Exception) -> str:
    kind = f"{image.format} file" if image.format else "picture"
    if "truncated" in str(error) or isinstance(error, EOFError):
        return f"a truncated {kind}"
    return f"a damaged {kind} ({error or type(error).__name__})"
