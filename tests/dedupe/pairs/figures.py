"""Charts, maps, clocks, playing cards, boards and codes, drawn here: one line, hand, pip or square differs."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw

from .pair import different
from .twice import INK, WORDS, changed_pair, font

Colour = tuple[int, int, int]


def _colour(random: Random, darkest: int = 0, lightest: int = 200) -> Colour:
    return (random.randint(darkest, lightest), random.randint(darkest, lightest), random.randint(darkest, lightest))


def _axes(random: Random, size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, random.choice(((255, 255, 255), (250, 250, 245), (234, 234, 242))))
    draw = ImageDraw.Draw(image)
    for step in range(6):
        y = 80 + step * (size[1] - 160) // 5
        draw.line((100, y, size[0] - 40, y), (205, 205, 205))
        draw.text((30, y - 10), str(100 - step * 20), INK, font(18))
    draw.text((size[0] // 3, 20), f"{random.choice(WORDS).capitalize()} of {random.choice(WORDS)}", INK, font(28))
    draw.line((100, 80, 100, size[1] - 80, size[0] - 40, size[1] - 80), INK, 2)
    return image, draw


def _curve(random: Random, size: tuple[int, int]) -> list[tuple[float, float]]:
    y, points = random.uniform(0.3, 0.7), []
    for step in range(40):
        y = min(0.98, max(0.02, y + random.uniform(-0.06, 0.06)))
        points.append((100 + step * (size[0] - 140) / 39, 80 + y * (size[1] - 160)))
    return points


def plot(random: Random, changed: bool) -> Image.Image:
    """Several lines; one is left out."""
    size = random.choice(((900, 600), (1200, 800), (1600, 1000)))
    image, draw = _axes(random, size)
    lines = random.randint(2, 6)
    place = random.randrange(lines)
    for at in range(lines):
        points, colour, width = _curve(random, size), _colour(random), random.choice((2, 3))
        if not (changed and at == place):
            draw.line(points, colour, width, joint="curve")
    return image


def bars(random: Random, changed: bool) -> Image.Image:
    """One bar is three hundredths of the axis higher."""
    size = random.choice(((900, 600), (1200, 800), (1600, 1000)))
    image, draw = _axes(random, size)
    count, colour = random.randint(4, 14), _colour(random)
    place, step = random.randrange(count), (size[0] - 160) / count
    for at in range(count):
        height = random.uniform(0.1, 0.9) + 0.03 * (changed and at == place)
        left = 120 + at * step
        draw.rectangle((left, size[1] - 80 - height * (size[1] - 160), left + step * 0.7, size[1] - 80), colour)
    return image


def city_map(random: Random, changed: bool) -> Image.Image:
    """Blocks, a river, streets and names; one street is missing."""
    size = random.choice((800, 1200, 1600))
    image = Image.new("RGB", (size, size), (242, 239, 233))
    draw = ImageDraw.Draw(image)
    for _ in range(random.randint(4, 12)):
        x, y = random.randint(0, size), random.randint(0, size)
        draw.rectangle((x, y, x + random.randint(30, 200), y + random.randint(30, 200)), (200, 230, 190))
    bank = random.uniform(0.2, 0.8) * size
    river = [(x, bank + 60 * math.sin(x / 130)) for x in range(-20, size + 40, 20)]
    draw.line(river, (170, 211, 223), random.randint(15, 60), joint="curve")
    streets = random.randint(14, 50)
    place = random.randrange(streets)
    for at in range(streets):
        ends = [random.randint(0, size) for _ in range(4)]
        if random.random() < 0.7:
            ends[3 if random.random() < 0.5 else 2] = ends[1] if random.random() < 0.5 else ends[0]
        colour = random.choice(((255, 255, 255), (252, 214, 164)))
        if not (changed and at == place):
            draw.line(ends, (150, 150, 150), 8)
            draw.line(ends, colour, 5)
    for _ in range(random.randint(5, 20)):
        draw.text(
            (random.randint(0, size - 100), random.randint(0, size - 20)), random.choice(WORDS), (80, 80, 80), font(16)
        )
    return image


def route(random: Random, changed: bool) -> Image.Image:
    """A map on which another way is marked."""
    seed = random.getrandbits(32)
    image = city_map(Random(seed), False)
    rest = Random(seed + 1 + changed)
    points = [(rest.randint(60, image.width - 60), rest.randint(60, image.width - 60)) for _ in range(5)]
    ImageDraw.Draw(image).line([(60, 60), *points, (image.width - 60, image.width - 60)], (40, 90, 220), 7)
    return image


def clock(random: Random, changed: bool) -> Image.Image:
    """A minute later."""
    size = random.choice((400, 600, 900))
    image = Image.new("RGB", (size, size), _colour(random, 150, 255))
    draw, middle = ImageDraw.Draw(image), size / 2
    draw.ellipse((size * 0.04, size * 0.04, size * 0.96, size * 0.96), "white", INK, max(2, size // 60))
    minute = random.randint(0, 719)
    for mark in range(60):
        angle, length = mark / 60 * math.tau, 0.39 if mark % 5 == 0 else 0.42
        ends = [middle + size * far * way(angle) for far in (length, 0.44) for way in (math.sin, math.cos)]
        draw.line(ends, INK, 2)
    minute += changed
    for angle, length, width in (
        (minute / 720 * math.tau, 0.25, size // 40),
        (minute / 60 * math.tau, 0.37, size // 70),
    ):
        end = (middle + size * length * math.sin(angle), middle - size * length * math.cos(angle))
        draw.line((middle, middle, *end), INK, max(2, width))
    return image


def card(random: Random, changed: bool) -> Image.Image:
    """A playing card: another suit of the same colour, or one pip more."""
    suits = random.choice(("♥♦", "♠♣"))
    suit, pips, more = random.choice(suits), random.randint(2, 9), random.random() < 0.5
    if changed:
        suit, pips = (suit, pips + 1) if more else (suits.replace(suit, ""), pips)
    width = random.choice((300, 500, 750))
    image = Image.new("RGB", (width, round(width * 1.4)), "white")
    draw = ImageDraw.Draw(image)
    ink: Colour = (200, 20, 30) if suits == "♥♦" else INK
    draw.rounded_rectangle((2, 2, image.width - 3, image.height - 3), width // 15, None, INK, 2)
    draw.text((width * 0.05, width * 0.03), f"{pips}", ink, font(width // 9, "Sans-Bold"))
    draw.text((width * 0.05, width * 0.15), suit, ink, font(width // 9))
    for pip in range(pips):
        x, y = (0.28, 0.58)[pip % 2] * width, (0.12 + 0.22 * (pip // 2)) * width * 1.2
        draw.text((x, y), suit, ink, font(width // 5))
    return image


def chess(random: Random, changed: bool) -> Image.Image:
    """A diagram of a position, and of that after one move."""
    cell = random.choice((40, 60, 90))
    image = Image.new("RGB", (cell * 8, cell * 8), (240, 217, 181))
    draw = ImageDraw.Draw(image)
    squares = random.sample(range(64), random.randint(6, 24))
    pieces = {square: random.choice("♔♕♖♗♘♙♚♛♜♝♞♟") for square in squares[1:]}
    if changed:
        pieces[squares[0]] = pieces.pop(squares[1])
    for square in range(64):
        x, y = square % 8 * cell, square // 8 * cell
        if (square % 8 + square // 8) % 2:
            draw.rectangle((x, y, x + cell - 1, y + cell - 1), (181, 136, 99))
        if square in pieces:
            draw.text((x + cell * 0.1, y), pieces[square], INK, font(round(cell * 0.8)))
    return image


def checkerboard(random: Random, changed: bool) -> Image.Image:
    """One square has the other colour."""
    cells, cell = random.randint(6, 24), random.choice((16, 32, 50))
    dark, light = _colour(random, 0, 90), _colour(random, 165, 255)
    place = (random.randrange(cells), random.randrange(cells))
    image = Image.new("RGB", (cells, cells))
    for x in range(cells):
        for y in range(cells):
            image.putpixel((x, y), light if ((x + y) % 2 == 0) != (changed and (x, y) == place) else dark)
    return image.resize((cells * cell, cells * cell), Image.Resampling.NEAREST)


def square_code(random: Random, changed: bool) -> Image.Image:
    """Like a QR code: three eyes, and modules, a tenth to a half of which differ (drawn by chance, no real code)."""
    cells, cell = random.choice((21, 25, 29, 33)), random.choice((6, 8, 12))
    image = Image.new("L", (cells + 8, cells + 8), 255)
    share = random.uniform(0.1, 0.5)
    for x in range(cells):
        for y in range(cells):
            dark, other = random.random() < 0.5, random.random() < share
            image.putpixel((x + 4, y + 4), 0 if dark != (changed and other) else 255)
    eye = ImageDraw.Draw(image)
    for x, y in ((4, 4), (cells - 3, 4), (4, cells - 3)):
        eye.rectangle((x - 1, y - 1, x + 7, y + 7), 255)
        eye.rectangle((x, y, x + 6, y + 6), 255, 0)
        eye.rectangle((x + 2, y + 2, x + 4, y + 4), 0)
    return image.resize((image.width * cell, image.height * cell), Image.Resampling.NEAREST).convert("RGB")


def bar_code(random: Random, changed: bool) -> Image.Image:
    """The bars and the digits of another number."""
    digits = [random.randrange(10) for _ in range(13)]
    place, other = random.randrange(2, 13), random.randint(1, 9)
    if changed:
        digits[place] = (digits[place] + other) % 10
    image = Image.new("RGB", (560, 320), "white")
    draw = ImageDraw.Draw(image)
    for at, digit in enumerate(digits):
        for bar in range(7):
            if Random(f"bars {digit}").getrandbits(7) >> bar & 1:
                draw.rectangle((30 + (at * 7 + bar) * 5, 20, 34 + (at * 7 + bar) * 5, 250), INK)
        draw.text((36 + at * 35, 262), str(digit), INK, font(28, "SansMono"))
    return image


def sudoku(random: Random, changed: bool) -> Image.Image:
    """One more digit is filled in."""
    cell = random.choice((40, 60, 80))
    image = Image.new("RGB", (cell * 9 + 20, cell * 9 + 20), "white")
    draw = ImageDraw.Draw(image)
    for line in range(10):
        at = 10 + line * cell
        for ends in ((10, at, 10 + cell * 9, at), (at, 10, at, 10 + cell * 9)):
            draw.line(ends, INK, 4 if line % 3 == 0 else 1)
    filled = random.sample(range(81), random.randint(20, 50))
    for number, place in enumerate(filled):
        digit = str(random.randint(1, 9))
        if number or not changed:
            draw.text(
                (10 + (place % 9 + 0.3) * cell, 10 + (place // 9 + 0.1) * cell), digit, INK, font(round(cell * 0.6))
            )
    return image


def icon(random: Random, changed: bool) -> Image.Image:
    """16 by 16 pixels, of which one to four have another colour, one that a person can tell apart."""
    colours = [_colour(random, 0, 255) for _ in range(4)]
    image = Image.new("RGB", (16, 16), colours[0])
    for x in range(8):
        for y in range(16):
            shade = random.choice(colours)
            for place in ((x, y), (15 - x, y)):
                image.putpixel(place, shade)
    for _ in range(random.randint(1, 4)):
        place, shade = (random.randrange(16), random.randrange(16)), _colour(random, 0, 255)
        red, green, blue = image.getpixel(place)  # type: ignore[misc]
        if changed:
            far = max(abs(red - shade[0]), abs(green - shade[1]), abs(blue - shade[2])) >= 100
            image.putpixel(place, shade if far else (255 - red, (green + 128) % 256, 255 - blue))
    return image


for _name, _draw, _smallest in (
    ("plots, one line less", plot, 0.5),
    ("bar charts, one bar 3 % higher", bars, 0.6),
    ("maps, one street less", city_map, 0.6),
    ("maps, another way marked", route, 0.4),
    ("clock faces, a minute later", clock, 0.7),
    ("playing cards, another suit or one pip more", card, 0.6),
    ("chess diagrams, one move later", chess, 0.6),
    ("checkerboards, one square of the other colour", checkerboard, 0.6),
    ("square codes of other contents (drawn, like QR codes)", square_code, 0.5),
    ("bar codes of another number (drawn)", bar_code, 0.7),
    ("sudokus, one digit more", sudoku, 0.6),
):
    different(_name)(lambda random, _, draw=_draw, least=_smallest: changed_pair(draw, random, least))  # type: ignore[misc]
