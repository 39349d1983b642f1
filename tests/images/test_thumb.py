"""Thumbnails, and hashes that only the same pixels share."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike import demo
from lookalike.fitting import Input
from lookalike.images.decode import decode_square
from lookalike.images.thumb import COLOUR_SIDE, SIDE, THUMB_BYTES

INPUT = Input(32, "squeeze")


def photo() -> Image.Image:
    with Image.open(Path(demo.folder(), "boats", "tall_ship.jpg")) as picture:
        return picture.convert("RGB")


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def thumb(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.frombuffer(decode_square(data, INPUT).thumb, np.uint8).astype(np.int16)


def same(data: bytes) -> bytes:
    return decode_square(data, INPUT).same


def test_a_thumbnail_is_lightness_and_colour() -> None:
    red = Image.new("RGB", (300, 200), (254, 0, 0))
    red.paste((0, 0, 0), (150, 0, 300, 200))
    found = thumb(encoded(red, "PNG"))
    assert len(found) == THUMB_BYTES
    light = found[: SIDE * SIDE].reshape(SIDE, SIDE)
    assert np.allclose(light[:, : SIDE // 2 - 1], 76, atol=1)
    assert (light[:, SIDE // 2 + 1 :] == 0).all()
    cr = found[-(COLOUR_SIDE**2) :].reshape(COLOUR_SIDE, COLOUR_SIDE)
    assert (cr[:, 0] > 250).all()
    assert np.allclose(cr[:, -1], 128, atol=1)


def test_of_a_smaller_recompressed_copy_it_is_nearly_the_same() -> None:
    picture = photo()
    small = picture.resize((picture.width // 3, picture.height // 3), Image.Resampling.LANCZOS)
    difference = np.abs(thumb(encoded(picture, "PNG")) - thumb(encoded(small, "JPEG", quality=60)))
    assert difference.mean() < 2


@pytest.mark.parametrize("turn", range(1, 9))
def test_it_is_upright(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = photo().transpose(turned[turn]) if turn > 1 else photo()
    stored_file = encoded(stored, "PNG", exif=exif)
    assert np.abs(thumb(stored_file) - thumb(encoded(photo(), "PNG"))).max() <= 1
    assert same(stored_file) == same(encoded(photo(), "PNG"))


def test_metadata_do_not_change_the_hash_of_a_jpeg() -> None:
    data = encoded(photo(), "JPEG", quality=80)
    exif, comment = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", b"a comment"
    segments = b"".join(
        bytes([0xFF, marker]) + (len(text) + 2).to_bytes(2, "big") + text
        for marker, text in ((0xE1, exif), (0xFE, comment), (0xED, b"Photoshop 3.0\0"))
    )
    assert same(data[:2] + segments + data[2:]) == same(data)
    assert same(encoded(photo(), "JPEG", quality=81)) != same(data)


def test_an_exif_turn_changes_the_hash_of_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    assert same(encoded(photo(), "JPEG", exif=exif)) != same(encoded(photo(), "JPEG"))


@pytest.mark.parametrize("tamper", [lambda data: data[:-40] + b"\0" * 38 + data[-2:], lambda data: data + b"more"])
def test_whatever_is_decoded_counts(tamper: Callable[[bytes], bytes]) -> None:
    data = encoded(photo(), "JPEG")
    assert same(tamper(data)) != same(data)


def test_lossless_containers_share_it() -> None:
    picture = photo()
    assert (
        same(encoded(picture, "PNG")) == same(encoded(picture, "WEBP", lossless=True)) == same(encoded(picture, "BMP"))
    )
    few = picture.quantize(64)
    assert same(encoded(few, "PNG")) == same(encoded(few.convert("RGB"), "PNG"))


def test_what_transparency_hides_counts() -> None:
    """Two white drawings on transparent ground look blank over white."""
    drawings = []
    for box in ((10, 10, 30, 30), (30, 30, 60, 60)):
        drawing = Image.new("RGBA", (80, 80), (255, 255, 255, 0))
        drawing.paste((255, 255, 255, 255), box)
        drawings.append(encoded(drawing, "PNG"))
    assert same(drawings[0]) != same(drawings[1])
    opaque = Image.new("RGBA", (80, 80), (1, 2, 3, 255))
    assert same(encoded(opaque, "PNG")) == same(encoded(opaque.convert("RGB"), "PNG"))
