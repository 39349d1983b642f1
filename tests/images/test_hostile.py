"""Pictures known to hurt: each ends as one of Loaded, Skipped and Failed, within the limits."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from lookalike.fitting import Input
from lookalike.images.find import Found, Skipped, find
from lookalike.images.pool import DecoderPool, Failed, Limits, Loaded

from .hostile import (
    gif_of_a_huge_screen,
    half_a_jpeg,
    jpeg_of_scans,
    jpeg_that_claims,
    png,
    png_with_a_bomb,
    random_behind_a_beginning,
    saved,
    tiff_whose_directory_is_itself,
    webp_that_claims,
)

TOO_MANY = "are more than the limit of 64 million; make a smaller copy of it"


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(2) as pool:
        yield pool


def only(pool: DecoderPool, path: Path, data: bytes) -> Loaded | Failed:
    """The result for a file of these bytes; the pictures before and after it must not suffer."""
    path.write_bytes(data)
    good = path.with_name("good.png")
    Image.new("RGB", (20, 20), (10, 20, 30)).save(good)
    before, result, after = pool.load([str(good), str(path), str(good)], Input(32, "squeeze"))
    for each in (before, after):
        assert isinstance(each, Loaded)
        assert (each.pixels == (10, 20, 30)).all()
    return result


def reason(result: Loaded | Failed) -> str:
    assert isinstance(result, Failed)
    return result.reason


# -- JPEG


def test_a_jpeg_of_a_few_bytes_that_claims_89_million_pixels(pool: DecoderPool, tmp_path: Path) -> None:
    data = jpeg_that_claims(9460, 9460)
    assert len(data) < 335
    cannot = f"a truncated JPEG file: {len(data)} bytes cannot hold 9460 x 9460 pixels"
    assert reason(only(pool, tmp_path / "x.jpg", data)) == cannot
    bounded = only(pool, tmp_path / "x.jpg", data + bytes(9460**2 // 64 // 8))  # as many as might hold them
    assert isinstance(bounded, Loaded) or bounded.reason.startswith(("a truncated JPEG file", "a damaged JPEG file"))
    too_many = TOO_MANY.replace("64", "256")
    assert reason(only(pool, tmp_path / "x.jpg", jpeg_that_claims(65535, 65535))) == f"65535 x 65535 pixels {too_many}"


def test_a_jpeg_of_a_few_bytes_that_claims_as_much_as_allowed(pool: DecoderPool, tmp_path: Path) -> None:
    # libjpeg takes an end that comes too early for an empty rest, and Pillow does not tell: it is gray.
    result = only(pool, tmp_path / "x.jpg", jpeg_that_claims(8000, 8000))
    assert isinstance(result, Failed) or (result.pixels == 128).all()


def test_a_jpeg_with_5000_scans(pool: DecoderPool, tmp_path: Path) -> None:
    data = jpeg_of_scans(5000)
    assert len(data) < 500_000
    assert reason(only(pool, tmp_path / "x.jpg", data)) == "took more than 3 s of CPU time to decode (HEIC: 12 s)"


@pytest.mark.parametrize("progressive", [False, True])
def test_half_a_jpeg(pool: DecoderPool, tmp_path: Path, progressive: bool) -> None:
    half = half_a_jpeg(progressive)
    assert reason(only(pool, tmp_path / "x.jpg", half)) == "a truncated JPEG file"


# -- PNG


def test_a_small_png_of_169_million_pixels(pool: DecoderPool, tmp_path: Path) -> None:
    data = png(13000, 13000, 8, 0, 13000)
    assert len(data) < 1_000_000
    assert reason(only(pool, tmp_path / "x.png", data)) == f"13000 x 13000 pixels {TOO_MANY}"


def test_the_largest_png_allowed_is_loaded(pool: DecoderPool, tmp_path: Path) -> None:
    result = only(pool, tmp_path / "x.png", png(8000, 8000, 8, 0, 8000))
    assert isinstance(result, Loaded)
    assert (result.width, result.height, result.pixels.max()) == (8000, 8000, 0)


def test_the_heaviest_png_allowed_stays_within_the_limits(pool: DecoderPool, tmp_path: Path) -> None:
    result = only(pool, tmp_path / "x.png", png(8000, 8000, 16, 6, 64000))  # 16-bit RGBA: 512 MB of rows
    assert isinstance(result, Loaded) or result.reason.startswith(("needs more than 1024 MiB", "took more than 3 s"))


def test_a_png_whose_text_unpacks_to_a_gigabyte(pool: DecoderPool, tmp_path: Path) -> None:
    result = only(pool, tmp_path / "x.png", png_with_a_bomb(b"zTXt", b"Comment\0\0"))
    assert isinstance(result, Loaded) or "PNG" in result.reason


# -- other formats


def test_a_gif_that_claims_a_huge_screen(pool: DecoderPool, tmp_path: Path) -> None:
    assert "65535 x 65535 pixels" in reason(only(pool, tmp_path / "x.gif", gif_of_a_huge_screen()))


@pytest.mark.parametrize("side", [9000, 12000, 16383])
@pytest.mark.parametrize("extended", [False, True])
def test_a_webp_of_a_few_bytes_that_claims_too_many_pixels(
    pool: DecoderPool, tmp_path: Path, side: int, extended: bool
) -> None:
    data = webp_that_claims(side, extended)
    assert reason(only(pool, tmp_path / "x.webp", data)) == f"{side} x {side} pixels {TOO_MANY}"


def test_a_float_tiff(pool: DecoderPool, tmp_path: Path) -> None:
    data = saved(Image.new("F", (40, 40), 0.5), "TIFF")
    assert "no defined white" in reason(only(pool, tmp_path / "x.tif", data))


def test_a_tiff_whose_directory_points_at_itself(pool: DecoderPool, tmp_path: Path) -> None:
    assert "damaged TIFF" in reason(only(pool, tmp_path / "x.tif", tiff_whose_directory_is_itself()))


def tiff_with_profile(path: Path, size: int) -> None:
    """One gray pixel, and a colour profile of `size` bytes that is none and unlike any other; sparse."""
    short, long, undefined = 3, 4, 7
    tags = [(256, short, 1, 1), (257, short, 1, 1), (258, short, 1, 8), (259, short, 1, 1), (262, short, 1, 1)]
    tags += [(273, long, 1, 200), (277, short, 1, 1), (278, short, 1, 1), (279, long, 1, 1)]
    tags += [(34675, undefined, size, 256)]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory
    path.write_bytes(head.ljust(256, b"\0") + path.name.encode())
    os.truncate(path, 256 + size)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's address space")
def test_a_picture_with_a_huge_profile_takes_no_memory_from_the_next(tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((4000, 4000)).convert("RGB").save(tmp_path / "large.png", compress_level=1)
    paths = [tmp_path / f"{number}.tif" for number in range(8)]
    for path in paths:
        tiff_with_profile(path, 24 << 20)
    with DecoderPool(1, Limits(memory=256 << 20)) as pool:
        results = list(pool.load(map(str, [tmp_path / "large.png", *paths, tmp_path / "large.png"]), Input(32, "pad")))
    assert [each for each in results if isinstance(each, Failed)] == []


def test_a_text_file_and_an_empty_file(pool: DecoderPool, tmp_path: Path) -> None:
    assert reason(only(pool, tmp_path / "x.jpg", b"hello\n")) == "not a picture: its content is text"
    assert reason(only(pool, tmp_path / "x.jpg", b"")) == "the file is empty"


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.gif", "x.bmp", "x.tif", "x.webp", "x.avif"])
def test_a_file_of_random_bytes_behind_a_true_beginning(pool: DecoderPool, tmp_path: Path, name: str) -> None:
    format = Image.registered_extensions()[name[1:]]
    for kept in (12, 40, 100, 200):
        result = only(pool, tmp_path / name, random_behind_a_beginning(format, kept))
        assert isinstance(result, Loaded | Failed)


# -- the folder as a whole


def test_each_file_of_a_hostile_folder_ends_as_exactly_one_thing(tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "good.png")
    (tmp_path / "text.jpg").write_text("text")
    (tmp_path / "raw.nef").write_bytes(b"raw")
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "\udcff\n.jpg").write_bytes(jpeg_that_claims(9460, 9460))
    (tmp_path / "vanishing.png").write_bytes((tmp_path / "good.png").read_bytes())
    (tmp_path / "turning.png").write_bytes((tmp_path / "good.png").read_bytes())
    everything = set(os.listdir(tmp_path))

    listed = list(find(tmp_path))
    (tmp_path / "vanishing.png").unlink()  # in mid-scan
    (tmp_path / "turning.png").unlink()
    os.mkfifo(tmp_path / "turning.png")  # into what would block for ever
    with DecoderPool(2, Limits(seconds=20)) as pool:
        results = list(pool.load([each.path for each in listed if isinstance(each, Found)], Input(8, "pad")))

    ends: dict[str, str] = {}
    for each in [*(each for each in listed if isinstance(each, Skipped)), *results]:
        name = os.path.basename(each.path)
        assert name not in ends
        ends[name] = type(each).__name__ if isinstance(each, Loaded) else f"{type(each).__name__}: {each.reason}"
    assert set(ends) == everything
    assert ends == {
        "good.png": "Loaded",
        "text.jpg": "Failed: not a picture: its content is text",
        "raw.nef": "Failed: not a picture: its content is text",
        "fifo.jpg": "Skipped: not a regular file",
        "zero.jpg": "Skipped: not a regular file",
        "loop": "Skipped: a symbolic link to a folder is not followed",
        "self.png": "Skipped: cannot be read (Too many levels of symbolic links)",
        "\udcff\n.jpg": "Failed: a truncated JPEG file: 240 bytes cannot hold 9460 x 9460 pixels",
        "vanishing.png": "Failed: cannot be read (No such file or directory)",
        "turning.png": "Failed: not a regular file",
    }
