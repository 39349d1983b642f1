"""What is a picture, by its content."""

from __future__ import annotations

import sys
from base64 import b64decode
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images import wire, worker
from lookalike.images.decode import decode
from lookalike.images.formats import format_of, open_picture

FORMATS = ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"]


def encode(kind: str, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize(size).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_known_by_its_content(kind: str) -> None:
    data = encode(kind)
    assert format_of(data) == kind
    assert open_picture(data).size == (40, 30)


@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_both_kinds(big: bool) -> None:
    assert open_picture(encode("TIFF", big_tiff=big)).size == (40, 30)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"Dear diary,\n\tthis is no picture. \xe2\x9c\x93\n", "its content is text"),
        (b"<!DOCTYPE html><html>404</html>", "its content is text"),
        (
            b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
            "its content is a vector drawing",
        ),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 100, "a video, of which a frame|a damaged video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0" * 100, "RAW"),
        (b"PK\3\4" + b"\0" * 100, "its content is of no known format"),
        (b"P6 2 2 255 " + b"\0" * 12, "its content is of no known format"),  # Pillow would read it
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "its content is text",
        ),  # nor Ghostscript started
    ],
)
def test_what_is_no_picture_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        open_picture(data)


@pytest.mark.filterwarnings("ignore:.*EXIF")  # the children silence them
@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_header_is_refused(kind: str) -> None:
    data = encode(kind)
    with pytest.raises(PictureError, match=f"damaged {kind} file|no known format"):
        open_picture(data[:20] + b"\xaa" * 40)


def test_the_limit_of_pixels_is_checked_in_the_header() -> None:
    data = encode("PNG", (1000, 100))
    assert open_picture(data, max_pixels=100_000).size == (1000, 100)
    with pytest.raises(
        PictureError, match=r"1000 x 100 pixels are more than the limit of 0\.099999 million; make a smaller copy"
    ):
        open_picture(data, max_pixels=99_999)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_the_size_of_a_webp_is_read_without_its_reader(options: dict[str, Any]) -> None:
    data = encode("WEBP", (300, 200), **options)
    assert data[12:16] in (b"VP8 ", b"VP8L", b"VP8X")
    with pytest.raises(PictureError, match="300 x 200 pixels are more than the limit"):
        open_picture(data, max_pixels=59_999)
    assert open_picture(data, max_pixels=60_000).size == (300, 200)
    for length in range(12, len(data)):
        with pytest.raises(PictureError, match=r"WEBP|300 x 200 pixels"):
            open_picture(data[:length], max_pixels=59_999).load()


@pytest.mark.parametrize(
    ("package", "data", "cure"),
    [
        ("pi_heif", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100, "pip install pi-heif"),
        ("av", b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 100, r"pip install '\.\[video\]'"),
        ("pillow_jxl", b"\xff\x0a" + b"\0" * 100, r"pip install '\.\[jxl\]'"),
    ],
)
def test_without_its_reader_the_cure_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str, data: bytes, cure: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PictureError, match=cure):
        open_picture(data)


def test_avif_is_told_from_heic_by_all_its_brands() -> None:
    assert format_of(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert format_of(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIF"


def test_the_first_frame_stands_for_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        file = BytesIO()
        options = {"lossless": True} if kind == "WEBP" else {}
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100, **options)
        red, green, blue = decode(file.getvalue(), Input(8, "squeeze")).pixels.reshape(-1, 3).mean(axis=0)
        assert red > 245, kind
        assert max(green, blue) < 10, kind


# 32 x 16 pixels, blue at the left and red at the right, to be turned clockwise by a quarter.
HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAcdtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA
ADRpbG9jAAAAAERAAAIAAQAAAAAB6wABAAAAAAAAAHwAAgAAAAACZwABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAA
AAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABBmlwcnAAAADlaXBjbwAAAHVodmNDAQNwAAAA
kAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq
rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFw
AAAAIAAAAAEAAAAQAAAAAf///+AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAACWlyb3QDAAAAGWlwbWEAAAAAAAAAAQAB
BoECAwWEhgAAABppcmVmAAAAAAAAAA5jZHNjAAIAAQABAAAAqG1kYXQAAAB4KAGvEyGdifj4EPdn/+jJrB8Hqj/gHuWwXy/r/+QM
2X5hv+kFHoC8POCHbGmAGQuYJkfDnCmwGLNKeTehmOsVosMhmrpYULHSWqs+zUn+/9kUAePjIaGk3z12L8ZZrmoQKhuM0swkaQIi
6EIvRdL18jc9onqB9ILAAAAABkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA
"""


def test_heic_is_read_upright() -> None:
    decoded = decode(b64decode(HEIC), Input(16, "squeeze"))
    assert (decoded.width, decoded.height) == (16, 32)
    assert np.abs(decoded.pixels[:6].astype(int) - (20, 90, 220)).max() <= 25
    assert np.abs(decoded.pixels[10:].astype(int) - (200, 60, 30)).max() <= 25
    with pytest.raises(PictureError, match="HEIF"):
        decode(b64decode(HEIC)[:300], Input(16, "squeeze"))


@pytest.mark.parametrize("what", [wire.LOAD, wire.THUMBNAIL])
def test_heic_has_more_time(what: int) -> None:
    times: list[float] = []
    request = wire.Request(what, None, b64decode(HEIC), Input(16, "squeeze"))
    assert worker.answer(request, 1 << 30, 1000, times.append)[:1] == wire.OK
    assert times == [wire.HEIC_TIMES]
