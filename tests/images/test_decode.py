from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Box, Fit, Input
from lookalike.images.decode import decode, fit_image, thumbnail

FITS: tuple[Fit, ...] = ("squeeze", "crop", "pad", "seamless")


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def scene(width: int, height: int) -> Image.Image:
    """Smooth, and different at each corner."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([x / width, y / height, (np.sin(x / 17) + np.cos(y / 23) + 2) / 4], axis=-1)
    return Image.fromarray((waves * 255).astype(np.uint8))


# -- orientation

# How a picture must be stored so that its EXIF orientation shows it upright (EXIF 2.32, section 4.6.4).
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[::-1],
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
}

LEAST_LOSS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "WEBP": {"lossless": True},
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_eight_orientations_give_the_same_pixels(kind: str, orientation: int, fit: Fit) -> None:
    image = scene(160, 100)
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](np.asarray(image))))
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = decode(encode(stored, kind, exif=exif, **LEAST_LOSS.get(kind, {})), Input(32, fit))
    expected = decode(encode(image, "PNG"), Input(32, fit))
    assert (got.width, got.height) == (160, 100)
    difference = np.abs(got.pixels.astype(int) - expected.pixels)
    assert difference.max() <= (4 if kind == "JPEG" else 1)  # the two passes of a resize round in another order


def test_orientation_of_a_large_jpeg_and_of_an_image_in_memory() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = scene(1201, 1200).transpose(Image.Transpose.ROTATE_90)
    data = encode(stored, "JPEG", exif=exif, quality=95)
    got = decode(data, Input(32, "squeeze"))
    assert (got.width, got.height) == (1201, 1200)  # although 1/8 of either is 150 or 151
    image = Image.open(BytesIO(data))
    assert np.abs(fit_image(image, Input(32, "squeeze")).astype(int) - got.pixels).max() <= 8
    assert image.size == (1200, 1201), "the user's image is left alone"


@pytest.mark.filterwarnings("ignore:.*EXIF")  # the children silence them
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40])
def test_a_damaged_exif_block_leaves_the_picture(exif: bytes) -> None:
    image = scene(64, 64)
    assert np.array_equal(decode(encode(image, "PNG", exif=exif), Input(64, "squeeze")).pixels, np.asarray(image))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = scene(64, 64)
    assert np.array_equal(decode(encode(image, "PNG", exif=exif), Input(64, "squeeze")).pixels, np.asarray(image))


# -- fit


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (3, 2), (224, 224), (1000, 700)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_any_size_becomes_a_square(size: tuple[int, int], fit: Fit, kind: str) -> None:
    decoded = decode(encode(Image.new("RGB", size, (200, 100, 50)), kind), Input(224, fit))
    assert decoded.pixels.shape == (224, 224, 3)
    assert decoded.pixels.dtype == np.uint8
    assert (decoded.width, decoded.height) == size


@pytest.mark.parametrize("fit", FITS)
def test_a_picture_without_pixels_is_refused(fit: Fit) -> None:
    with pytest.raises(PictureError, match="without pixels"):
        fit_image(Image.new("RGB", (0, 5)), Input(224, fit))


def bars(width: int, height: int) -> Image.Image:
    """A wide or tall picture with red and blue ends and a green centre that is square."""
    image = Image.new("RGB", (width, height), (0, 255, 0))
    end = (max(width, height) - min(width, height)) // 2
    if width > height:
        image.paste((255, 0, 0), (0, 0, end, height))
        image.paste((0, 0, 255), (width - end, 0, width, height))
    else:
        image.paste((255, 0, 0), (0, 0, width, end))
        image.paste((0, 0, 255), (0, height - end, width, height))
    return image


def colour(pixels: NDArray[np.uint8], where: Any) -> list[int]:
    (only,) = np.unique(pixels[where].reshape(-1, 3), axis=0)
    return [int(level) for level in only]


@pytest.mark.parametrize("tall", [False, True])
def test_the_three_fits(tall: bool) -> None:
    data = encode(bars(200, 600) if tall else bars(600, 200), "PNG")

    def seen(fit: Fit) -> NDArray[np.uint8]:
        pixels = decode(data, Input(60, fit)).pixels
        return pixels.transpose(1, 0, 2) if tall else pixels  # along the bars

    squeezed = seen("squeeze")
    assert colour(squeezed, np.s_[:, :18]) == [255, 0, 0]
    assert colour(squeezed, np.s_[:, 22:38]) == [0, 255, 0]
    assert colour(squeezed, np.s_[:, 42:]) == [0, 0, 255]
    assert colour(seen("crop"), np.s_[:, 2:-2]) == [0, 255, 0]
    padded = seen("pad")
    assert colour(padded, np.s_[:20]) == colour(padded, np.s_[40:]) == [255, 255, 255]
    assert colour(padded, np.s_[20:40, :18]) == [255, 0, 0]
    assert colour(padded, np.s_[20:40, 42:]) == [0, 0, 255]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize(("ground", "same_as"), [("white", "pad"), ("gray", "crop")])
def test_seamless_pads_what_lies_on_white_and_crops_the_rest(
    form: str, ground: str, same_as: Fit, transposed: bool
) -> None:
    image = Image.new("RGB", (900, 500), ground)
    image.paste((200, 30, 30), (0, 100, 900, 400))  # it touches the short edges: only the long ones count
    data = encode(image.transpose(Image.Transpose.TRANSPOSE) if transposed else image, form)
    difference = decode(data, Input(64, "seamless")).pixels.astype(int) - decode(data, Input(64, same_as)).pixels
    assert np.abs(difference).max() <= 12  # a JPEG was decoded larger, for it might have been cropped


def test_seamless_sees_what_lies_under_alpha_as_white() -> None:
    image = Image.new("RGBA", (90, 50), (0, 0, 0, 0))
    image.paste((200, 30, 30, 255), (10, 10, 80, 40))
    data = encode(image, "PNG")
    np.testing.assert_array_equal(decode(data, Input(32, "seamless")).pixels, decode(data, Input(32, "pad")).pixels)


@pytest.mark.parametrize("fit", FITS)
def test_a_large_jpeg_is_decoded_small_and_hardly_differs(fit: Fit) -> None:
    image = scene(1603, 1207)
    data = encode(image, "JPEG", quality=95)
    whole = np.asarray(Image.open(BytesIO(data)))  # all pixels, without the shortcut
    input = Input(96, fit)
    difference = np.abs(decode(data, input).pixels.astype(int) - fit_image(Image.fromarray(whole), input))
    assert difference.mean() < 1
    assert difference.max() <= 12


def test_resize_is_antialiased() -> None:
    checkers = Image.fromarray((np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8))
    pixels = decode(encode(checkers, "PNG"), Input(32, "squeeze")).pixels
    assert np.abs(pixels[2:-2, 2:-2].astype(int) - 127).max() <= 2


def test_an_image_in_memory_gives_the_same_as_its_file() -> None:
    image = scene(300, 200)
    for fit in FITS:
        assert np.array_equal(fit_image(image, Input(64, fit)), decode(encode(image, "PNG"), Input(64, fit)).pixels)


@pytest.mark.parametrize("size", [(640, 480), (481, 643), (300, 300), (257, 2000), (100, 90)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exactly_is_as_pillow_resizes_by_itself(size: tuple[int, int], kind: str) -> None:
    data = encode(scene(*size), kind)
    whole = Image.open(BytesIO(data)).convert("RGB")
    squeezed = decode(data, Input(224, "squeeze", exact=True)).pixels
    assert np.array_equal(squeezed, np.asarray(whole.resize((224, 224), Image.Resampling.BICUBIC)))
    short, long = sorted(size)
    longer = int(72 * long / short)
    scaled = whole.resize((72, longer) if size[0] <= size[1] else (longer, 72), Image.Resampling.BILINEAR)
    left, top = round((scaled.width - 64) / 2), round((scaled.height - 64) / 2)
    cut = decode(data, Input(64, "crop", shorter=72, filter="bilinear", exact=True)).pixels
    assert np.array_equal(cut, np.asarray(scaled.crop((left, top, left + 64, top + 64))))
    if kind == "PNG":  # else it is drafted
        faster = decode(data, Input(64, "crop", shorter=72, filter="bilinear")).pixels
        assert np.abs(faster.astype(int) - cut).mean() < 2


def test_of_a_long_strip_only_what_is_kept_is_resized() -> None:
    strip = encode(Image.fromarray(np.random.default_rng(0).integers(0, 255, (2, 60_000, 3), np.uint8)), "PNG")
    input = Input(224, "crop", shorter=256, exact=True)
    assert decode(strip, input).pixels.shape == (224, 224, 3)


@pytest.mark.parametrize("turn", sorted(STORED))
def test_a_part_is_of_the_picture_as_it_is_seen(turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    shown = np.asarray(scene(60, 40))
    data = encode(Image.fromarray(np.ascontiguousarray(STORED[turn](shown))), "PNG", exif=exif)
    part = decode(data, Input(20, "squeeze"), crop=Box(30, 5, 20, 20))
    assert np.array_equal(part.pixels, shown[5:25, 30:50])
    assert (part.width, part.height) == (60, 40)
    with pytest.raises(
        PictureError, match="expected a part within its 60 x 40 pixels, received one from 50, 0 to 61, 1"
    ):
        decode(data, Input(20, "squeeze"), crop=Box(50, 0, 11, 1))


# -- damage


HALVES: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF")),
    ("JPEG", {"progressive": True}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_deflate"}),
    ("WEBP", {"lossless": True}),
]


@pytest.mark.filterwarnings("ignore:.*EXIF")
@pytest.mark.parametrize(("kind", "options"), HALVES)
def test_half_a_picture_is_refused(kind: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (300, 300, 3), dtype=np.uint8))
    data = encode(noise, kind, **options)
    for share in (0.3, 0.5, 0.9, 0.99):
        with pytest.raises(PictureError, match=f"truncated|damaged {kind}"):
            decode(data[: int(len(data) * share)], Input(32, "squeeze"))


# -- thumbnails


def test_a_thumbnail_keeps_the_proportions_and_is_never_larger() -> None:
    for size, expected in {
        (1000, 500): (256, 128),
        (500, 1000): (128, 256),
        (90, 30): (90, 30),
        (2000, 1): (256, 1),
    }.items():
        data = thumbnail(encode(scene(*size), "PNG"), 256)
        with Image.open(BytesIO(data)) as small:
            assert (small.format, small.mode, small.size) == ("JPEG", "RGB", expected)


def test_a_thumbnail_is_upright_and_over_white() -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    data = thumbnail(encode(Image.new("RGBA", (400, 200), (0, 0, 0, 0)), "PNG", exif=exif), 100)
    with Image.open(BytesIO(data)) as small:
        assert small.size == (50, 100)
        assert small.getextrema() == ((255, 255),) * 3


def test_a_thumbnail_carries_nothing_of_the_file() -> None:
    exif = Image.Exif()
    exif[0x0110] = "a camera's name"
    data = thumbnail(encode(scene(400, 300), "JPEG", exif=exif, comment="secret"), 100)
    assert b"camera" not in data
    assert b"secret" not in data
