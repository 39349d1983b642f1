"""The black bars of a letterboxed picture: they are no part of what it shows."""

from __future__ import annotations

from PIL import Image

from lookalike.images.colour import to_srgb

_PARTS = 16  # of each line, of which the lightest counts
_DARK = 28  # and below, in each channel: what compression leaves of black
_LIGHT = 40  # and above: where the picture begins, which a night sky does not do at once
_LEAST = 0.03  # of the picture's side: thinner ones do no harm
_MOST = 0.8  # both together
_UNEVEN = 0.02  # how much one may be thicker


def without_bars(image: Image.Image, profile: bytes | None) -> tuple[int, int, int, int] | None:
    """The part (left, top, right, bottom) of a picture that is between two black bars; None where there are none.

    They are above and below or on both sides, equally thick, all black, and end at once: so a dark picture has none.
    """
    width, height = image.size
    if min(width, height) < _PARTS:
        return None
    top_and_bottom = (0, 0, width, 1), (0, height - 1, width, height)
    if all(_is_dark(image, box, profile) for box in top_and_bottom):
        rows = image.resize((_PARTS, height), Image.Resampling.BOX)
        if bar := _bar(to_srgb(rows, profile)):
            return (0, bar, width, height - bar)
    sides = (0, 0, 1, height), (width - 1, 0, width, height)
    if all(_is_dark(image, box, profile) for box in sides):
        columns = image.resize((width, _PARTS), Image.Resampling.BOX).transpose(Image.Transpose.TRANSPOSE)
        if bar := _bar(to_srgb(columns, profile)):
            return (bar, 0, width - bar, height)
    return None


def _is_dark(image: Image.Image, box: tuple[int, int, int, int], profile: bytes | None) -> bool:
    line = to_srgb(image.resize((_PARTS, 1), Image.Resampling.BOX, box), profile)
    return max(line.tobytes()) <= _DARK


def _bar(lines: Image.Image) -> int | None:
    """How many lines either bar takes, with those where it is blurred."""
    data, size = lines.tobytes(), 3 * _PARTS
    lightest = [max(data[start : start + size]) for start in range(0, len(data), size)]
    first, last = _begin(lightest), _begin(lightest[::-1])
    if first is None or last is None:
        return None
    thickest, count = max(first, last), len(lightest)
    if min(first, last) < _LEAST * count or first + last > _MOST * count or abs(first - last) > _UNEVEN * count + 1:
        return None
    return thickest + 1  # the line where they meet is of both


def _begin(lightest: list[int]) -> int | None:
    """Where the picture begins, behind the dark lines; None where it does so little by little."""
    dark = next((number for number, light in enumerate(lightest) if light > _DARK), None)
    if dark is None or max(lightest[dark : dark + 3]) < _LIGHT:
        return None
    return next(number for number in range(dark, dark + 3) if lightest[number] >= _LIGHT)
