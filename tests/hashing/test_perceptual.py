from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

import lookalike.demo
from lookalike.errors import ArgumentError
from lookalike.hashing.perceptual import (
    HASHES,
    LEAST_SIDE,
    SIZES,
    ahash,
    colorhash,
    dhash,
    hamming,
    phash,
    to_grey,
    whash,
)

GREY = {name: hash for name, hash in HASHES.items() if name != "colorhash"}
Alter = Callable[[Image.Image], Image.Image]


def squeezed(image: Image.Image, side: int = 64) -> NDArray[np.uint8]:
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    paths = sorted(path for path in (Path(lookalike.demo.__file__).parent / "pictures").rglob("*.*") if path.is_file())
    return [Image.open(io.BytesIO(path.read_bytes())).convert("RGBA").convert("RGB") for path in paths[::3]]


def hashed(name: str, bits: int, pictures: list[Image.Image], alter: Alter = lambda image: image) -> NDArray[np.uint8]:
    batch = np.stack([squeezed(alter(each)) for each in pictures])
    return HASHES[name](batch if name == "colorhash" else to_grey(batch), bits)


SAME: dict[str, Alter] = {
    "a quarter of the size": lambda image: image.resize(
        (image.width // 4, image.height // 4), Image.Resampling.LANCZOS
    ),
    "JPEG quality 30": lambda image: jpeg(image, 30),
    "a little lighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.8),
}


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("change", SAME)
def test_a_copy_keeps_nearly_all_bits(name: str, bits: int, change: str, pictures: list[Image.Image]) -> None:
    differ = hamming(hashed(name, bits, pictures), hashed(name, bits, pictures, SAME[change]))
    assert np.median(differ) <= bits * 0.05
    assert np.quantile(differ, 0.9) <= bits * 0.12


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("name", GREY)
def test_a_mirrored_picture_has_another_hash(name: str, bits: int, pictures: list[Image.Image]) -> None:
    differ = hamming(hashed(name, bits, pictures), hashed(name, bits, pictures, ImageOps.mirror))
    assert np.median(differ) > bits * 0.15


@pytest.mark.parametrize("bits", SIZES)
def test_colours_are_the_same_of_a_mirrored_and_a_turned_picture(bits: int, pictures: list[Image.Image]) -> None:
    before = hashed("colorhash", bits, pictures)
    assert not hamming(before, hashed("colorhash", bits, pictures, ImageOps.mirror)).any()
    turned = hashed("colorhash", bits, pictures, lambda image: image.transpose(Image.Transpose.ROTATE_90))
    assert np.median(hamming(before, turned)) <= 1
    assert np.median(hamming(before[:-1], before[1:])) > bits / 20


@pytest.mark.parametrize("bits", SIZES)
def test_of_unrelated_pictures_half_the_bits_differ(bits: int) -> None:
    random = np.random.default_rng(1)
    small = random.integers(0, 256, (400, 24, 24, 3), np.uint8)
    batch = to_grey(np.stack([squeezed(Image.fromarray(each)) for each in small]))
    for name, hash in GREY.items():
        codes = hash(batch, bits)
        share = hamming(codes[0::2], codes[1::2]).mean() / bits
        assert 0.4 < share < 0.55, name


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("name", HASHES)
def test_a_plain_picture_and_its_noise_have_the_same_hash(name: str, bits: int) -> None:
    plain = np.full((1, 64, 64, 3), 130, np.uint8)
    noisy = np.clip(plain + np.random.default_rng(2).normal(0, 0.4, plain.shape).round(), 0, 255).astype(np.uint8)
    codes = [HASHES[name](each if name == "colorhash" else to_grey(each), bits) for each in (plain, noisy)]
    assert codes[0].shape == (1, bits // 8)
    assert hamming(*codes)[0] <= bits // 32
    assert name == "colorhash" or not codes[0].any()


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("name", HASHES)
def test_the_side_of_the_square_hardly_matters(name: str, bits: int, pictures: list[Image.Image]) -> None:
    small = np.stack([squeezed(each, LEAST_SIDE) for each in pictures])
    differ = hamming(HASHES[name](small if name == "colorhash" else to_grey(small), bits), hashed(name, bits, pictures))
    assert np.median(differ) <= bits * 0.05


def test_phash_is_the_cosine_transform_by_its_definition(pictures: list[Image.Image]) -> None:
    grey = to_grey(squeezed(pictures[0]))
    first = [(0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]  # ITU-T T.81, figure A.6
    bits = np.unpackbits(phash(grey[np.newaxis], 64)[0])
    turns = np.pi * (2 * np.arange(64) + 1) / 128
    low = np.array([(grey * np.outer(np.cos(turns * row), np.cos(turns * column))).mean() for row, column in first])
    told = np.abs(low) > 1  # far from the median of all 64, which is about 0
    assert told.sum() >= 4
    assert bits[:9][told].tolist() == (low > 0)[told].tolist()


def test_dhash_and_ahash_say_where_it_is_lighter() -> None:
    slope = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))[np.newaxis]
    assert (dhash(slope, 64) == 255).all()
    assert not dhash(slope[:, :, ::-1], 64).any()
    assert (ahash(slope, 64) == 0b00001111).all()
    assert (ahash(slope.transpose(0, 2, 1), 64) == [[0] * 4 + [255] * 4]).all()


def test_whash_has_each_wavelet_in_its_place() -> None:
    left, upper = np.zeros((1, 64, 64), np.uint8), np.zeros((1, 64, 64), np.uint8)
    left[:, :, :32] = upper[:, :32] = 200
    for picture, place in ((left, (0, 1)), (upper, (1, 0))):
        bits = np.unpackbits(whash(picture, 256)[0]).reshape(16, 16)
        assert list(zip(*np.nonzero(bits), strict=True)) == [place]


def test_colorhash_counts_colours() -> None:
    red = np.full((64, 64, 3), (255, 0, 0), np.uint8)
    blue = np.full((64, 64, 3), (0, 0, 255), np.uint8)
    half = np.concatenate([red[:32], blue[32:]])
    codes = colorhash(np.stack([red, blue, half]), 256)
    assert hamming(codes[0], codes[1]) == 16
    assert hamming(codes[0], codes[2]) == hamming(codes[1], codes[2]) < 16


def test_grey_is_that_of_pillow(pictures: list[Image.Image]) -> None:
    rgb = squeezed(pictures[1])
    assert (to_grey(rgb) == np.asarray(Image.fromarray(rgb).convert("L"))).all()


def test_hamming_counts_bits_and_broadcasts() -> None:
    codes = np.array([[0b0, 0b1], [0b11, 0b1]], np.uint8)
    assert hamming(codes[:, np.newaxis], codes).tolist() == [[0, 2], [2, 0]]


@pytest.mark.parametrize("name", HASHES)
def test_no_pictures_are_no_hashes(name: str) -> None:
    empty = np.empty((0, 64, 64, 3) if name == "colorhash" else (0, 64, 64), np.uint8)
    assert HASHES[name](empty, 64).shape == (0, 8)


@pytest.mark.parametrize(
    ("batch", "bits", "said"),
    [
        (np.zeros((1, 64, 64), np.uint8), 63, "64 or 256 bits.*63"),
        (np.zeros((1, 64, 64), np.float32), 64, "uint8 squares.*float32"),
        (np.zeros((1, 64, 32), np.uint8), 64, r"received uint8 of shape \(1, 64, 32\)"),
        (np.zeros((1, 8, 8), np.uint8), 64, "side of 32 or more"),
        (np.zeros((64, 64), np.uint8), 64, "uint8 squares"),
    ],
)
def test_what_cannot_be_hashed_is_refused(batch: NDArray[np.uint8], bits: int, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        phash(batch, bits)
