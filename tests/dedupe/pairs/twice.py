"""A drawing made twice, the second time with one thing changed; and both saved, each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from PIL import Image, ImageFont

from .pair import Pair
from .saved import anyhow, scaled

Draw = Callable[[Random, bool], Image.Image]
"""Draws by chance; `changed` says whether with that one change. But for it, the same chance makes the same picture."""

INK = (20, 20, 24)


@cache
def font(size: int, style: str = "Sans") -> ImageFont.FreeTypeFont:
    """DejaVu (Debian's fonts-dejavu-core): Sans, Sans-Bold, SansMono, SansMono-Bold, Serif, Serif-Bold."""
    return ImageFont.truetype(f"/usr/share/fonts/truetype/dejavu/DejaVu{style}.ttf", size)


def twice(draw: Draw, random: Random) -> tuple[Image.Image, Image.Image]:
    """The same drawing without and with its change."""
    seed = random.getrandbits(64)
    return draw(Random(seed), False), draw(Random(seed), True)


def changed_pair(draw: Draw, random: Random, smallest: float = 0.7) -> Pair | None:
    """Two files of a drawing and its changed form; one may be smaller, down to `smallest` of its size."""
    return saved_pair(*twice(draw, random), random, smallest)


def saved_pair(one: Image.Image, other: Image.Image, random: Random, smallest: float = 0.7) -> Pair | None:
    """Two pictures, each saved in its own way; None if a person would see no difference between them."""
    factor = random.choice((1.0, 1.0, random.uniform(smallest, 1.0))) if smallest < 1 else 1.0
    if not visible(one, other, factor):
        return None
    files = anyhow(one, random), anyhow(scaled(other, factor, random), random)
    return Pair(*files) if random.random() < 0.5 else Pair(files[1], files[0])


def visible(one: Image.Image, other: Image.Image, factor: float = 1.0) -> bool:
    """Whether at `factor` of their size at least 12 pixels differ by 48 levels or more (of 255) in some colour."""
    if one.size != other.size:
        return True
    size = (max(1, round(one.width * factor)), max(1, round(one.height * factor)))
    left, right = (
        np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BOX), np.int16) for picture in (one, other)
    )
    return int((np.abs(left - right).max(axis=2) >= 48).sum()) >= 12


def other_digit(text: str, random: Random) -> str:
    """The text with one of its digits replaced by another."""
    place = random.choice([at for at, letter in enumerate(text) if letter.isdigit()])
    return text[:place] + random.choice([digit for digit in "0123456789" if digit != text[place]]) + text[place + 1 :]


def amount(random: Random) -> str:
    return (
        f"{random.randint(1, 99) if random.random() < 0.5 else random.randint(100, 9999):,}.{random.randint(0, 99):02}"
    )


def date(random: Random) -> str:
    return f"{random.randint(1, 28):02}.{random.randint(1, 12):02}.{random.randint(2015, 2026)}"


_WORDS = (
    "rent water power bakery market garden tram ticket insurance salary coffee book shop pharmacy school lunch hotel "
    "phone repair shoes gift bicycle train doctor cinema flowers bread the of and to in for with on at from by about "
    "would there their which after before every other little great house world still again place right where between "
    "light paper window river mountain evening letter morning winter summer answer number people country nothing story"
)
WORDS = _WORDS.split()
_FIRST = "Ana Ben Carla David Elif Femi Greta Hugo Ines Jan Kofi Lena Mehmet Nora Oto Petra"
_LAST = "Abel Brandt Costa Dorn Egger Fuchs Grau Horn Iversen Jung Kaya Lang Moser Novak"


def sentence(random: Random, words: int) -> str:
    return " ".join(random.choice(WORDS) for _ in range(words)).capitalize() + "."


def name(random: Random) -> str:
    return f"{random.choice(_FIRST.split())} {random.choice(_LAST.split())}"
