"""Photographs that show nearly the same: bursts, two cameras, panoramas with other ends, a thing moved or gone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from .pair import Pair, different
from .saved import anyhow, fitted, scaled
from .sources import Source, opened
from .twice import saved_pair


@different("panoramas with their ends exchanged, of drawings", "drawing")
@different("panoramas with their ends exchanged", "photo")
def exchanged_ends(random: Random, source: Source | None) -> Pair | None:
    panorama = _panorama(random, source)
    width, height = panorama.size
    end = round((width - height) / 2 * random.uniform(0.7, 1))
    other = panorama.copy()
    other.paste(panorama.crop((width - end, 0, width, height)), (0, 0))
    other.paste(panorama.crop((0, 0, end, height)), (width - end, 0))
    if alike(panorama, other):
        return None
    return saved_pair(panorama, other, random, smallest=0.3)


@different("panoramas with one other end", "photo")
def other_end(random: Random, source: Source | None) -> Pair | None:
    """The end is that of the picture turned by 180 degrees."""
    panorama = _panorama(random, source)
    end = round((panorama.width - panorama.height) / 2 * random.uniform(0.5, 1))
    other = panorama.copy()
    other.paste(panorama.crop((0, 0, end, panorama.height)).transpose(Image.Transpose.ROTATE_180), (0, 0))
    if alike(panorama, other):
        return None
    return saved_pair(panorama, other, random, smallest=0.3)


def _panorama(random: Random, source: Source | None) -> Image.Image:
    picture = opened(source)
    height = min(picture.height, round(picture.width / random.uniform(2.2, 4)))
    top = random.randint(0, picture.height - height)
    return picture.crop((0, top, picture.width, top + height))


@different("photos, a thing moved", "photo")
def moved(random: Random, source: Source | None) -> Pair | None:
    """A piece of the picture lies elsewhere in it, with soft edges: a fifteenth to an eighth as wide as the picture."""
    picture = fitted(opened(source), random.choice((800, 1280, 2000)), random)
    return _with_patch(picture, random, noise=0)


@different("bursts (simulated: a thing moved, the hand by a few pixels, new noise)", "photo")
def burst(random: Random, source: Source | None) -> Pair | None:
    picture = fitted(opened(source), random.choice((800, 1280, 2000)), random)
    return _with_patch(picture, random, noise=random.uniform(2, 5))


def _with_patch(picture: Image.Image, random: Random, noise: float) -> Pair | None:
    other = patched(picture, random)
    if other is None:
        return None
    if noise:
        width, height = picture.width - 6, picture.height - 6
        left, top = random.randint(0, 6), random.randint(0, 6)
        picture = _noisy(picture.crop((3, 3, 3 + width, 3 + height)), random, noise)
        other = _noisy(other.crop((left, top, left + width, top + height)), random, noise)
    return saved_pair(picture, other, random, smallest=0.5)


def patched(picture: Image.Image, random: Random) -> Image.Image | None:
    """A copy in which a piece of it lies elsewhere, too; None if it is not seen there."""
    size = round(picture.width / random.uniform(8, 15))
    if picture.height < 3 * size:
        return None
    x, y = random.randint(8, picture.width - size - 8), random.randint(8, picture.height - size - 8)
    to = (random.randint(8, picture.width - size - 8), random.randint(8, picture.height - size - 8))
    mask = Image.new("L", (size, size), 0)
    mask.paste(255, (size // 8, size // 8, size - size // 8, size - size // 8))
    other = picture.copy()
    other.paste(picture.crop((x, y, x + size, y + size)), to, mask.filter(ImageFilter.GaussianBlur(size / 20)))
    return None if alike(picture, other) else other


def _noisy(picture: Image.Image, random: Random, spread: float) -> Image.Image:
    chance = np.random.default_rng(random.getrandbits(32))
    pixels = np.asarray(picture, np.float32) + chance.normal(0, spread, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether a person may well see no difference: fewer than a thousandth of all pixels differ by 40 levels."""
    size = (max(1, one.width // 2), max(1, one.height // 2))
    left, right = (
        np.asarray(picture.convert("L").resize(size, Image.Resampling.BOX), np.int16) for picture in (one, other)
    )
    return bool((np.abs(left - right) >= 40).mean() < 0.001)


@different("bursts: frames of a video 0.2 s apart", "video")
def frames(random: Random, source: Source | None) -> Pair | None:
    assert source is not None
    rate, pictures = _frames(source)
    apart = max(1, round(rate * 0.2))
    at = random.randrange(len(pictures) - apart)
    one, other = pictures[at], pictures[at + apart]
    if alike(one, other):
        return None
    return saved_pair(one, other, random)


@cache
def _frames(source: Source) -> tuple[float, list[Image.Image]]:
    """The rate, and up to 300 frames in order."""
    import av

    with av.open(str(source.path)) as video:
        rate = float(video.streams.video[0].average_rate or 10)
        return rate, list(_first(video.decode(video=0), 300))


def _first(decoded: Iterator[object], count: int) -> Iterator[Image.Image]:
    for _, frame in zip(range(count), decoded, strict=False):
        yield frame.to_image()  # type: ignore[attr-defined]


@different("one scene from two cameras", "stereo")
def two_cameras(random: Random, source: Source | None) -> Pair | None:
    assert source is not None
    assert source.other is not None
    pictures = [Image.open(path).convert("RGB") for path in (source.path, source.other)]
    factor = random.uniform(0.5, 1)
    one, other = (scaled(picture, factor, random) for picture in pictures)
    if random.random() < 0.5:
        return saved_pair(one, other, random)
    edge = [random.uniform(0, 0.04) for _ in range(4)]
    part = (edge[0] * one.width, edge[1] * one.height, (1 - edge[2]) * one.width, (1 - edge[3]) * one.height)
    return Pair(anyhow(one.crop(tuple(round(side) for side in part)), random), anyhow(other, random))  # type: ignore[arg-type]


@different("one scene from two cameras (simulated: what is near moves further)", "photo")
def parallax(random: Random, source: Source | None) -> Pair | None:
    """The lower a row, the further it moves, by up to a fiftieth to a twentieth of the width; both lose their edges."""
    picture = fitted(opened(source), random.choice((800, 1280)), random)
    furthest = picture.width * random.uniform(0.02, 0.05)
    pixels = np.asarray(picture)
    rows = [np.roll(row, -round(furthest * at / len(pixels)), axis=0) for at, row in enumerate(pixels)]
    edge = round(furthest) + 1
    box = (0, 0, picture.width - edge, picture.height)
    one, other = picture.crop(box), Image.fromarray(np.stack(rows)).crop(box)
    return (
        None
        if alike(one, other)
        else saved_pair(_noisy(one, random, 2), _noisy(other, random, 2), random, smallest=0.5)
    )
