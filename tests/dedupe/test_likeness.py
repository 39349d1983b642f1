"""What thumbnails tell of pictures that may be copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from lookalike import demo
from lookalike.dedupe.likeness import (
    TURNS,
    can_be_copies,
    features,
    is_flat,
    lightness,
    likeness,
    turned_features,
    unturned_features,
)
from lookalike.images.thumb import THUMB_BYTES, thumb_of

PICTURES = sorted(path for path in Path(demo.folder()).rglob("*") if path.is_file())[::3]


def lights(images: list[Image.Image]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return lightness(np.stack([np.frombuffer(thumb_of(image), np.uint8) for image in images]))


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    found = []
    for path in PICTURES:
        with Image.open(path) as image:
            white = Image.new("RGBA", image.size, "white")
            found.append(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))
    return found


def test_the_features_of_turned_pictures_are_those_features_turned(pictures: list[Image.Image]) -> None:
    upright = features(lights(pictures))
    ways = [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.ROTATE_180]
    ways += [
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.ROTATE_270,
        Image.Transpose.TRANSVERSE,
    ]
    seen = set()
    for way in ways:
        turned = features(lights([image.transpose(way) for image in pictures]))
        apart = [np.abs(turned_features(upright, turn) - turned).max() for turn in range(TURNS)]
        assert min(apart) < 0.02
        seen.add(int(np.argmin(apart)))
    assert seen == set(range(1, TURNS))


def test_turns_change_nothing_in_unturned_features_and_these_are_no_further_apart(pictures: list[Image.Image]) -> None:
    found = features(lights(pictures))
    unturned = unturned_features(found)
    ways = [turned_features(found, turn) for turn in range(TURNS)]
    for turned in ways:
        assert np.array_equal(unturned_features(turned), unturned)
    alike = np.max([found @ turned.T for turned in ways], axis=0)
    assert (unturned @ unturned.T >= alike - 1e-5).all()
    assert (unturned @ unturned.T > alike + 0.05).any()  # so it takes both


def test_copies_are_alike_and_others_are_not(pictures: list[Image.Image]) -> None:
    light = lights(pictures)
    for change in (
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.7),
        lambda image: image.convert("L").convert("RGB"),
        lambda image: image.transpose(Image.Transpose.ROTATE_90),
        lambda image: image.crop((image.width // 11, 0, image.width, image.height - image.height // 12)),
    ):
        assert can_be_copies(light, lights([change(image) for image in pictures])).mean() > 0.97
    others = np.roll(light, 5, axis=0)
    assert can_be_copies(light, others).mean() < 0.6
    assert (likeness(light, light) > 0.999).all()


def test_flat_pictures_may_be_copies_of_each_other() -> None:
    flat = lightness(np.full((2, THUMB_BYTES), 200, np.uint8))
    assert is_flat(flat).all()
    assert can_be_copies(flat[:1], flat[1:]).all()
    assert np.isfinite(features(flat)).all()
