"""Pairs one of which lost much, so that a comparison must allow for much: what differs can still be seen."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image

from .attacks import faint_note, thin_lines
from .figures import bars, checkerboard, chess
from .pair import File, Pair, different
from .paper import form, receipt, spreadsheet, statement
from .saved import anyhow, avif, fitted, jpeg, webp
from .screens import settings_screen
from .sources import Source, opened
from .twice import Draw, twice, visible


def _harsh(picture: Image.Image, random: Random) -> File:
    way = random.random()
    if way < 0.15:
        return webp(picture, random.randint(20, 40))
    return (
        avif(picture, random.randint(25, 40), random) if way < 0.25 else jpeg(picture, random.randint(20, 35), random)
    )


def _after_loss(one: Image.Image, other: Image.Image, random: Random) -> Pair | None:
    if not visible(one, other):
        return None
    files = anyhow(one, random), _harsh(other, random)
    return Pair(*files) if random.random() < 0.5 else Pair(files[1], files[0])


def _after_quarter(one: Image.Image, other: Image.Image, random: Random) -> Pair | None:
    """Made small by one filter or another; what differs there by a box filter, too."""
    if not visible(one, other, 0.25):
        return None
    size = (other.width // 4, other.height // 4)
    small = other.resize(
        size, random.choice((Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX))
    )
    return Pair(anyhow(one, random), jpeg(small, random.randint(60, 90), random))


@different("much lost (quality 20 to 35), and one digit changed")
def digit_after_loss(random: Random, _: Source | None) -> Pair | None:
    return _after_loss(*twice(random.choice((statement, form, receipt, spreadsheet)), random), random)


@different("much lost (quality 20 to 35), and a faint note, a thin line, a piece or a switch changed")
def little_after_loss(random: Random, _: Source | None) -> Pair | None:
    draws: tuple[Draw, ...] = (faint_note, thin_lines, chess, checkerboard, bars, settings_screen)
    return _after_loss(*twice(random.choice(draws), random), random)


@different("much lost (quality 20 to 35), and a small thing gone", "photo")
def thing_after_loss(random: Random, source: Source | None) -> Pair | None:
    two = _without_thing(random, source, random.uniform(0.03, 0.05))
    return two and _after_loss(*two, random)


@different("resized to 25 %, and a small thing gone", "photo")
def thing_after_quarter(random: Random, source: Source | None) -> Pair | None:
    two = _without_thing(random, source, random.uniform(0.03, 0.06))
    return two and _after_quarter(*two, random)


@different("resized to 25 %, and a bar, a piece or a switch changed")
def little_after_quarter(random: Random, _: Source | None) -> Pair | None:
    draws: tuple[Draw, ...] = (bars, chess, checkerboard, settings_screen)
    return _after_quarter(*twice(random.choice(draws), random), random)


def _without_thing(random: Random, source: Source | None, share: float) -> tuple[Image.Image, Image.Image] | None:
    """A photo, and one that shows at a place of `share` of its width what is beside it; None if that looks the same."""
    picture = fitted(opened(source), random.choice((1000, 1600, 2400)), random)
    side = round(picture.width * share)
    x, y = random.randint(2 * side, picture.width - 3 * side), random.randint(side, picture.height - 2 * side)
    other = picture.copy()
    other.paste(picture.crop((x - 2 * side, y, x - side, y + side)), (x, y))
    small = [
        np.asarray(one.crop((x, y, x + side, y + side)).resize((12, 12), Image.Resampling.BOX), np.int16)
        for one in (picture, other)
    ]
    return (picture, other) if (np.abs(small[0] - small[1]).max(axis=2) >= 60).sum() >= 36 else None
