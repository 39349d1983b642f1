"""Paper: statements, forms, letters, tables, tickets and pages as scanned at 150 to 200 dots an inch, drawn here."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .pair import Pair, different
from .sources import Source
from .twice import INK, WORDS, amount, changed_pair, date, font, name, other_digit, saved_pair, sentence, twice, visible

_STYLES = ("Sans", "Serif", "SansMono")


class Page:
    """A4, upright, on which lines of text go from the top to the bottom."""

    def __init__(self, random: Random, ground: tuple[int, int, int] = (255, 255, 255)) -> None:
        self.dots = random.choice((150, 150, 200))
        self.image = Image.new("RGB", (round(8.27 * self.dots), round(11.69 * self.dots)), ground)
        self.draw = ImageDraw.Draw(self.image)
        self.style = random.choice(_STYLES)
        self.left = self.points(random.randint(45, 70))
        self.y = self.points(random.randint(45, 70))

    def points(self, size: float) -> int:
        return round(size * self.dots / 72)

    def line(self, *cells: tuple[float, str], size: float = 10, bold: bool = False) -> None:
        """One line: texts at shares of the page's width."""
        style = self.style + ("-Bold" if bold else "")
        for share, text in cells:
            self.draw.text((self.left + share * self.image.width, self.y), text, INK, font(self.points(size), style))
        self.y += self.points(size * 1.6)

    def rule(self) -> None:
        self.draw.line((self.left, self.y, self.image.width - self.left, self.y), (120, 120, 120), self.points(0.8))
        self.y += self.points(6)


def _head(page: Page, random: Random) -> None:
    colour = tuple(random.randint(0, 160) for _ in range(3))
    page.draw.rectangle((page.left, page.y, page.left + page.points(90), page.y + page.points(28)), colour)
    page.y += page.points(36)
    page.line(
        (0, f"{random.choice(('Bank', 'Savings bank', 'Credit union'))} of {name(random).split()[1]}town"), size=15
    )
    page.line((0, name(random)), (0.5, f"Account {random.randint(10**9, 10**10 - 1)}"))
    page.y += page.points(18)


def statement(random: Random, changed: bool) -> Image.Image:
    """Several rows; one amount differs in one digit."""
    page = Page(random)
    _head(page, random)
    page.line((0, f"Statement {random.randint(1, 12)}/{random.randint(2015, 2026)}"), size=13, bold=True)
    page.rule()
    rows = [
        (date(random), sentence(random, random.randint(1, 4)), amount(random)) for _ in range(random.randint(4, 28))
    ]
    place = random.randrange(len(rows))
    other = other_digit(rows[place][2], random)
    for at, (day, text, sum_) in enumerate(rows):
        page.line((0, day), (0.14, text), (0.62, other if changed and at == place else sum_))
    page.rule()
    page.line((0, "New balance"), (0.62, amount(random)), bold=True)
    return page.image


def next_statement(random: Random, changed: bool) -> Image.Image:
    """The same account, another month: other rows under the same head."""
    page = Page(random)
    _head(page, random)
    rows, month = random.randint(4, 28), random.randint(1, 11)
    rest = Random(random.getrandbits(32) + changed)
    page.line((0, f"Statement {month + changed}/2024"), size=13, bold=True)
    page.rule()
    for _ in range(rows):
        page.line((0, date(rest)), (0.14, sentence(rest, 2)), (0.62, amount(rest)))
    page.rule()
    page.line((0, "New balance"), (0.62, amount(rest)), bold=True)
    return page.image


def form(random: Random, changed: bool) -> Image.Image:
    """Boxes with what was filled in; one digit differs."""
    page = Page(random, random.choice(((255, 255, 255), (252, 246, 230), (232, 242, 235))))
    page.line((0, f"Form {random.choice('ABCDEFG')}-{random.randint(10, 99)}"), size=18, bold=True)
    page.line((0, sentence(random, 12)), size=7)
    fields = random.randint(6, 18)
    place = random.randrange(fields)
    for at in range(fields):
        value = f"{random.randint(10**5, 10**9)}"
        other = other_digit(value, random)
        page.line((0, f"{at + 1}. {random.choice(WORDS).capitalize()} {random.choice(WORDS)}"), size=8)
        box = (page.left, page.y, page.left + round(0.5 * page.image.width), page.y + page.points(18))
        page.draw.rectangle(box, (255, 255, 255), (90, 90, 90))
        page.draw.text(
            (page.left + page.points(4), page.y + page.points(3)),
            other if changed and at == place else value,
            (10, 20, 120),
            font(page.points(11), "SansMono"),
        )
        page.y += page.points(26)
    return page.image


def letter(random: Random, changed: bool) -> Image.Image:
    """The same text with another date."""
    page = Page(random)
    day = date(random)
    other = other_digit(day, random)
    page.line((0, name(random)), size=11)
    page.line(
        (0, f"{random.choice(WORDS).capitalize()} street {random.randint(1, 200)}"), (0.5, other if changed else day)
    )
    page.y += page.points(40)
    page.line((0, f"Dear {name(random)},"), size=11)
    for _ in range(random.randint(5, 30)):
        page.line((0, " ".join(random.choice(WORDS) for _ in range(11))), size=10.5)
    page.line((0, "Yours,"), size=11)
    page.line((0, name(random)), size=11)
    return page.image


def text_page(random: Random, changed: bool) -> Image.Image:
    """A page full of text; one line of it reads otherwise."""
    page = Page(random)
    lines = random.randint(30, 44)
    place = random.randrange(lines)
    for at in range(lines):
        text, other = (" ".join(random.choice(WORDS) for _ in range(12)) for _ in range(2))
        page.line((0, other if changed and at == place else text), size=9.5)
    return page.image


def receipt(random: Random, changed: bool) -> Image.Image:
    """A narrow one, photographed flat; one price differs in one digit."""
    width = random.choice((480, 600, 720))
    rows = random.randint(8, 40)
    size = round(width * 0.05)
    image = Image.new("RGB", (width, (rows + 8) * round(size * 1.5)), (246, 244, 238))
    draw = ImageDraw.Draw(image)
    place = random.randrange(rows)
    draw.text((width * 0.2, size), f"{name(random).split()[1]} & Co", INK, font(round(size * 1.4), "SansMono-Bold"))
    for at in range(rows):
        price = amount(random)
        other = other_digit(price, random)
        y = (at + 4) * round(size * 1.5)
        draw.text((width * 0.05, y), random.choice(WORDS), INK, font(size, "SansMono"))
        draw.text((width * 0.65, y), other if changed and at == place else price, INK, font(size, "SansMono"))
    return image


def spreadsheet(random: Random, changed: bool) -> Image.Image:
    """A grid of numbers on a screen; one cell differs in one digit."""
    columns, rows = random.randint(4, 9), random.randint(10, 30)
    image = Image.new("RGB", (columns * 150 + 60, rows * 30 + 30), "white")
    draw = ImageDraw.Draw(image)
    place = (random.randrange(columns), random.randrange(rows))
    for column in range(columns):
        draw.line((60 + column * 150, 0, 60 + column * 150, image.height), (200, 200, 200))
        for row in range(rows):
            text = amount(random)
            other = other_digit(text, random)
            shown = other if changed and (column, row) == place else text
            draw.text((70 + column * 150, 36 + row * 30), shown, INK, font(18))
    for row in range(rows):
        draw.line((0, 30 + row * 30, image.width, 30 + row * 30), (200, 200, 200))
        draw.text((10, 36 + row * 30), str(row + 1), (110, 110, 110), font(16))
    return image


def ticket(random: Random, changed: bool) -> Image.Image:
    """The same concert, the seat beside."""
    image = Image.new("RGB", (1200, 480), tuple(random.randint(190, 255) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    seat = random.randint(1, 58)
    draw.text((60, 50), sentence(random, 2), INK, font(64, "Serif-Bold"))
    draw.text((60, 180), f"{date(random)}   {random.randint(17, 21)}:30", INK, font(40, "Serif"))
    draw.text((60, 300), f"Row {random.randint(1, 30)}   Seat {seat + changed}", INK, font(random.choice((26, 34, 44))))
    for bar in range(60):
        if random.random() < 0.5:
            draw.rectangle((960 + bar * 3, 40, 962 + bar * 3, 440), INK)
    return image


def numbered_page(random: Random, changed: bool) -> Image.Image:
    """Almost empty pages whose number, right at the edge, differs."""
    page = Page(random)
    number = random.randint(1, 300)
    if random.random() < 0.5:
        page.line((0, sentence(random, 8)))
    size = page.points(random.choice((9, 11)))
    x = random.choice((page.points(4), page.image.width // 2, page.image.width - page.points(26)))
    y = random.choice((2, page.image.height - round(size * 1.25)))
    page.draw.text((x, y), str(number + changed), INK, font(size))
    return page.image


for _name, _draw in (
    ("statements, one digit changed", statement),
    ("statements of one template, another month", next_statement),
    ("forms, one digit changed", form),
    ("letters, another date", letter),
    ("pages of text, one line changed", text_page),
    ("receipts, one digit changed", receipt),
    ("tables on a screen, one digit changed", spreadsheet),
    ("tickets, the seat beside", ticket),
    ("pages, another number at the edge", numbered_page),
):
    different(_name)(lambda random, _, draw=_draw: changed_pair(draw, random))  # type: ignore[misc]


def _scan(page: Image.Image, random: Random, turn: float) -> Image.Image:
    """As a scanner sees it: laid on a little askew, lit from one side, with its dust and noise."""
    random_array = np.random.default_rng(random.getrandbits(32))
    shift = (random.uniform(-14, 14), random.uniform(-14, 14))
    turned = page.rotate(
        turn, Image.Resampling.BICUBIC, translate=(round(shift[0]), round(shift[1])), fillcolor=(236, 236, 236)
    )
    pixels = np.asarray(turned.filter(ImageFilter.GaussianBlur(random.uniform(0.4, 0.9))), np.float32)
    light = np.linspace(random.uniform(0.9, 0.97), 1, page.width, dtype=np.float32)[None, :, None]
    noise = random_array.normal(0, random.uniform(2, 4), pixels.shape).astype(np.float32)
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))


@different("scans of one page twice (simulated: laid on askew anew, other light and noise)")
def scanned_twice(random: Random, _: Source | None) -> Pair | None:
    page = random.choice((statement, form, letter, text_page))(random, False)
    turn = random.uniform(-1, 0.5)
    one, other = _scan(page, random, turn), _scan(page, random, turn + random.uniform(0.4, 1.2))
    return saved_pair(one, other, random)


@different("mirrored, and one digit changed")
def mirrored_and_changed(random: Random, _: Source | None) -> Pair | None:
    one, other = twice(random.choice((statement, form, receipt, spreadsheet)), random)
    if not visible(one, other):
        return None
    turn = random.choice((Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180))
    return saved_pair(one, other.transpose(turn), random, smallest=1)


@different("resized to 25 %, and one line changed")
def small_and_changed(random: Random, _: Source | None) -> Pair | None:
    """Large letters, so that those of a quarter can be read."""

    def poster(random: Random, changed: bool) -> Image.Image:
        image = Image.new("RGB", (2400, 3200), tuple(random.randint(200, 255) for _ in range(3)))
        draw = ImageDraw.Draw(image)
        lines = random.randint(8, 26)
        place = random.randrange(lines)
        for at in range(lines):
            text, other = (" ".join(random.choice(WORDS) for _ in range(5)) for _ in range(2))
            draw.text((150, 150 + at * 112), other if changed and at == place else text, INK, font(64, "Serif"))
        return image

    one, other = twice(poster, random)
    return saved_pair(one, other.resize((600, 800), Image.Resampling.LANCZOS), random, smallest=1)
