"""Real pictures, and files of seeded weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lookalike.demo import folder
from lookalike.fitting import Input
from lookalike.images.decode import decode

Save = Callable[..., Path]
NAMES = (
    "balls/football_shaded.jpg",
    "balls/starred_ball.jpg",
    "balloons/blue_balloon.jpg",
    "balloons/orange_balloon.jpg",
    "balloons/three_balloons.jpg",
    "animals/wolf.jpg",
    "bears/roaring_bear.jpg",
    "berries/grapes_pale.jpg",
    "big_cats/lion_lying.jpg",
    "big_cats/tiger_front.jpg",
)


@pytest.fixture(scope="session")
def ten() -> list[Path]:
    """Ten of the pictures that ship with the package: JPEG, smaller than what networks take."""
    return [Path(folder(), name) for name in NAMES]


@pytest.fixture(scope="session")
def more(ten: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """These, and larger ones of them side by side: wide, high, and of odd sizes."""
    place = tmp_path_factory.mktemp("larger")
    made = list(ten)
    for number, (columns, count) in enumerate([(5, 10), (1, 4), (3, 9)]):
        larger = Image.new("RGB", (187 * columns + 1, 191 * (count // columns)), "white")
        for i, path in enumerate(ten[:count]):
            with Image.open(path) as image:
                larger.paste(image, (187 * (i % columns), 191 * (i // columns)))
        made.append(place / f"{number}.jpg")
        larger.save(made[-1], quality=95)
    return made


@pytest.fixture(scope="session")
def save(tmp_path_factory: pytest.TempPathFactory) -> Save:
    """`save(state)` writes a state dict, to a .safetensors file or one of another ending."""
    from safetensors.torch import save_file

    def write(state: Mapping[str, Any], name: str = "weights.safetensors") -> Path:
        import torch

        path = tmp_path_factory.mktemp("weights") / name
        if name.endswith(".safetensors"):
            save_file({key: tensor.detach().contiguous() for key, tensor in state.items()}, path)
        else:
            torch.save(state, path)
        return path

    return write


def decoded(paths: Sequence[Path], input: Input) -> NDArray[np.uint8]:
    """What a network of ours is given of some pictures."""
    return np.stack([decode(path.read_bytes(), input).pixels for path in paths])


def greatest_difference(received: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Of vectors, as a share of the largest number in those expected."""
    assert received.shape == expected.shape
    assert received.dtype == np.float32
    return float(np.abs(received - expected).max() / np.abs(expected).max())
