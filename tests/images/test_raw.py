"""A camera's RAW file is looked at by its largest preview. The files are simulated: none of them was in a camera."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Input
from lookalike.images.decode import decode, decode_square, thumbnail
from lookalike.images.find import Found, find
from lookalike.images.formats import format_of
from lookalike.images.raw import ENDINGS, is_raw
from tests.images.hostile import noise, saved
from tests.images.raw_files import cr3, jpeg_of, raf, raw

SMALL, LARGE = jpeg_of((210, 40, 30), (160, 120)), jpeg_of((30, 60, 210), (640, 480))
KINDS = ["dng", "cr2", "nef", "arw", "rw2"]
SQUEEZED = Input(16, "squeeze")


@pytest.mark.parametrize(("kind", "order"), [*((kind, "<") for kind in KINDS), ("dng", ">"), ("nef", ">")])
def test_the_largest_preview_is_taken_and_turned_as_the_file_says(kind: str, order: str) -> None:
    data = raw(kind, SMALL, LARGE, order)
    assert format_of(data) == "RAW"
    square = decode_square(data, SQUEEZED)
    assert (square.width, square.height) == (480, 640)  # turned clockwise: what was below is at the left
    pixels = decode(data, SQUEEZED).pixels.astype(int)
    assert np.abs(pixels[:, 10:] - (30, 60, 210)).max() <= 12
    assert pixels[:, :6].max() <= 12
    expected = {"camera": f"Maker {kind.upper()}", "taken": "2021-02-03T04:05:06", "year": 2021, "media": "raw"}
    assert expected.items() <= square.facts.items()
    assert Image.open(BytesIO(thumbnail(data, 64))).size == (48, 64)


def test_files_that_are_no_tiff() -> None:
    with_exif = BytesIO()
    turned = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    Image.open(BytesIO(LARGE)).save(with_exif, "JPEG", exif=turned)
    for data, camera in ((raf(with_exif.getvalue()), None), (cr3(SMALL, LARGE), "Canon EOS R")):
        assert format_of(data) == "RAW"
        square = decode_square(data, SQUEEZED)
        assert (square.width, square.height) == (480, 640)
        assert (square.facts.get("camera"), square.facts["media"]) == (camera, "raw")


def test_without_a_preview_the_reason_says_so() -> None:
    data = raw("dng", b"\0" * 100, b"\0" * 100)
    with pytest.raises(PictureError, match=r"a camera's RAW file without a preview that can be read; export it"):
        decode(data, SQUEEZED)


def test_a_preview_that_is_cut_short_is_refused() -> None:
    whole = saved(noise(900, 1200), "JPEG")
    data = raw("nef", SMALL, whole)
    with pytest.raises(PictureError, match="truncated JPEG"):
        decode(data[: 2000 + len(SMALL) + len(whole) // 2], SQUEEZED)


@pytest.mark.parametrize("options", [{}, {"compression": "jpeg"}, {"compression": "tiff_lzw"}, {"big_tiff": True}])
def test_a_plain_tiff_is_none(options: dict[str, object]) -> None:
    file = BytesIO()
    noise(40, 60).save(file, "TIFF", **options)
    assert not is_raw(file.getvalue())
    assert format_of(file.getvalue()) == "TIFF"


@pytest.mark.filterwarnings("ignore")  # the children silence them
def test_any_damage_is_an_error_or_another_picture() -> None:
    dice = np.random.default_rng(8)
    for kind in KINDS:
        data = raw(kind, SMALL, LARGE)
        for length in range(0, 2100, 7):
            _decoded_or_refused(data[:length])
        for _ in range(60):
            changed = bytearray(data)
            for place in dice.integers(0, 2000, 20):
                changed[place] = dice.integers(0, 256)
            _decoded_or_refused(bytes(changed))


def _decoded_or_refused(data: bytes) -> None:
    with suppress(PictureError):
        decode(data, SQUEEZED)


def test_they_are_found_by_their_endings(tmp_path: Path) -> None:
    for ending in ENDINGS:
        (tmp_path / f"x.{ending.upper()}").write_bytes(b"x")
    assert sum(isinstance(each, Found) for each in find(tmp_path)) == len(ENDINGS)
