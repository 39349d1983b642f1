"""Of a file of several pictures the first is looked at, and the fact `pages` says how many they are."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from lookalike.fitting import Input
from lookalike.images.decode import decode_square
from lookalike.images.facts import unpack
from lookalike.images.pages import MOST


def several(kind: str, count: int, **options: Any) -> bytes:
    frames = [Image.new("RGB", (8, 8), (20 * i, 255 - 20 * i, 60)) for i in range(count)]
    file = BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


def pages(data: bytes) -> object:
    return decode_square(data, Input(8, "squeeze")).facts.get("pages")


@pytest.mark.parametrize("count", [2, 7])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("GIF", {}), ("TIFF", {}), ("TIFF", {"big_tiff": True}), ("WEBP", {}), ("AVIF", {}), ("PNG", {})],
)
def test_each_format_that_may_hold_several(kind: str, options: dict[str, Any], count: int) -> None:
    assert pages(several(kind, count, **options)) == count


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "AVIF", "PNG", "JPEG", "BMP"])
def test_one_is_not_worth_a_fact(kind: str) -> None:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    assert pages(file.getvalue()) is None


def test_what_a_phone_keeps_beside_a_jpeg_is_no_page() -> None:
    assert pages(several("MPO", 2)) is None


def test_a_thumbnail_in_a_tiff_is_no_page() -> None:
    file = BytesIO()
    thumbnail = Image.new("RGB", (4, 4))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    Image.new("RGB", (8, 8)).save(file, "TIFF", save_all=True, append_images=[thumbnail], tiffinfo={254: 0})
    data = bytearray(file.getvalue())
    at = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[at : at + 2], "little")
    second = int.from_bytes(data[at + 2 + 12 * count : at + 6 + 12 * count], "little")
    assert struct.unpack_from("<H", data, second + 2) == (254,)
    data[second + 10] = 1
    assert pages(bytes(data)) is None


def test_no_more_are_counted_than_fit() -> None:
    data = several("GIF", 1)
    frame = data[data.index(b"\x2c") : -1]
    many = decode_square(data[:-1] + frame * (MOST + 10) + b";", Input(8, "squeeze")).facts
    assert many["pages"] == MOST
    assert unpack(b'{"pages":%d}' % MOST) == {"pages": MOST}
