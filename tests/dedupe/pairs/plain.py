"""Pictures with little in them, or the same everywhere, drawn here: black, gradients, textures, icons, flat pages."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .figures import icon
from .pair import File, Pair, different
from .saved import anyhow, jpeg, png, webp
from .sources import Source
from .twice import WORDS, changed_pair, font, name, saved_pair, twice, visible


def noise(random: Random, size: tuple[int, int], level: float, spread: float) -> Image.Image:
    chance = np.random.default_rng(random.getrandbits(32))
    pixels = chance.normal(level, spread, (size[1], size[0], 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _dark_file(picture: Image.Image, random: Random) -> File:
    """Saved so that what little there is stays."""
    return png(picture) if random.random() < 0.4 else jpeg(picture, random.randint(88, 96), random)


@different("nearly black: two exposures under the lens cap (simulated: noise)")
def lens_caps(random: Random, _: Source | None) -> Pair:
    size, level = random.choice(((640, 480), (1280, 960), (1600, 1200))), random.uniform(4, 14)
    spread = random.uniform(3, 7)
    files = [noise(random, size, level, spread) for _ in range(2)]
    return Pair(_dark_file(files[0], random), _dark_file(files[1], random))


@different("nearly black: other things at levels of 4 to 30")
def dark_scenes(random: Random, _: Source | None) -> Pair:
    size = random.choice(((640, 480), (1280, 960)))
    files = []
    for _number in range(2):
        image = noise(random, size, 4, 1.2)
        draw = ImageDraw.Draw(image)
        for _shape in range(random.randint(2, 6)):
            x, y, far = random.randrange(size[0]), random.randrange(size[1]), random.randint(40, 200)
            draw.ellipse((x - far, y - far, x + far, y + far), (random.randint(14, 30),) * 3)
        files.append(image.filter(ImageFilter.GaussianBlur(1)))
    return Pair(_dark_file(files[0], random), _dark_file(files[1], random))


@different("of one colour each, black among them")
def plain_colours(random: Random, _: Source | None) -> Pair | None:
    size = random.choice(((320, 200), (800, 600), (1920, 1080)))
    one: tuple[int, ...] = (0, 0, 0) if random.random() < 0.4 else tuple(random.randint(0, 255) for _ in range(3))
    other = tuple(random.randint(0, 255) for _ in range(3))
    if max(abs(left - right) for left, right in zip(one, other, strict=True)) < 40:
        return None
    return Pair(anyhow(Image.new("RGB", size, one), random), anyhow(Image.new("RGB", size, other), random))


@different("gradients in other directions")
def gradients(random: Random, _: Source | None) -> Pair | None:
    """At angles that no mirroring and no quarter turn makes one of."""
    size = random.choice((300, 800, 1200))
    angle, turn = random.uniform(5, 30), random.uniform(25, 40)
    if abs(2 * angle + turn - 90) < 10:
        return None
    ends = [np.array([random.randint(0, 255) for _ in range(3)]) for _ in range(2)]
    if np.abs(ends[0] - ends[1]).max() < 90:
        return None
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    pictures = []
    for degrees in (angle, angle + turn):
        along = x * math.cos(math.radians(degrees)) + y * math.sin(math.radians(degrees))
        share = np.clip(along / 1.2 + 0.5, 0, 1)[:, :, None]
        pictures.append(Image.fromarray((ends[0] * (1 - share) + ends[1] * share).astype(np.uint8)))
    return saved_pair(pictures[0], pictures[1], random)


@different("glows in other places")
def glows(random: Random, _: Source | None) -> Pair | None:
    """Round gradients whose middles lie further apart than a crop could move them, in no mirror image either."""
    size = random.choice((300, 800, 1200))
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    places = [(random.uniform(-0.4, 0.4), random.uniform(-0.4, 0.4)) for _ in range(2)]
    sides = [sorted((abs(place[0]), abs(place[1]))) for place in places]
    if max(abs(sides[0][0] - sides[1][0]), abs(sides[0][1] - sides[1][1])) < 0.2:
        return None
    colour = np.array([random.randint(120, 255) for _ in range(3)])
    pictures = [
        Image.fromarray((np.exp(-8 * ((x - left) ** 2 + (y - top) ** 2))[:, :, None] * colour).astype(np.uint8))
        for left, top in places
    ]
    return saved_pair(pictures[0], pictures[1], random)


def _tiled(random: Random, changed: bool) -> Image.Image:
    """Tiles of chance, again and again, and a few marks on them, which lie one period further once changed."""
    period, times = random.choice((24, 40, 64)), random.randint(10, 20)
    tile = noise(random, (period, period), 128, 60).filter(ImageFilter.GaussianBlur(1.5))
    image = Image.new("RGB", (period * times, period * times))
    for at in range(times * times):
        image.paste(tile, (at % times * period, at // times * period))
    draw = ImageDraw.Draw(image)
    across, down = random.choice(((1, 0), (0, 1), (1, 1)))
    for _ in range(random.randint(1, 5)):
        x = random.randint(0, times - 2) + across * changed
        y = random.randint(0, times - 2) + down * changed
        draw.ellipse((x * period, y * period, (x + 1) * period - 1, (y + 1) * period - 1), (220, 40, 30))
    return image


@different("repeating textures whose marks lie one period further")
def textures(random: Random, _: Source | None) -> Pair | None:
    return changed_pair(_tiled, random, smallest=0.5)


@different("walls of one brick pattern, other bricks darker")
def bricks(random: Random, _: Source | None) -> Pair | None:
    def wall(random: Random, changed: bool) -> Image.Image:
        width, height = random.choice(((60, 24), (90, 36)))
        image = Image.new("RGB", (width * 12, height * 24), (205, 200, 190))
        draw = ImageDraw.Draw(image)
        shades = Random(random.getrandbits(32) + changed)
        for row in range(24):
            for column in range(-1, 13):
                x = column * width + (row % 2) * width // 2
                shade = 70 if shades.random() < 0.08 else 0
                colour = (170 - shade, 85 - shade // 2, 60 - shade // 2)
                draw.rectangle((x + 2, row * height + 2, x + width - 3, row * height + height - 3), colour)
        return image

    return changed_pair(wall, random, smallest=0.6)


@different("huge flat pages, one small word changed")
def huge_pages(random: Random, _: Source | None) -> Pair | None:
    def page(random: Random, changed: bool) -> Image.Image:
        size = random.choice(((3000, 4000), (4000, 3000), (5000, 2000)))
        image = Image.new("RGB", size, tuple(random.randint(225, 255) for _ in range(3)))
        x, y = random.randint(20, size[0] - 200), random.randint(20, size[1] - 60)
        one, other = random.sample(WORDS, 2)
        ImageDraw.Draw(image).text((x, y), other if changed else one, (20, 20, 20), font(random.choice((16, 20, 28))))
        return image

    return changed_pair(page, random, smallest=1)


@different("a thing of another colour, as light as before")
def other_hue(random: Random, _: Source | None) -> Pair | None:
    """Local: what lies around it keeps its colours; the luma (ITU-R BT.601) of both is the same to a level."""

    def signs(random: Random, changed: bool) -> Image.Image:
        image = Image.new("RGB", (1000, 700), "white")
        draw = ImageDraw.Draw(image)
        colours = ((200, 40, 40), (40, 118, 40), (90, 90, 128), (150, 60, 100))
        things = random.randint(3, 30)
        place = random.randrange(things)
        for at in range(things):
            x, y, far = random.randint(40, 900), random.randint(40, 600), random.randint(14, 60)
            one, other = random.sample([_as_light(colour) for colour in colours], 2)
            draw.ellipse((x, y, x + far, y + far), other if changed and at == place else one)
        return image

    return changed_pair(signs, random, smallest=0.6)


def _as_light(colour: tuple[int, int, int], luma: float = 88) -> tuple[int, ...]:
    own = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return tuple(round(channel * luma / own) for channel in colour)


@different("signatures: another name on the same paper")
def signatures(random: Random, _: Source | None) -> Pair | None:
    def paper(random: Random, changed: bool) -> Image.Image:
        seed = random.getrandbits(32)
        image = noise(Random(seed), (900, 500), 238, 3)
        one, other = name(random), name(random)
        place = (random.randint(40, 300), random.randint(40, 400))
        ImageDraw.Draw(image).text(place, other if changed else one, (40, 40, 120), font(36, "Serif-Italic"))
        return image

    return changed_pair(paper, random, smallest=0.6)


@different("icons of 16 by 16, one to four pixels changed")
def icons(random: Random, _: Source | None) -> Pair:
    """As icons are kept: without loss, or in a JPEG or WebP that leaves them."""

    def file(picture: Image.Image) -> File:
        way = random.random()
        if way < 0.7:
            return png(picture)
        return jpeg(picture, 95, Random(0)) if way < 0.85 else webp(picture, 100, lossless=True)

    one, other = twice(icon, random)
    return Pair(file(one), file(other))


@different("small icons, one of them mirrored, a line changed")
def small_icons(random: Random, _: Source | None) -> Pair | None:
    def drawn(random: Random, changed: bool) -> Image.Image:
        size = random.choice((24, 32, 48))
        image = Image.new("RGB", (size, size), (250, 250, 250))
        draw = ImageDraw.Draw(image)
        lines = random.randint(3, 6)
        for at in range(lines):
            ends = [random.randrange(size) for _ in range(4)]
            colour = tuple(random.randint(0, 150) for _ in range(3))
            if at or not changed:
                draw.line(ends, colour, 2)
        return image

    one, other = twice(drawn, random)
    if not visible(one, other):
        return None
    return Pair(png(one), png(other.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
