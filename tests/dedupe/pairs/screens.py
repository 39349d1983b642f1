"""What telephones and computers show: chats, settings, program text, memes, drawn here."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageDraw

from .pair import Pair, different
from .saved import fitted
from .sources import Source, opened
from .twice import WORDS, changed_pair, font, name, other_digit, saved_pair, sentence

PHONE = (1080, 2340)


def _bar(draw: ImageDraw.ImageDraw, title: str, clock: str, dark: bool) -> None:
    """The clock and the name at the top of a chat."""
    ink = (235, 235, 235) if dark else (20, 20, 20)
    draw.rectangle((0, 0, PHONE[0], 240), (31, 44, 52) if dark else (235, 240, 242))
    draw.text((50, 22), clock, ink, font(38))
    draw.ellipse((40, 110, 140, 210), (120, 140, 150))
    draw.text((170, 125), title, ink, font(48, "Sans-Bold"))


def _bubbles(draw: ImageDraw.ImageDraw, texts: list[str], random: Random, dark: bool) -> None:
    ink = (235, 235, 235) if dark else (20, 20, 20)
    y = 280
    for text in texts:
        mine = random.random() < 0.5
        lines = [text[at : at + 30] for at in range(0, len(text), 30)]
        width, height = 60 + max(round(draw.textlength(line, font(38))) for line in lines), 40 + 52 * len(lines)
        left = PHONE[0] - 40 - width if mine else 40
        colours = ((0, 92, 75), (31, 44, 52)) if dark else ((217, 253, 211), (255, 255, 255))
        draw.rounded_rectangle((left, y, left + width, y + height), 28, colours[not mine])
        for at, line in enumerate(lines):
            draw.text((left + 30, y + 18 + at * 52), line, ink, font(38))
        y += height + random.choice((18, 18, 60))


def _chat(random: Random, changed: bool, what: str) -> Image.Image:
    dark = random.random() < 0.4
    image = Image.new("RGB", PHONE, (11, 20, 26) if dark else (239, 231, 222))
    draw = ImageDraw.Draw(image)
    title, other = name(random), name(random)
    clock = f"{random.randint(10, 23)}:{random.randint(10, 59)}"
    later = other_digit(clock, random)
    _bar(draw, other if changed and what == "name" else title, later if changed and what == "clock" else clock, dark)
    texts = [sentence(random, random.randint(1, 14)) for _ in range(random.randint(5, 12))]
    top, said = random.randrange(2), sentence(random, random.randint(2, 8))
    if changed and what == "message":
        texts[top] = (said + " " * 60)[: len(texts[top])].strip() or said
    _bubbles(draw, texts, random, dark)
    return image


@different("chat screenshots, another name at the top")
def chat_names(random: Random, _: Source | None) -> Pair | None:
    return changed_pair(lambda chance, changed: _chat(chance, changed, "name"), random, smallest=0.5)


@different("chat screenshots, one message changed near the top")
def chat_messages(random: Random, _: Source | None) -> Pair | None:
    return changed_pair(lambda chance, changed: _chat(chance, changed, "message"), random, smallest=0.5)


@different("chat screenshots, another minute on the clock")
def chat_clocks(random: Random, _: Source | None) -> Pair | None:
    return changed_pair(lambda chance, changed: _chat(chance, changed, "clock"), random, smallest=0.6)


def settings_screen(random: Random, changed: bool) -> Image.Image:
    image = Image.new("RGB", PHONE, (246, 246, 248))
    draw = ImageDraw.Draw(image)
    rows = random.randint(8, 16)
    place = random.randrange(rows)
    for at in range(rows):
        y = 200 + at * 125
        title = f"{random.choice(WORDS).capitalize()} {random.choice(WORDS)}"
        draw.text((60, y + 30), title, (20, 20, 20), font(42))
        on = (random.random() < 0.5) != (changed and at == place)
        draw.rounded_rectangle((900, y + 25, 1000, y + 81), 28, (52, 199, 89) if on else (209, 209, 214))
        draw.ellipse((946 if on else 902, y + 27, 998 if on else 954, y + 79), "white")
    return image


@different("settings, one switch turned")
def settings(random: Random, _: Source | None) -> Pair | None:
    return changed_pair(settings_screen, random, smallest=0.4)


@different("program text, one number changed")
def program_text(random: Random, _: Source | None) -> Pair | None:
    def draw_program(random: Random, changed: bool) -> Image.Image:
        image = Image.new("RGB", (1280, 800), random.choice(((30, 30, 30), (255, 255, 255), (0, 43, 54))))
        ink = (220, 220, 220) if sum(image.getpixel((0, 0))) < 300 else (30, 30, 30)  # type: ignore[arg-type]
        draw = ImageDraw.Draw(image)
        lines = random.randint(12, 30)
        place = random.randrange(lines)
        for at in range(lines):
            number = str(random.randint(10, 9999))
            other = other_digit(number, random)
            shown = other if changed and at == place else number
            indent = "    " * random.randint(0, 3)
            text = f"{indent}{random.choice(WORDS)}_{random.choice(WORDS)} = {random.choice(WORDS)}({shown})"
            draw.text((20, 14 + at * 25), text, ink, font(18, "SansMono"))
        return image

    return changed_pair(draw_program, random, smallest=0.8)


def caption(photo: Image.Image, lines: tuple[str, str]) -> Image.Image:
    """White letters with a black edge at the top and the bottom."""
    photo = photo.copy()
    draw = ImageDraw.Draw(photo)
    size = max(14, photo.width // 16)
    for text, y in zip(lines, (size * 0.3, photo.height - size * 1.5), strict=True):
        left = (photo.width - draw.textlength(text, font(size, "Sans-Bold"))) / 2
        draw.text(
            (left, y), text, "white", font(size, "Sans-Bold"), stroke_width=max(1, size // 12), stroke_fill="black"
        )
    return photo


@different("memes, other captions, of drawings", "drawing")
@different("memes, other captions", "photo")
def memes(random: Random, source: Source | None) -> Pair | None:
    photo = fitted(opened(source), random.choice((500, 800, 1200)), random)
    if min(photo.size) < 200:
        return None
    top, bottom, other = (sentence(random, 3).upper()[:22] for _ in range(3))
    lines = random.choice(((other, bottom), (top, other)))
    return saved_pair(caption(photo, (top, bottom)), caption(photo, lines), random, smallest=0.5)
