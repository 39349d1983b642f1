"""Whether what looks alike is near, on the pictures that ship with the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import lookalike
from lookalike.images.decode import fit_image
from lookalike.models import get_model

Vectors = NDArray[np.float32]


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    """The first 4 pictures of each kind."""
    shipped = Path(lookalike.__file__).with_name("demo") / "pictures"
    kinds = sorted(folder for folder in shipped.iterdir() if folder.is_dir())
    return [path for kind in kinds for path in sorted(kind.iterdir())[:4]]


@pytest.fixture(scope="module")
def images(paths: list[Path]) -> list[Image.Image]:
    return [_on_white(path) for path in paths]


@pytest.fixture(scope="module")
def vectors(images: list[Image.Image]) -> Vectors:
    return _embed(images)


@pytest.mark.parametrize(
    ("alter", "floor"),
    [
        (lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 0.95),
        (lambda image: image.rotate(5, Image.Resampling.BICUBIC, fillcolor="white"), 0.9),
        (lambda image: image.crop((image.width // 8, 0, image.width, image.height)), 0.9),
        (lambda image: image.resize((image.width * 2 // 3, image.height * 2 // 3)), 0.95),
    ],
    ids=["mirrored", "turned", "cropped", "shrunk"],
)
def test_an_altered_copy_is_nearest_to_its_original(
    images: list[Image.Image], vectors: Vectors, alter: Callable[[Image.Image], Image.Image], floor: float
) -> None:
    altered = _embed([alter(image) for image in images])
    nearest = np.argmax(altered @ vectors.T, axis=1)
    assert np.mean(nearest == np.arange(len(images))) >= floor


def test_the_nearest_picture_is_mostly_of_the_same_kind(paths: list[Path], vectors: Vectors) -> None:
    kinds = np.array([path.parent.name for path in paths])
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    precision = np.mean(kinds[np.argmax(similarity, axis=1)] == kinds)
    by_chance = 3 / (len(paths) - 1)
    assert precision >= max(0.5, 5 * by_chance)


def _on_white(path: Path) -> Image.Image:
    with Image.open(path) as image:
        rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def _embed(images: list[Image.Image]) -> Vectors:
    model = get_model()
    batch = np.stack([fit_image(image, model.input) for image in images])
    vectors = model.embed(batch)
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
