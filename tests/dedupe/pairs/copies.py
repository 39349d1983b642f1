"""Copies as they come about: sent by messengers, converted, made smaller, mirrored, cropped, recoloured, written on."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
from PIL import Image, ImageEnhance

from lookalike.images.compare.verdict import Change, Verdict

from .edits import sticker, text_line, watermark
from .pair import File, Pair, copies
from .saved import avif, camera_exif, fitted, jpeg, original, png, scaled, unpacked, webp
from .saved import edited as _saved
from .sources import Source, opened

SIBLINGS = 0.25
"""The share of copies that are made of the picture before the original was packed; `set_siblings` changes it."""
_siblings = SIBLINGS

SAME = (Verdict("same pixels"),)
RESIZED = (Verdict("resized or recompressed"),)
_ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def _picture(random: Random, source: Source | None) -> Image.Image | None:
    """The source at a size of 700 to 3,000 pixels where it is that large; None if it is tiny or nothing is in it."""
    picture = fitted(opened(source), random.choice((700, 1000, 1600, 2400, 3000)), random)
    pixels = np.asarray(picture.convert("L").resize((64, 64)), np.float32)
    return picture if pixels.std() > 12 and min(picture.size) >= 100 and max(picture.size) >= 320 else None


def set_siblings(share: float) -> None:
    """For the pairs that this process makes."""
    global _siblings
    _siblings = share


def _copied(name: str, make: Callable[[File, Image.Image, Random], Pair | None], *, counted: bool = True) -> None:
    """Lists a sort of copies: `make` is given the original's file, and the picture that the copy is made of.

    Mostly that is what the file shows. Else it is the picture before the file was packed: both are then exports of it.
    """

    def from_source(random: Random, source: Source | None) -> Pair | None:
        picture = _picture(random, source)
        if picture is None:
            return None
        file = original(picture, random)
        return make(file, picture if random.random() < _siblings else unpacked(file), random)

    copies(name, counted=counted)(from_source)


def other_container(_: File, picture: Image.Image, random: Random) -> Pair:
    return Pair(png(picture), webp(picture, 80, lossless=True), SAME)


def other_metadata(_: File, picture: Image.Image, random: Random) -> Pair:
    """One JPEG file with EXIF and without."""
    seed, quality = random.getrandbits(32), random.randint(70, 95)
    with_exif = jpeg(picture, quality, Random(seed), exif=camera_exif(random))
    return Pair(with_exif, jpeg(picture, quality, Random(seed)), SAME)


def exif_turn(_: File, picture: Image.Image, random: Random) -> Pair:
    """Pixels laid down in another direction, and EXIF that says so."""
    orientation = random.choice(list(_ORIENTATIONS))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return Pair(png(picture), png(picture.transpose(_ORIENTATIONS[orientation]), exif=exif), SAME)


def messenger(longest: int) -> Callable[[File, Image.Image, Random], Pair | None]:
    def make(file: File, picture: Image.Image, random: Random) -> Pair | None:
        sent = fitted(picture, longest, random)
        return Pair(file, jpeg(sent, random.randint(50, 70), random), RESIZED)

    return make


def to_webp(file: File, picture: Image.Image, random: Random) -> Pair:
    return Pair(file, webp(picture, random.randint(60, 90)), RESIZED)


def to_avif(file: File, picture: Image.Image, random: Random) -> Pair:
    return Pair(file, avif(picture, random.randint(45, 80), random), RESIZED)


def to_quarter(file: File, picture: Image.Image, random: Random) -> Pair:
    small = scaled(picture, 0.25, random)
    return Pair(file, _saved(small, random), RESIZED)


def recompressed(file: File, picture: Image.Image, random: Random) -> Pair:
    return Pair(file, jpeg(picture, random.randint(50, 92), random), RESIZED)


def enlarged(_: File, picture: Image.Image, random: Random) -> Pair:
    file = original(fitted(picture, 1200, random), random)
    return Pair(file, _saved(scaled(unpacked(file), random.uniform(1.2, 2), random), random), RESIZED)


def straightened(file: File, picture: Image.Image, random: Random) -> Pair:
    """Turned by a little, and cropped to what is whole."""
    angle = random.choice((-1, 1)) * random.uniform(1, 3)
    edge = round(0.055 * max(picture.size))
    turned = picture.rotate(angle, Image.Resampling.BICUBIC)
    other = turned.crop((edge, edge, picture.width - edge, picture.height - edge))
    right = (Verdict("altered", ("rotated", "cropped")), Verdict("altered", ("rotated",)))
    return Pair(file, _saved(other, random), right)


def mirrored(picture: Image.Image, random: Random) -> Image.Image | None:
    other = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return other if differs(picture, other) else None


def rotated(picture: Image.Image, random: Random) -> Image.Image | None:
    way = random.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    other = picture.transpose(way)
    return other if differs(picture, other) else None


def cropped(picture: Image.Image, random: Random) -> Image.Image:
    """Width and height lose 3 to 10 %, from one side or both; or one of them alone does."""
    lost = [random.uniform(0.03, 0.1), random.uniform(0.03, 0.1)]
    if random.random() < 0.4:
        lost[random.randrange(2)] = 0
    shares = [random.choice((0, 0.5, 1, random.random())) for _ in lost]
    width, height = picture.size
    left, top = (round(share * part * side) for share, part, side in zip(shares, lost, picture.size, strict=True))
    return picture.crop((left, top, left + round(width * (1 - lost[0])), top + round(height * (1 - lost[1]))))


def recoloured(picture: Image.Image, random: Random) -> Image.Image | None:
    """Lighter, darker, more or less contrast or colour, warmer, colder, grey, as phones do; None if none sees it."""
    other = _recoloured(picture, random)
    left, right = (np.asarray(one.resize((256, 256), Image.Resampling.BOX), np.int16) for one in (picture, other))
    change = np.abs(left - right).max(axis=2)
    return other if change.mean() >= 5 or (change >= 24).mean() >= 0.05 else None


def _recoloured(picture: Image.Image, random: Random) -> Image.Image:
    way = random.choice(("light", "contrast", "colour", "tint", "gamma", "grey"))
    factor = random.choice((random.uniform(0.65, 0.85), random.uniform(1.15, 1.4)))
    if way == "light":
        return ImageEnhance.Brightness(picture).enhance(factor)
    if way == "contrast":
        return ImageEnhance.Contrast(picture).enhance(factor)
    if way == "colour":
        return ImageEnhance.Color(picture).enhance(random.choice((random.uniform(0.2, 0.6), random.uniform(1.5, 2))))
    if way == "gamma":
        return picture.point([round(255 * (level / 255) ** factor) for level in range(256)] * 3)
    if way == "grey":
        return picture.convert("L").convert("RGB")
    warmth = random.choice((-1, 1)) * random.uniform(0.08, 0.2)
    gains = (1 + warmth, 1.0, 1 - warmth)
    return picture.point([min(255, round(level * gain)) for gain in gains for level in range(256)])


_CHANGES: dict[Change, Callable[[Image.Image, Random], Image.Image | None]] = {
    "cropped": cropped,
    "mirrored": mirrored,
    "rotated": rotated,
    "recoloured": recoloured,
}


def changed(*changes: Change) -> Callable[[File, Image.Image, Random], Pair | None]:
    """A picture and its copy after these changes, or after two different ones by chance."""

    def make(file: File, picture: Image.Image, random: Random) -> Pair | None:
        done = changes or tuple(random.sample(list(_CHANGES), 2))
        other: Image.Image | None = picture
        for change in done:
            if other is not None:
                other = _CHANGES[change](other, random)
        if other is None:
            return None
        if random.random() < 0.3:
            other = scaled(other, random.uniform(0.5, 0.9), random)
        return Pair(file, _saved(other, random), _names(done, picture, other))

    return make


def _names(done: tuple[Change, ...], picture: Image.Image, other: Image.Image) -> tuple[Verdict, ...]:
    """Mirrored and turned by 180 degrees is mirrored at another axis: then either name is right."""
    right = [Verdict("altered", done)]
    if set(done) == {"mirrored", "rotated"} and (picture.width < picture.height) == (other.width < other.height):
        right.append(Verdict("altered", ("mirrored",)))
    return tuple(right)


def differs(one: Image.Image, other: Image.Image) -> bool:
    """Whether a hundredth of the pixels of two pictures of the same or turned size differ by 40 levels or more."""
    left, right = (
        np.asarray(picture.convert("L").resize((256, 256), Image.Resampling.BOX), np.int16) for picture in (one, other)
    )
    return bool((np.abs(left - right) >= 40).mean() >= 0.01)


for _name, _make in (
    ("same pixels, PNG and lossless WebP", other_container),
    ("same pixels, metadata left out", other_metadata),
    ("same pixels, turned by EXIF", exif_turn),
    ("messenger, 1,600 at quality 50 to 70", messenger(1600)),
    ("messenger, 1,280 at quality 50 to 70", messenger(1280)),
    ("WebP", to_webp),
    ("AVIF", to_avif),
    ("resized to 25 %", to_quarter),
    ("JPEG again, quality 50 to 92", recompressed),
    ("mirrored", changed("mirrored")),
    ("rotated by quarters", changed("rotated")),
    ("cropped by 3 to 10 %", changed("cropped")),
    ("colours or brightness changed", changed("recoloured")),
    ("two of these at once", changed()),
    ("edited here: a line of text", text_line),
    ("edited here: a watermark", watermark),
    ("edited here: a sticker", sticker),
):
    _copied(_name, _make)
_copied("enlarged to 120 to 200 %", enlarged, counted=False)
_copied("straightened by 1 to 3 degrees", straightened, counted=False)
