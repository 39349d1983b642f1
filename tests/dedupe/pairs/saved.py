"""Pictures become files as programs write them: other formats, qualities, subsampling, sizes, filters, metadata."""

from __future__ import annotations

import io
from random import Random

from PIL import Image

from .pair import File

_FILTERS = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BICUBIC,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
)


def jpeg(picture: Image.Image, quality: int, random: Random, **more: object) -> File:
    """As one of many encoders would: with or without subsampled colours, progressive, optimised."""
    target = io.BytesIO()
    picture.convert("RGB").save(
        target,
        "JPEG",
        quality=quality,
        subsampling=random.choice((0, 1, 2, 2, 2)),
        progressive=random.random() < 0.4,
        optimize=random.random() < 0.5,
        **more,
    )
    return File(target.getvalue(), ".jpg")


def png(picture: Image.Image, **more: object) -> File:
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=1, **more)
    return File(target.getvalue(), ".png")


def webp(picture: Image.Image, quality: int, *, lossless: bool = False) -> File:
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=quality, lossless=lossless, exact=True, method=2)
    return File(target.getvalue(), ".webp")


def avif(picture: Image.Image, quality: int, random: Random) -> File:
    target = io.BytesIO()
    picture.save(target, "AVIF", quality=quality, speed=9, subsampling=random.choice(("4:2:0", "4:2:0", "4:4:4")))
    return File(target.getvalue(), ".avif")


def anyhow(picture: Image.Image, random: Random, lowest: int = 55) -> File:
    """In some format, at some quality that leaves 10-pixel letters legible."""
    way = random.random()
    if way < 0.25:
        return png(picture)
    if way < 0.35:
        return webp(picture, random.randint(max(lowest, 60), 95))
    return jpeg(picture, random.randint(lowest, 95), random)


def original(picture: Image.Image, random: Random) -> File:
    """What is there before anything is done to it: as cameras and drawing programs write it, now and then with EXIF."""
    if picture.mode == "RGBA" or random.random() < 0.3:
        return png(picture)
    more = {"exif": camera_exif(random)} if random.random() < 0.5 else {}
    return jpeg(picture, random.randint(85, 97), random, **more)


def unpacked(file: File) -> Image.Image:
    """What a file shows, without its metadata."""
    return Image.open(io.BytesIO(file.data)).convert("RGB")


def edited(picture: Image.Image, random: Random) -> File:
    """As somebody would save what he changed: mostly as JPEG, of 75 to 95."""
    way = random.random()
    if way < 0.2:
        return png(picture)
    return webp(picture, random.randint(75, 92)) if way < 0.3 else jpeg(picture, random.randint(75, 95), random)


def camera_exif(random: Random) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Kamera"
    exif[0x0110] = f"K-{random.randint(1, 99)}"
    exif[0x0132] = f"2024:0{random.randint(1, 9)}:1{random.randint(0, 9)} 12:00:00"
    return exif


def resized(picture: Image.Image, size: tuple[int, int], random: Random) -> Image.Image:
    """By one of the usual filters, or in two steps as some programs do."""
    if size == picture.size:
        return picture
    if size[0] < picture.width / 3 and random.random() < 0.3:
        half = (max(size[0], picture.width // 2), max(size[1], picture.height // 2))
        picture = picture.resize(half, Image.Resampling.BOX)
    # bilinear and box do not smooth where they enlarge: BOX would show squares
    enlarging = size[0] > picture.width
    return picture.resize(size, random.choice(_FILTERS[:2] if enlarging else _FILTERS))


def scaled(picture: Image.Image, factor: float, random: Random) -> Image.Image:
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return resized(picture, size, random)


def fitted(picture: Image.Image, longest: int, random: Random) -> Image.Image:
    """Made smaller, if it must be, so that neither side is longer than `longest`."""
    return scaled(picture, min(1.0, longest / max(picture.size)), random)
