"""Whether one picture is a copy of another is said rightly, of each kind."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

import lookalike.demo
from lookalike.images.compare.compare import compare
from lookalike.images.compare.residual import Slack, jpeg_excess, other_excess
from lookalike.images.compare.verdict import Verdict
from lookalike.images.compare.whole import Encoding, Whole, whole

PICTURES = Path(lookalike.demo.__file__).parent / "pictures"
PHOTO = PICTURES / "boats" / "tall_ship.jpg"


def packed(image: Image.Image, kind: str = "PNG", **options: Any) -> Whole:
    file = BytesIO()
    image.save(file, kind, **options)
    return whole(file.getvalue())


@pytest.fixture(scope="module")
def photo() -> Image.Image:
    return Image.open(PHOTO).convert("RGB")


@pytest.fixture(scope="module")
def original() -> Whole:
    return whole(PHOTO.read_bytes())


def written_on(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).text((image.width // 4, image.height // 2), "Tuesday at nine", fill="white")
    return image


def test_equal_pixels_in_another_container_are_the_same(original: Whole, photo: Image.Image) -> None:
    assert compare(original, packed(photo)) == Verdict("same pixels")
    assert compare(packed(photo, "WEBP", lossless=True), original) == Verdict("same pixels")


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 50}), ("JPEG", {"quality": 85}), ("WEBP", {"quality": 70}), ("AVIF", {"quality": 60})],
)
def test_recompressed(original: Whole, photo: Image.Image, kind: str, options: dict[str, Any]) -> None:
    assert compare(original, packed(photo, kind, **options)) == Verdict("resized or recompressed")
    assert compare(packed(photo, kind, **options), original) == Verdict("resized or recompressed")


@pytest.mark.parametrize("resample", [Image.Resampling.LANCZOS, Image.Resampling.BOX])
def test_resized(original: Whole, photo: Image.Image, resample: Image.Resampling) -> None:
    small = photo.resize((photo.width * 2 // 3, photo.height * 2 // 3), resample)
    assert compare(original, packed(small)) == Verdict("resized or recompressed")
    assert compare(original, packed(small, "JPEG", quality=60)) == Verdict("resized or recompressed")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), ("mirrored",)),
        (lambda image: image.transpose(Image.Transpose.ROTATE_90), ("rotated",)),
        (lambda image: image.crop((9, 5, image.width - 3, image.height - 7)), ("cropped",)),
        (lambda image: ImageEnhance.Brightness(image).enhance(0.8), ("recoloured",)),
        (lambda image: image.convert("L").convert("RGB"), ("recoloured",)),
        (
            lambda image: image.transpose(Image.Transpose.ROTATE_180).convert("L").convert("RGB"),
            ("rotated", "recoloured"),
        ),
    ],
)
def test_altered(
    original: Whole, photo: Image.Image, change: Callable[[Image.Image], Image.Image], names: tuple[Any, ...]
) -> None:
    assert compare(original, packed(change(photo))) == Verdict("altered", names)
    assert compare(packed(change(photo), "JPEG", quality=75), original) == Verdict("altered", names)


def test_edited_says_where(original: Whole, photo: Image.Image) -> None:
    for verdict in (
        compare(original, packed(written_on(photo))),
        compare(original, packed(written_on(photo), "JPEG", quality=80)),
    ):
        assert verdict.kind == "edited"
        assert verdict.region is not None
        assert 0.2 < verdict.region.left < 0.3 < verdict.region.right < 0.9
        assert 0.4 < verdict.region.top < 0.55 < verdict.region.bottom < 0.65


def test_a_sticker_on_a_tenth_is_an_edit_even_of_a_picture_of_few_colours() -> None:
    drawing = Image.new("RGB", (420, 300), "white")
    pen = ImageDraw.Draw(drawing)
    for x in range(20, 400, 38):
        pen.line((x, 40, x + 14, 260), fill=(200, 40, 40), width=5)
    first = packed(drawing, "JPEG", quality=90)
    covered, of_first = drawing.copy(), Image.fromarray(first.pixels)
    for picture in (covered, of_first):
        ImageDraw.Draw(picture).ellipse((250, 60, 370, 180), fill=(255, 205, 60), outline=(120, 80, 0))
    small = packed(of_first.resize((300, 214), Image.Resampling.LANCZOS))
    for copy in (packed(covered), packed(covered, "JPEG", quality=85), packed(of_first), small):
        found = compare(first, copy)
        assert (found.kind, found.changes) == ("edited", ()), found
        assert found.region is not None
        assert found.region.left < 0.62 < 0.86 < found.region.right


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_thin_lines_on_black_made_lighter(factor: float) -> None:
    drawing = Image.new("RGB", (400, 300), "black")
    pen = ImageDraw.Draw(drawing)
    for i, level in enumerate(range(60, 190, 10)):
        pen.line((10 + 28 * i, 20, 390 - 20 * i, 280), fill=(level, level, level), width=2)
    copy = ImageEnhance.Brightness(drawing).enhance(factor)
    assert compare(packed(drawing, "JPEG", quality=95), packed(copy)) == Verdict("altered", ("recoloured",))


def test_another_exposure_is_another_picture(photo: Image.Image) -> None:
    rng = np.random.default_rng(0)
    one, other = (
        Image.fromarray(
            np.clip(np.asarray(photo) + rng.normal(0, 4, (photo.height, photo.width, 3)), 0, 255).astype("u1")
        )
        for _ in range(2)
    )
    assert compare(packed(one), packed(other)) == Verdict("different")
    assert compare(packed(one, "JPEG", quality=85), packed(other, "JPEG", quality=85)) == Verdict("different")
    assert compare(packed(one), packed(other.reduce(2))).kind == "different"


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (16, 16), (64, 64)])
def test_pictures_of_one_colour_tell_nothing(size: tuple[int, int]) -> None:
    white, gray = packed(Image.new("RGB", size, "white")), packed(Image.new("RGB", size, "gray"))
    assert compare(white, packed(Image.new("RGB", size, "white"))) == Verdict("same pixels")
    assert compare(white, gray) == Verdict("different")
    assert compare(white, packed(Image.new("RGB", (size[0] * 2, size[1] * 2), "white"))) == Verdict("different")


def plot(lines: int) -> Image.Image:
    image = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(image)
    for line in range(lines):
        draw.line(
            [(x, 150 + 20 * line + 60 * np.sin(x / 30 + line)) for x in range(20, 380, 4)], fill=(0, 90, 40 * line)
        )
    return image


@pytest.mark.parametrize("options", [("PNG", {}), ("JPEG", {"quality": 60}), ("WEBP", {"quality": 75})])
def test_a_plot_with_one_thin_line_more_is_no_copy(options: tuple[str, dict[str, Any]]) -> None:
    kind, how = options
    assert compare(packed(plot(3)), packed(plot(4), kind, **how)).kind in ("edited", "different")
    assert compare(packed(plot(4)), packed(plot(3), kind, **how)).kind in ("edited", "different")


def test_an_icon_with_one_other_pixel_is_no_copy(photo: Image.Image) -> None:
    icon = photo.resize((16, 16))
    other = icon.copy()
    other.putpixel((7, 9), (255, 0, 255))
    assert compare(packed(icon), packed(other)).kind in ("edited", "different")


def test_noise_of_nearly_black_pictures_is_no_likeness() -> None:
    rng = np.random.default_rng(1)
    one, other = (Image.fromarray(rng.integers(0, 5, (200, 300, 3), dtype=np.uint8)) for _ in range(2))
    for kind, how in (("PNG", {}), ("JPEG", {"quality": 70})):
        assert compare(packed(one, kind, **how), packed(other, kind, **how)).kind == "different"


def test_exchanged_ends_make_another_picture(photo: Image.Image) -> None:
    wide = photo.crop((0, photo.height // 3, photo.width, photo.height * 2 // 3))
    third = wide.width // 3
    pixels = np.asarray(wide)
    swapped = np.concatenate([pixels[:, -third:], pixels[:, third:-third], pixels[:, :third]], axis=1)
    assert compare(packed(wide, "JPEG"), packed(Image.fromarray(swapped), "JPEG")).kind == "different"


def test_two_packings_of_one_picture_are_copies_in_even_places_too(photo: Image.Image) -> None:
    """All levels of an even place are rounded alike: the mean of its colours is off by as much as each of them."""
    width, height = 1200, 824
    down, across = np.mgrid[:height, :width]
    sky = np.stack(
        [90 + 60 * down / height + 20 * across / width, 140 + 50 * down / height, 200 + 40 * across / width], -1
    )
    image = Image.fromarray(sky.round().astype(np.uint8))
    image.paste(photo.resize((width, height // 2)), (0, height // 4))
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    one, other = packed(image, "JPEG", quality=85), packed(mirrored, "JPEG", quality=90)
    assert compare(one, other) == Verdict("altered", ("mirrored",))


@pytest.mark.parametrize(("width", "height", "corner"), [(64, 40, (0, 0)), (40, 64, (0, 0)), (41, 39, (3, 7))])
def test_what_is_padded_beyond_a_picture_tells_nothing(width: int, height: int, corner: tuple[int, int]) -> None:
    """JPEG keeps colours in blocks of 16 pixels, of which half may lie outside."""
    noise = np.random.default_rng(0).integers(256, size=(height, width, 3), dtype=np.uint8)
    tables = (10,) * 64
    before = (-corner[0]) % 8, (-corner[1]) % 8
    blocks = -(-(height + before[1]) // 8), -(-(width + before[0]) // 8)
    excess = jpeg_excess(noise, noise, Encoding("JPEG", True, tables, tables, 2, corner), Slack())
    assert excess.beyond.shape == excess.detail.shape == blocks
    excess = other_excess(noise, noise, lossy=True, slack=Slack())
    assert excess.beyond.shape == excess.detail.shape == (-(-height // 8), -(-width // 8))
