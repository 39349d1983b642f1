"""JPEGs of more pixels than are decoded: drafted where that can be, refused with the reason where not."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.fitting import Box, Input
from lookalike.images import jpeg
from lookalike.images.decode import decode, thumbnail
from lookalike.images.formats import open_picture
from lookalike.images.pool import DecoderPool, Given, Loaded
from tests.images.hostile import jpeg_segment, jpeg_that_claims

SQUEEZED = Input(32, "squeeze")
TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"


def scene(width: int, height: int, **options: Any) -> bytes:
    """Soft colours; what is right of the middle is darker."""
    tiles = np.random.default_rng(5).integers(60, 255, (6, 8, 3), np.uint8)
    tiles[:, 4:] //= 3
    file = BytesIO()
    Image.fromarray(tiles).resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("options", "held"),
    [
        ({}, 0),
        ({"subsampling": 0}, 0),
        ({"exif": TURNED}, 0),
        ({"progressive": True}, 2 * 80 * 60 * 1.5),
        ({"progressive": True, "subsampling": "4:2:2"}, 2 * 80 * 60 * 2),
        ({"progressive": True, "subsampling": 0}, 2 * 80 * 60 * 3),
    ],
)
def test_the_header_says_what_must_be_held_to_decode_it(options: dict[str, Any], held: int) -> None:
    found = jpeg.header(scene(80, 60, **options))
    assert found == (80, 60, held)
    assert jpeg.header(b"?" + scene(80, 60, **options), 1) == found


def test_a_scan_of_each_colour_must_be_held_whole() -> None:
    data = scene(80, 60)
    scan = data.index(b"\xff\xda")
    assert jpeg.header(data[:scan] + jpeg_segment(0xDA, b"\1\1\0\0\x3f\0")) == (80, 60, 2 * 80 * 60 * 1.5)


def test_no_damage_of_a_header_is_more_than_none() -> None:
    data = scene(80, 60)
    for length in range(700):
        assert jpeg.header(data[:length]) in (None, (80, 60, 0))
    dice = np.random.default_rng(3)
    for _ in range(500):
        changed = bytearray(data[:700])
        for place in dice.integers(0, 700, 3):
            changed[place] = dice.integers(0, 256)
        jpeg.header(bytes(changed))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("most", [1_000_000, 400_000])
def test_one_of_up_to_four_times_the_limit_is_drafted(most: int, exact: bool) -> None:
    """As it is read below the limit, but for a level or two; a small limit here stands for that of 64 million."""
    data = scene(1400, 1000)
    input = Input(32, "squeeze", exact=exact)
    whole, drafted = decode(data, input), decode(data, input, most)
    assert (drafted.width, drafted.height) == (1400, 1000)
    assert np.abs(whole.pixels.astype(int) - drafted.pixels.astype(int)).max() <= 4
    small = Image.open(BytesIO(thumbnail(data, 200, most)))
    assert small.size == (200, 143)


def test_beyond_that_it_is_refused() -> None:
    with pytest.raises(PictureError, match=r"1400 x 1000 pixels are more than the limit of 1\.396 million; make a sm"):
        decode(scene(1400, 1000), SQUEEZED, 349_000)


def test_a_progressive_one_is_refused_where_it_cannot_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    data = scene(1400, 1000, progressive=True)
    held = 2 * 1400 * 1000 * 3 // 2
    assert decode(data, SQUEEZED, 1_000_000).width == 1400
    monkeypatch.setattr("lookalike.images.formats._HELD", held - 1)
    assert decode(data, SQUEEZED, 1_400_000).width == 1400
    with pytest.raises(
        PictureError,
        match=r"in several scans.*must be held whole: that takes 4 MiB",
    ):
        decode(data, SQUEEZED, 1_000_000)


def test_who_decodes_it_whole_is_not_given_more() -> None:
    with pytest.raises(PictureError, match="1400 x 1000 pixels are more than the limit of 1 million"):
        open_picture(scene(1400, 1000), 1_000_000)


@pytest.mark.parametrize("options", [{}, {"exif": TURNED}])
def test_a_part_of_one_is_cut_from_half_its_size(options: dict[str, Any]) -> None:
    data = scene(1400, 1000, **options)
    size = (1000, 1400) if options else (1400, 1000)
    box = Box(size[0] - 301, size[1] - 403, 301, 403)
    whole, drafted = decode(data, SQUEEZED, crop=box), decode(data, SQUEEZED, 1_000_000, crop=box)
    assert (drafted.width, drafted.height) == size
    assert np.abs(whole.pixels.astype(int) - drafted.pixels.astype(int)).max() <= 4
    assert decode(data, SQUEEZED, 1_000_000, crop=Box(3, 5, 1, 1)).width == size[0]
    with pytest.raises(PictureError, match=f"a part within its {size[0]} x {size[1]} pixels"):
        decode(data, SQUEEZED, 1_000_000, crop=Box(size[0] - 300, 0, 301, 10))


def test_what_cannot_hold_its_pixels_is_refused_before_they_are_decoded() -> None:
    with pytest.raises(PictureError, match=r"truncated JPEG file: 240 bytes cannot hold 9400 x 9400 pixels"):
        decode(jpeg_that_claims(9400, 9400), SQUEEZED)


@pytest.mark.parametrize(("width", "height"), [(12000, 9000), (16320, 12240), (65500, 2000)])
def test_the_largest_that_phones_make_are_read_within_the_limits(width: int, height: int) -> None:
    """108 and 200 million pixels, and a long panorama; by a child under its limits."""
    file = BytesIO()
    tile = Image.effect_noise((1000, 1000), 20).convert("RGB")
    picture = Image.new("RGB", (width, height))
    for x in range(0, width, 1000):
        for y in range(0, height, 1000):
            picture.paste(tile, (x, y))
    picture.save(file, "JPEG", quality=75)
    with DecoderPool(workers=1) as pool:
        (loaded,) = pool.load([Given("large.jpg", file.getvalue())], Input(240, "seamless"))
        assert isinstance(loaded, Loaded), loaded
        assert (loaded.width, loaded.height) == (width, height)
        (part,) = pool.load([Given("large.jpg", file.getvalue())], Input(240, "seamless"), Box(10, 10, 900, 900))
        assert isinstance(part, Loaded), part
        (small,) = pool.thumbnails([Given("large.jpg", file.getvalue())], 160)
        assert isinstance(small, bytes), small
