"""Copies that were written on: a line of text, a watermark, a sticker that covers less than a tenth."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw

from lookalike.images.compare.verdict import Region, Verdict

from .pair import File, Pair
from .saved import edited, scaled
from .twice import font, sentence

EDITED = (Verdict("edited"),)


def _pair(file: File, picture: Image.Image, other: Image.Image, random: Random) -> Pair | None:
    """The place of the edit is that of the pixels that differ; None where hardly any does."""
    change = np.abs(np.asarray(picture, np.int16) - np.asarray(other, np.int16)).max(axis=2)
    far = change >= 24
    if (change >= 48).sum() < max(100, 0.0005 * far.size):
        return None
    rows, columns = np.flatnonzero(far.any(axis=1)), np.flatnonzero(far.any(axis=0))
    height, width = far.shape
    place = Region(columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    if random.random() < 0.3:
        other = scaled(other, random.uniform(0.6, 0.95), random)
    return Pair(file, edited(other, random), EDITED, place)


def text_line(file: File, picture: Image.Image, random: Random) -> Pair | None:
    """One line in some colour at some place, of a thirtieth to a tenth of the height, plain or on a bar."""
    text = sentence(random, random.randint(1, 4))
    size = max(10, round(picture.height * random.uniform(0.03, 0.09)))
    while font(size).getlength(text) > picture.width * 0.9 and size > 10:
        size -= 1
    wide = round(font(size).getlength(text))
    if wide > picture.width:
        return None
    other = picture.copy()
    draw = ImageDraw.Draw(other)
    x, y = random.randint(0, picture.width - wide), random.randint(0, max(0, picture.height - round(size * 1.3)))
    ink = random.choice(("white", "black", "yellow", "red"))
    if random.random() < 0.3:
        draw.rectangle(
            (x - size // 3, y, x + wide + size // 3, y + size * 1.25), "black" if ink != "black" else "white"
        )
    draw.text((x, y), text, ink, font(size, random.choice(("Sans", "Sans-Bold", "Serif"))))
    return _pair(file, picture, other, random)


def watermark(file: File, picture: Image.Image, random: Random) -> Pair | None:
    """A name that lets through 40 to 70 % of what is below: in a corner, or askew in the middle."""
    text = "© " + sentence(random, 2).strip(".")
    size = max(12, round(picture.width * random.uniform(0.03, 0.08)))
    wide, high = round(font(size, "Sans-Bold").getlength(text)), round(size * 1.3)
    mark = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(mark).text((0, 0), text, round(255 * random.uniform(0.3, 0.6)), font(size, "Sans-Bold"))
    if random.random() < 0.4:
        mark = mark.rotate(random.choice((-30, 30, 45)), Image.Resampling.BICUBIC, expand=True)
        place = ((picture.width - mark.width) // 2, (picture.height - mark.height) // 2)
    else:
        place = (
            picture.width - mark.width - size // 2,
            random.choice((size // 2, picture.height - mark.height - size // 2)),
        )
    other = picture.copy()
    other.paste(random.choice(((255, 255, 255), (0, 0, 0))), place, mask=mark)
    return _pair(file, picture, other, random)


def sticker(file: File, picture: Image.Image, random: Random) -> Pair | None:
    """A face, a heart, a star or a bar over what nobody shall see; on 1 to 9 % of the area."""
    share = random.uniform(0.01, 0.09)
    side = round((share * picture.width * picture.height) ** 0.5)
    if side >= min(picture.size):
        return None
    x, y = random.randint(0, picture.width - side), random.randint(0, picture.height - side)
    other = picture.copy()
    draw = ImageDraw.Draw(other)
    box = (x, y, x + side, y + side)
    way = random.choice(("face", "glyph", "bar"))
    if way == "face":
        draw.ellipse(box, (255, 205, 60), (120, 80, 0), max(1, side // 40))
        for left in (0.32, 0.62):
            draw.ellipse((x + left * side, y + 0.3 * side, x + (left + 0.08) * side, y + 0.42 * side), (60, 40, 0))
        draw.arc(
            (x + side * 0.25, y + side * 0.3, x + side * 0.75, y + side * 0.8), 20, 160, (60, 40, 0), max(1, side // 18)
        )
    elif way == "glyph":
        colour = random.choice(((230, 30, 60), (30, 120, 230), (250, 170, 20)))
        draw.text((x, y - side * 0.2), random.choice("♥★☀♫"), colour, font(side))
    else:
        draw.rectangle((x, y, x + side, y + side // 2), random.choice(("black", "white", (90, 90, 90))))
    return _pair(file, picture, other, random)
