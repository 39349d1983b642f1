"""Pictures that are transparent in places, which are looked at over white."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from lookalike.images.compare.compare import compare
from lookalike.images.compare.verdict import Verdict
from lookalike.images.compare.whole import Whole, whole

RED, WHITE, NOTHING = (200, 30, 60, 255), (255, 255, 255, 255), (0, 0, 0, 0)


def drawing(shape: str, colour: tuple[int, ...], ground: tuple[int, ...] = NOTHING) -> Image.Image:
    image = Image.new("RGBA", (400, 300), ground)
    draw = ImageDraw.Draw(image)
    if shape == "disc":
        draw.ellipse((50, 50, 250, 250), fill=colour)
    else:
        draw.rectangle((100, 80, 350, 200), fill=colour)
    draw.line((0, 0, 400, 300), fill=colour, width=5)
    return image


def packed(image: Image.Image, kind: str = "PNG", **options: Any) -> Whole:
    file = BytesIO()
    image.save(file, kind, **options)
    return whole(file.getvalue())


def test_white_drawings_that_nothing_is_seen_of_are_different() -> None:
    assert compare(packed(drawing("disc", WHITE)), packed(drawing("box", WHITE))) == Verdict("different")
    blank = Image.new("RGB", (400, 300), "white")
    assert compare(packed(drawing("disc", WHITE)), packed(blank)) == Verdict("different")


def test_the_colour_of_what_is_transparent_does_not_matter() -> None:
    hidden = drawing("disc", RED, (10, 200, 30, 0))
    assert compare(packed(drawing("disc", RED)), packed(hidden)) == Verdict("same pixels")


def test_copies_with_and_without_transparency() -> None:
    original = drawing("disc", RED)
    flat = Image.new("RGB", original.size, "white")
    flat.paste(original, mask=original)
    copies = [packed(original.resize((200, 150))), packed(flat), packed(flat, "JPEG", quality=90)]
    assert [compare(packed(original), copy) for copy in copies] == [Verdict("resized or recompressed")] * 3


def test_white_on_it_that_differs_is_seen() -> None:
    one, other = drawing("disc", RED), drawing("disc", RED)
    ImageDraw.Draw(one).rectangle((300, 200, 380, 280), fill=WHITE)
    assert compare(packed(one), packed(other)).kind in ("edited", "different")
