"""Long pictures as several squares, and letterboxed ones without their bars: by the fit `squares`."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from lookalike.fitting import LONG, MOST_SQUARES, Input, count_squares
from lookalike.images.bars import without_bars
from lookalike.images.decode import decode, fit_image
from lookalike.images.pool import DecoderPool, Loaded

SQUARES, SEAMLESS = Input(32, "squares"), Input(32, "seamless")


def noise(size: tuple[int, int], seed: int = 1) -> Image.Image:
    small = np.random.default_rng(seed).integers(60, 220, (max(2, size[1] // 40), max(2, size[0] // 40), 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str = "PNG", **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def mean_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ((100, 100), 1),
        ((159, 100), 1),
        ((100, 160), 3),
        ((240, 100), 3),
        ((100, 300), 4),
        ((351, 100), 5),
        ((9000, 100), MOST_SQUARES),
    ],
)
def test_so_many_squares_that_a_long_picture_is_covered(size: tuple[int, int], count: int) -> None:
    assert LONG == 1.6
    assert count_squares(*size) == count
    image = noise(size)
    assert decode(saved(image), SQUARES).pixels.shape == fit_image(image, SQUARES).shape == (32 * count, 32, 3)


@pytest.mark.parametrize("size", [(150, 100), (100, 150), (101, 100)])
def test_a_picture_that_is_not_long_is_the_square_that_it_was(size: tuple[int, int]) -> None:
    data = saved(noise(size))
    assert (decode(data, SQUARES).pixels == decode(data, SEAMLESS).pixels).all()


@pytest.mark.parametrize("turned", [False, True])
def test_the_squares_lie_along_the_picture(turned: bool) -> None:
    image = noise((400, 100))
    if turned:
        image = image.transpose(Image.Transpose.ROTATE_270)
    squares = decode(saved(image), SQUARES).pixels.reshape(-1, 32, 32, 3)
    assert len(squares) == 5
    for number, square in enumerate(squares):
        start = 75 * number
        box = (0, start, 100, start + 100) if turned else (start, 0, start + 100, 100)
        expected = fit_image(image.crop(box), Input(32, "squeeze"))
        assert mean_difference(square, expected) < 1.5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_is_upright(orientation: int) -> None:
    upright = noise((180, 80))
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = upright.transpose(stored[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[274] = orientation
    squares = decode(saved(image, exif=exif), SQUARES).pixels.reshape(-1, 32, 32, 3)
    expected = decode(saved(upright), SQUARES).pixels.reshape(-1, 32, 32, 3)
    order = sorted(range(3), key=lambda number: mean_difference(squares[number], expected[0]))
    assert mean_difference(squares[order[0]], expected[0]) < 1
    assert mean_difference(squares[1], expected[1]) < 1


def test_a_long_drawing_on_white_is_padded_whole() -> None:
    image = Image.new("RGB", (300, 100), "white")
    ImageDraw.Draw(image).ellipse((20, 20, 280, 80), fill="red")
    assert (decode(saved(image), SQUARES).pixels == decode(saved(image), SEAMLESS).pixels).all()


def test_a_child_gives_the_same_squares(tmp_path: Path) -> None:
    path = tmp_path / "wide.jpg"
    path.write_bytes(saved(noise((700, 300)), "JPEG", quality=90))
    with DecoderPool(workers=1) as pool:
        (loaded,) = pool.load([str(path)], SQUARES)
        (part,) = pool.load([str(path)], SQUARES, None)
    assert isinstance(loaded, Loaded)
    assert isinstance(part, Loaded)
    assert (loaded.pixels == decode(path.read_bytes(), SQUARES).pixels).all()
    assert loaded.pixels.shape == (96, 32, 3)


def boxed(image: Image.Image, frame: tuple[int, int]) -> Image.Image:
    around = Image.new("RGB", frame)
    around.paste(image, ((frame[0] - image.width) // 2, (frame[1] - image.height) // 2))
    return around


@pytest.mark.parametrize(
    ("size", "frame"), [((640, 268), (640, 360)), ((640, 268), (640, 480)), ((202, 360), (640, 360))]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_bars_are_left_out(size: tuple[int, int], frame: tuple[int, int], kind: str) -> None:
    still = noise(size, seed=3)
    found = decode(saved(boxed(still, frame), kind), SQUARES)
    expected = decode(saved(still), SQUARES)
    assert (found.width, found.height) == frame
    assert found.pixels.shape == expected.pixels.shape
    assert mean_difference(found.pixels, expected.pixels) < 3


def test_what_is_dark_but_no_bar_is_kept() -> None:
    night = np.zeros((300, 400, 3), np.uint8)
    night[100:] = (np.linspace(0, 120, 200)[:, np.newaxis, np.newaxis]).astype(np.uint8)
    night[250:] = 0
    uneven = boxed(noise((400, 200)), (400, 300)).transform((400, 300), Image.Transform.AFFINE, (1, 0, 0, 0, 1, 30))
    for image in (
        Image.fromarray(night),
        uneven,
        Image.new("RGB", (400, 300)),
        boxed(noise((400, 298)), (400, 300)),
        boxed(noise((40, 30)), (400, 300)),
        noise((400, 300)),
        Image.new("RGB", (3, 400)),
    ):
        assert without_bars(image, None) is None
