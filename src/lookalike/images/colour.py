"""Colour: any mode of Pillow's to upright 8-bit sRGB over white.

Two steps, with the resize between them: `flatten` (what must be done to every pixel before pixels are mixed)
and `to_srgb` (what is cheaper on the few pixels that remain).
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageChops, ImageCms

from lookalike.errors import PictureError
from lookalike.images.formats import DAMAGE

_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF 6.0, section 8
_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_KEPT = 8  # transforms, each with two copies of its profile: memory that the next pictures do not have
_KEPT_BYTES = 4 << 20  # of a profile; those of printers have up to about 3 MiB
_ROUNDING = 2  # levels


def orientation(image: Image.Image) -> int:
    """The EXIF orientation of a loaded picture, 1 to 8; 1 when it has none, or one that means nothing."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except DAMAGE:
        return 1  # a damaged EXIF block leaves the pixels as they are
    return value if isinstance(value, int) and value in _UPRIGHT else 1


def upright(image: Image.Image, orientation: int) -> tuple[Image.Image, bool]:
    """The picture as its orientation wants it seen, and whether width and height changed places."""
    turn = _UPRIGHT.get(orientation)
    return (image, False) if turn is None else (image.transpose(turn), orientation >= 5)


def flatten(image: Image.Image) -> Image.Image:
    """8 bits a sample and no alpha: mode L, RGB, CMYK or LAB.

    Alpha is laid over white before any resize, else the colours hidden under it would bleed out.

    Raises:
        PictureError: pixels without a defined white (float, 32-bit integers).
    """
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "32-bit"
        raise PictureError(f"its {kind} pixels have no defined white; save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        return _over_white(image)
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """From a flat mode to RGB, by the embedded ICC profile where there is one of this mode; without metadata.

    Without a profile CMYK is taken for the complement of RGB, and the rest for sRGB.
    """
    transform = _transform(profile, image.mode) if profile else None
    rgb = image.convert("RGB") if transform is None else transform.apply(image)
    rgb.info.clear()  # else a thumbnail would carry the profile and comments on
    return rgb


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB; None when there is nothing to do or the profile is not fit for this mode."""
    return (_kept_transform if len(profile) <= _KEPT_BYTES else _new_transform)(profile, mode)


def _new_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACES.get(mode):
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, *DAMAGE):
        return None  # a damaged profile leaves the colours as they are


_kept_transform = lru_cache(maxsize=_KEPT)(_new_transform)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether the profile is that of sRGB but for rounding, whatever its name: tried on every level of every band."""
    bands = Image.getmodebands(mode)
    colours = bytes(level * (2 * band + 1) % 256 for level in range(256) for band in range(bands))
    image = Image.frombytes(mode, (256, 1), colours)
    difference = ImageChops.difference(transform.apply(image), image.convert("RGB"))
    return max(difference.tobytes()) <= _ROUNDING


def _over_white(image: Image.Image) -> Image.Image:
    """Gray stays gray, for a profile of gray."""
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    flat, alpha = ("L", "LA") if image.mode in ("1", "L", "LA") else ("RGB", "RGBA")
    if image.mode != alpha:  # else `convert` would copy it
        image = image.convert(alpha)
    white = Image.new(flat, image.size, "white")
    white.paste(image, mask=image)
    return white


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Gray of up to 16 bits, scaled to 8; Pillow's own conversion would clip everything above 255."""
    tags = getattr(image, "tag_v2", {})  # a TIFF's; 12 of 16 bits may be used, and 0 may be white
    white = 2 ** tags.get(_BITS_PER_SAMPLE, (16,))[0] - 1
    ramp = [min((value * 255 + white // 2) // white, 255) for value in range(1 << 16)]
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        ramp = [255 - level for level in ramp]
    transparent = image.info.get("transparency")  # one level of a PNG's
    if isinstance(transparent, int):
        ramp[transparent] = 255
    return image.convert("I").point(ramp, "L")
