"""Decoding: the bytes of one picture to a small square of RGB pixels.

Everything here happens in the calling process; `pool.py` does it in limited children.
NumPy is imported only where an array is made: a child works without it and starts in a third of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Box, Filter, Fit, Input, count_squares
from lookalike.images.bars import without_bars
from lookalike.images.colour import flatten, orientation, to_srgb, upright
from lookalike.images.exif import exif_facts
from lookalike.images.facts import Fact
from lookalike.images.formats import DAMAGE, MAX_PIXELS, open_picture
from lookalike.images.jpeg_damage import is_damaged
from lookalike.images.pages import STANDS_FOR, stands_for
from lookalike.images.same_pixels import of_decoded, of_file, of_jpeg
from lookalike.images.thumb import SIDE as THUMB_SIDE
from lookalike.images.thumb import thumb_of
from lookalike.images.video import SAID

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
        pixels: uint8, (side, side, 3), sRGB; by the fit "squares" perhaps several of them, one below the other.
        width, height: the whole picture's, in pixels, after its orientation was applied.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


class Square(NamedTuple):
    """As `Decoded`, with the pixels as a Pillow image in mode RGB, and the facts by the names of `facts.FACTS`.

    Attributes:
        thumb: the whole picture in small, as `thumb_of`.
        same: a hash that is equal only where all pixels are (`same_pixels`).
    """

    image: Image.Image
    width: int
    height: int
    facts: Mapping[str, Fact]
    thumb: bytes
    same: bytes


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


def decode_square(
    data: bytes,
    input: Input,
    max_pixels: int = MAX_PIXELS,
    crop: Box | None = None,
    frame: Image.Image | None = None,
) -> Square:
    """As `decode`, without NumPy; also of the `frame` of a video, whose hash stands for its `data`."""
    image = frame or open_picture(data, max_pixels, draft=True)
    shrunk = _shrink(image, input, crop, max_pixels, draft=True)
    width, height = shrunk.whole
    facts = exif_facts(image) | image.info.get(SAID, {}) | stands_for(data, image)
    if is_damaged(data):
        facts["damaged"] = True
    turn = orientation(image)
    try:
        if facts.keys() & STANDS_FOR:
            same = of_file(data)
        else:
            same = of_jpeg(data, turn) if data.startswith(b"\xff\xd8") else of_decoded(image, turn)
    except DAMAGE as error:
        raise PictureError(_damage(image, error)) from error
    return Square(_column(shrunk.images, input.side), width, height, facts, shrunk.thumb, same)


def fit_image(image: Image.Image, input: Input, crop: Box | None = None) -> NDArray[np.uint8]:
    """The pixels of a Pillow image as `decode` makes them of a file.

    The image is not changed. A large JPEG differs by a level or two from the same file given to `decode`.

    Raises:
        PictureError: as `decode`.
    """
    return _array(_column(_shrink(image, input, crop, MAX_PIXELS, draft=False).images, input.side))


def thumbnail(
    data: bytes,
    side: int,
    max_pixels: int = MAX_PIXELS,
    crop: Box | None = None,
    frame: Image.Image | None = None,
) -> bytes:
    """A JPEG of a picture, or a part of it, over white, its longer side at most `side` pixels, without metadata.

    Smaller pictures keep their size.

    Args:
        frame: of a video, instead of `data`.

    Raises:
        PictureError: as `decode`.
    """
    image = frame or open_picture(data, max_pixels, draft=True)
    longest = max(image.size if crop is None else (crop.width, crop.height))
    (small,) = _shrink(image, Input(min(side, longest), "pad"), crop, max_pixels, draft=True).images
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


class _Shrunk(NamedTuple):
    """A picture in RGB, upright, resized but not padded; its whole size, and a thumbnail of all of it, upright.

    By the fit "squares" it may be several parts of it.
    """

    images: list[Image.Image]
    whole: tuple[int, int]
    thumb: bytes


def _shrink(image: Image.Image, input: Input, crop: Box | None, max_pixels: int, *, draft: bool) -> _Shrunk:
    """Of one of more than `max_pixels` no more are decoded: it is drafted, also for a part, or for exact pixels."""
    whole = image.size
    if 0 in whole:
        raise PictureError("a picture without pixels")
    profile = image.info.get("icc_profile")
    try:
        scale = _draft(image, input, crop, max_pixels) if draft else 1.0
        image.load()
        flat, turn = flatten(image), orientation(image)
        squeezed = to_srgb(flat.resize((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BILINEAR), profile)
        thumb = thumb_of(upright(squeezed, turn)[0])
        if crop is not None:
            flat, sideways = upright(flat, turn)
            flat = _cut(flat, whole[::-1] if sideways else whole, scale, crop)
            images = [to_srgb(each, profile) for each in _resized(flat, flat.size, 1.0, input, profile)]
        else:
            turned = [upright(to_srgb(each, profile), turn) for each in _resized(flat, whole, scale, input, profile)]
            images, sideways = [each for each, _ in turned], turned[0][1]
        return _Shrunk(images, whole[::-1] if sideways else whole, thumb)
    except DAMAGE as error:
        raise PictureError(_damage(image, error)) from error


def _draft(image: Image.Image, input: Input, crop: Box | None, max_pixels: int) -> float:
    """Let a JPEG be decoded at a smaller size where that is enough, and say at which share of its own."""
    width, height = image.size
    needed = image.size
    if not input.exact and crop is None:
        # what is seamless may be cropped, which takes more pixels
        fit: Fit = "crop" if input.fit in ("seamless", "squares") else input.fit
        size = _placement(image.size, input.shorter or input.side, fit).size
        needed = size[0] * _DRAFT, size[1] * _DRAFT
    if width * height > max_pixels:
        needed = min(needed[0], width // 2), min(needed[1], height // 2)
    drafted = image.draft(None, needed)
    # Not image.width / width: the last column may stand for less than a whole one.
    return drafted[1][2] / width if drafted else 1.0


def _cut(image: Image.Image, whole: tuple[int, int], scale: float, crop: Box) -> Image.Image:
    """A part of a picture of the size `whole`, of which `image` is at `scale`."""
    right, lower = crop.x + crop.width, crop.y + crop.height
    if right > whole[0] or lower > whole[1]:
        raise PictureError(
            f"expected a part within its {whole[0]} x {whole[1]} pixels, received one from {crop.x}, {crop.y} "
            f"to {right}, {lower}"
        )
    left, top = int(crop.x * scale), int(crop.y * scale)
    right, lower = max(left + 1, round(right * scale)), max(top + 1, round(lower * scale))
    return image.crop((left, top, right, lower))


def _resized(
    image: Image.Image, whole: tuple[int, int], scale: float, input: Input, profile: bytes | None
) -> list[Image.Image]:
    """As `_resize`; by the fit "squares" one or more."""
    if input.fit != "squares":
        return [_resize(image, whole, scale, input, profile)]
    if _white_along_long_edges(image, profile) >= 0.5:
        return [_resize(image, whole, scale, replace(input, fit="pad"), profile)]
    found = without_bars(image, profile)
    left, top, right, bottom = found or (0, 0, whole[0] * scale, whole[1] * scale)
    width, height = right - left, bottom - top
    edge, count = min(width, height), count_squares(width, height)
    images = []
    for number in range(count):
        share = number / (count - 1) if count > 1 else 0.5
        x, y = left + share * (width - edge), top + share * (height - edge)
        box = (x, y, min(x + edge, image.width), min(y + edge, image.height))
        size = (input.side, input.side)
        images.append(image.resize(size, _RESAMPLING[input.filter], box, reducing_gap=None if input.exact else _REDUCE))
    return images


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


def _column(images: list[Image.Image], side: int) -> Image.Image:
    """The squares below each other."""
    if len(images) == 1:
        return _on_white(images[0], side)
    column = Image.new("RGB", (side, side * len(images)))
    for number, image in enumerate(images):
        column.paste(image, (0, side * number))
    return column


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
