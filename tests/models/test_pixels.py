from __future__ import annotations

import numpy as np
import pytest

from lookalike.models.pixels import IMAGENET_MEAN, IMAGENET_STD, Pixels

LEVELS = np.random.default_rng(0).integers(0, 256, (3, 17, 17, 3), dtype=np.uint8)


def test_the_numbers_are_torchvisions_to_the_last_bit() -> None:
    pytest.importorskip("torch")
    transforms = pytest.importorskip("torchvision").transforms
    expected = transforms.Compose([transforms.ToTensor(), transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    for numbers, picture in zip(Pixels().numbers(LEVELS), LEVELS, strict=True):
        np.testing.assert_array_equal(numbers, expected(picture).numpy())


def test_caffes_numbers() -> None:
    numbers = Pixels((3, 2, 1), (1, 1, 1), range=255, bgr=True).numbers(LEVELS)
    np.testing.assert_array_equal(numbers, (LEVELS[..., ::-1].astype(np.float32) - [1, 2, 3]).transpose(0, 3, 1, 2))
    assert numbers.dtype == np.float32


def test_no_pictures() -> None:
    assert Pixels().numbers(LEVELS[:0]).shape == (0, 3, 17, 17)
