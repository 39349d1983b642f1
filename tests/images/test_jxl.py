"""JPEG XL: told by its content, its size read before its reader decodes, upright whatever EXIF says."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images import jxl
from lookalike.images.decode import decode
from lookalike.images.formats import format_of, open_picture

pytest.importorskip("pillow_jxl", reason="JPEG XL is an extra: pip install '.[jxl]'")

TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
"""EXIF that says: turn it clockwise by a quarter."""


def half(size: tuple[int, int]) -> Image.Image:
    """Blue above, red below."""
    image = Image.new("RGB", size, (200, 30, 30))
    image.paste((30, 60, 210), (0, 0, size[0], size[1] // 2))
    return image


def encode(size: tuple[int, int], **options: Any) -> bytes:
    file = BytesIO()
    half(size).save(file, "JXL", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"use_container": True}, {"lossless": True}, {"exif": TURNED}])
@pytest.mark.parametrize("size", [(40, 30), (256, 256), (8, 16), (300, 200), (1920, 1080), (7, 5), (2001, 11)])
def test_the_size_is_read_without_the_reader(size: tuple[int, int], options: dict[str, Any]) -> None:
    data = encode(size, **options)
    assert format_of(data) == "JXL"
    assert jxl.size(data) == open_picture(data).size == size
    with pytest.raises(PictureError, match=f"{size[0]} x {size[1]} pixels are more than the limit"):
        open_picture(data, max_pixels=size[0] * size[1] - 1)


@pytest.mark.parametrize("options", [{}, {"exif": TURNED}])
def test_pixels_are_upright_whatever_exif_says(options: dict[str, Any]) -> None:
    decoded = decode(encode((40, 60), **options), Input(16, "squeeze"))
    assert (decoded.width, decoded.height) == (40, 60)
    assert np.abs(decoded.pixels[:6].astype(int) - (30, 60, 210)).max() <= 12
    assert np.abs(decoded.pixels[10:].astype(int) - (200, 30, 30)).max() <= 12


def test_a_jpeg_that_was_packed_is_turned_as_its_exif_says(tmp_path: Any) -> None:
    half((40, 60)).save(tmp_path / "turned.jpg", exif=TURNED, quality=95)
    file = BytesIO()
    with Image.open(tmp_path / "turned.jpg") as image:
        image.save(file, "JXL", lossless_jpeg=True)
    decoded = decode(file.getvalue(), Input(16, "squeeze"))
    assert (decoded.width, decoded.height) == (60, 40)
    assert np.abs(decoded.pixels[:, :6].astype(int) - (200, 30, 30)).max() <= 25  # blue, above, is right now
    assert np.abs(decoded.pixels[:, 10:].astype(int) - (30, 60, 210)).max() <= 25


@pytest.mark.parametrize("kept", [12, 20, 60, 100])
def test_damage_is_refused(kept: int) -> None:
    with pytest.raises(PictureError, match="JXL"):
        decode(encode((300, 200), use_container=True)[:kept], Input(16, "squeeze"))
