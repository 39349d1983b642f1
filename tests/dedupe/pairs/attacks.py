"""Pairs that a comparison may be led astray by: something is undone or explained, and something else differs."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from .copies import cropped, recoloured
from .pair import Pair, different
from .paper import Page, form, receipt, spreadsheet, statement
from .plain import noise
from .saved import anyhow, fitted, png
from .scenes import alike, patched
from .sources import Source, opened
from .twice import INK, WORDS, changed_pair, date, font, saved_pair, sentence, twice, visible


@different("cropped, and one digit changed")
def cropped_and_changed(random: Random, _: Source | None) -> Pair | None:
    """The crop keeps the place of the change: it takes only what is blank."""
    one, other = twice(random.choice((statement, form, receipt)), random)
    left, top = round(0.02 * other.width), round(0.01 * other.height)
    part = other.crop((left, top, round(0.97 * other.width), other.height - top))
    return saved_pair(one, part, random) if visible(one, other, 0.7) else None


@different("recoloured, and one digit changed")
def recoloured_and_changed(random: Random, _: Source | None) -> Pair | None:
    one, other = twice(random.choice((statement, form, receipt, spreadsheet)), random)
    if not visible(one, other, 0.7):
        return None
    other = other.point([round(40 + level * 0.75) for level in range(256)] * 3)
    return saved_pair(one, ImageEnhance.Brightness(other).enhance(random.uniform(0.8, 1.1)), random)


@different("photos mirrored, and a thing moved", "photo")
def mirrored_and_moved(random: Random, source: Source | None) -> Pair | None:
    one, other = _moved(random, source)
    if other is None:
        return None
    return saved_pair(one, other.transpose(Image.Transpose.FLIP_LEFT_RIGHT), random, smallest=0.5)


@different("photos cropped, and a thing moved", "photo")
def cropped_and_moved(random: Random, source: Source | None) -> Pair | None:
    """As much differs within what is left: looked for before it is cropped by up to a tenth."""
    one, other = _moved(random, source)
    if other is None:
        return None
    seed = random.getrandbits(32)
    left = cropped(one, Random(seed)), cropped(other, Random(seed))
    return None if alike(*left) else saved_pair(one, left[1], random, smallest=0.5)


@different("one view at another hour (simulated: recoloured, a thing moved)", "photo")
def another_hour(random: Random, source: Source | None) -> Pair | None:
    one, other = _moved(random, source)
    later = other and recoloured(other, random)
    return saved_pair(one, later, random, smallest=0.5) if later else None


def _moved(random: Random, source: Source | None) -> tuple[Image.Image, Image.Image | None]:
    picture = fitted(opened(source), random.choice((800, 1280)), random)
    return picture, patched(picture, random)


@different("photos, a small thing gone", "photo")
def small_thing_gone(random: Random, source: Source | None) -> Pair | None:
    """A place of two to four hundredths of the width shows what is beside it."""
    picture = fitted(opened(source), random.choice((800, 1280)), random)
    side = round(picture.width * random.uniform(0.02, 0.04))
    x, y = random.randint(2 * side, picture.width - 3 * side), random.randint(side, picture.height - 2 * side)
    other = picture.copy()
    other.paste(picture.crop((x - 2 * side, y, x - side, y + side)), (x, y))
    far = np.abs(np.asarray(picture, np.int16) - np.asarray(other, np.int16)).max(axis=2) >= 60
    return saved_pair(picture, other, random) if far.sum() >= 0.3 * side * side else None


@different("other parts of one photo, each with 20 to 40 % of its own", "photo")
def other_parts(random: Random, source: Source | None) -> Pair | None:
    picture = opened(source)
    width, high = picture.size
    part = round(width / random.uniform(1.2, 1.4))
    one, other = picture.crop((0, 0, part, high)), picture.crop((width - part, 0, width, high))
    return None if alike(one, other) else saved_pair(one, other, random, smallest=0.5)


@different("halves exchanged", "photo")
def halves(random: Random, source: Source | None) -> Pair | None:
    picture = opened(source)
    half = picture.width // 2
    other = picture.copy()
    other.paste(picture.crop((half, 0, 2 * half, picture.height)), (0, 0))
    other.paste(picture.crop((0, 0, half, picture.height)), (half, 0))
    return None if alike(picture, other) else saved_pair(picture, other, random, smallest=0.4)


@different("white drawings on transparent ground", "drawing")
def white_on_nothing(random: Random, source: Source | None) -> Pair | None:
    """Two of other shapes: on white, both are blank."""
    outline = fitted(opened(source), 400, random).convert("L").point(lambda level: 255 if level < 200 else 0)
    other = outline.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    other.paste(0, (0, 0, other.width // 3, other.height))
    if not 0.05 < np.asarray(outline).mean() / 255 < 0.9 or alike(outline, other):
        return None
    files = []
    for mask in (outline, other):
        picture = Image.new("RGBA", mask.size, (255, 255, 255, 0))
        picture.putalpha(mask)
        files.append(png(picture))
    return Pair(files[0], files[1])


@different("the same colours, another part of them transparent", "drawing")
def other_transparency(random: Random, source: Source | None) -> Pair | None:
    picture = fitted(opened(source), 600, random)
    side = round(min(picture.size) / 3)
    layers = [picture.convert("RGBA"), picture.convert("RGBA")]
    x, y = random.randint(0, picture.width - side), random.randint(0, picture.height - side)
    hole = (x, y, x + side, y + side)
    alpha = layers[1].getchannel("A")
    alpha.paste(0, hole)
    layers[1].putalpha(alpha)
    white = picture.copy()
    white.paste("white", hole)
    return None if alike(picture, white) else Pair(png(layers[0]), png(layers[1]))


def thin_lines(random: Random, changed: bool) -> Image.Image:
    """A technical drawing in lines of one pixel; one is missing."""
    image = Image.new("RGB", (random.choice((900, 1400)),) * 2, "white")
    draw = ImageDraw.Draw(image)
    lines = random.randint(20, 90)
    for at in range(lines):
        ends = [random.randrange(20, image.width - 20) for _ in range(4)]
        ends[2 + (random.random() < 0.5)] = ends[0] if random.random() < 0.5 else ends[3]
        if at or not changed:
            draw.line(ends, INK, 1)
    return image


def faint_note(random: Random, changed: bool) -> Image.Image:
    """A page with a note in pencil, or another one."""
    page = Page(random)
    for _ in range(random.randint(5, 25)):
        page.line((0, sentence(random, 8)))
    one, other = (sentence(random, 3) for _ in range(2))
    page.draw.text(
        (page.left * 4, page.y), other if changed else one, (185, 185, 185), font(page.points(11), "Serif-Italic")
    )
    return page.image


def other_text(random: Random, changed: bool) -> Image.Image:
    """Pages of one book: the same lines and margins, other words."""
    page, lines = Page(random), random.randint(30, 44)
    words = Random(random.getrandbits(32) + changed)
    for _ in range(lines):
        page.line((0, " ".join(words.choice(WORDS) for _ in range(12))), size=9.5)
    return page.image


def meter(random: Random, changed: bool) -> Image.Image:
    """The reading of a meter, one further; photographed from the same place."""
    image = Image.new("RGB", (1000, 750), (70, 72, 75))
    draw = ImageDraw.Draw(image)
    reading = random.randint(1000, 99998) + changed
    draw.rounded_rectangle((150, 150, 850, 600), 40, (225, 225, 220))
    for at, digit in enumerate(f"{reading:06}"):
        draw.rectangle((230 + at * 90, 280, 305 + at * 90, 390), (15, 15, 15))
        draw.text((245 + at * 90, 290), digit, "white", font(72, "SansMono-Bold"))
    grain = noise(Random(random.getrandbits(32) + changed), image.size, 128, 3)
    return Image.fromarray(np.clip(np.asarray(image, np.int16) + np.asarray(grain) - 128, 0, 255).astype(np.uint8))


def flag(random: Random, changed: bool) -> Image.Image:
    """Three bands; a wedge or a star at the left has another colour, or one star more."""
    width, height = random.choice(((300, 200), (900, 600), (1200, 600)))
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    colours = random.sample([(206, 17, 38), (0, 122, 61), (0, 0, 0), (255, 255, 255), (0, 56, 168), (252, 209, 22)], 5)
    for band in range(3):
        draw.rectangle((0, band * height // 3, width, (band + 1) * height // 3), colours[band])
    draw.polygon((0, 0, width // 3, height // 2, 0, height), colours[3])
    star = font(max(16, height // 6))
    for at in range(random.randint(0, 2) + changed):
        draw.text((width * 0.02 + at * height * 0.12, height * 0.4), "★", colours[4], star)
    return image


def sky(random: Random, changed: bool) -> Image.Image:
    """A night sky; stars of another part of it."""
    size = random.choice(((800, 600), (1600, 1000)))
    image = Image.new("RGB", size, (3, 4, 12))
    draw, stars = ImageDraw.Draw(image), Random(random.getrandbits(32) + changed)
    for _ in range(random.randint(20, 400)):
        x, y, far = stars.randrange(size[0]), stars.randrange(size[1]), stars.choice((1, 1, 2))
        draw.ellipse((x - far, y - far, x + far, y + far), (stars.randint(120, 255),) * 3)
    return image


def music(random: Random, changed: bool) -> Image.Image:
    """Notes on five lines; one is a step higher."""
    image = Image.new("RGB", (1100, 900), "white")
    draw = ImageDraw.Draw(image)
    notes = random.randint(20, 60)
    place = random.randrange(notes)
    for system in range(5):
        for line in range(5):
            draw.line((40, 60 + system * 170 + line * 14, 1060, 60 + system * 170 + line * 14), INK, 1)
    for at in range(notes):
        step = random.randint(0, 7) + (changed and at == place)
        x, y = 70 + at % 12 * 82, 110 + at // 12 * 170 - step * 7
        draw.ellipse((x, y, x + 17, y + 13), INK)
        draw.line((x + 16, y + 6, x + 16, y - 42), INK, 2)
    return image


def stamped(random: Random, changed: bool) -> Image.Image:
    """A picture with the date of the camera in its corner: another day."""
    image = noise(random, (1024, 768), 90, 30).resize((64, 48)).resize((1024, 768), Image.Resampling.BICUBIC)
    one, other = date(random), date(random)
    ImageDraw.Draw(image).text((760, 700), other if changed else one, (255, 150, 40), font(34, "SansMono-Bold"))
    return image


for _name, _draw, _smallest in (
    ("technical drawings, one thin line less", thin_lines, 1.0),
    ("pages, another faint note", faint_note, 1.0),
    ("pages of one book, all words others", other_text, 0.6),
    ("meters photographed, one further (simulated: new noise, the same place)", meter, 0.4),
    ("flags, one star more", flag, 0.5),
    ("night skies, other stars (simulated)", sky, 0.7),
    ("sheets of music, one note a step higher", music, 0.8),
    ("a camera's date, another day", stamped, 0.5),
):
    different(_name)(lambda random, _, draw=_draw, least=_smallest: changed_pair(draw, random, least))  # type: ignore[misc]


@different("blank pages scanned (simulated: noise and dust)")
def blank_pages(random: Random, _: Source | None) -> Pair:
    files = []
    for _number in range(2):
        page = noise(random, (827, 1169), 236, 3)
        draw = ImageDraw.Draw(page)
        for _speck in range(random.randint(3, 12)):
            x, y, far = random.randrange(827), random.randrange(1169), random.randint(2, 5)
            draw.ellipse((x, y, x + far, y + far), (70, 70, 70))
        files.append(anyhow(page, random))
    return Pair(files[0], files[1])
