from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, ModelError
from lookalike.models import DEFAULT, Input, Model, get_model, register


@dataclass(frozen=True)
class MeanColour:
    """A model that a user might write."""

    name: str = "mean-colour"
    hash: str = "1"
    dim: int = 3

    @property
    def input(self) -> Input:
        return Input(side=8, fit="pad")

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        means: NDArray[np.float32] = batch.mean(axis=(1, 2), dtype=np.float32)
        return means


def test_the_default_model_is_named_as_it_is_asked_for() -> None:
    assert get_model().name == DEFAULT
    assert get_model() is get_model(DEFAULT)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match=rf"{DEFAULT}.*'vgg99'"):
        get_model("vgg99")


def test_a_registered_model_is_made_once_when_first_asked_for() -> None:
    made: list[Model] = []

    def factory() -> Model:
        made.append(MeanColour())
        return made[-1]

    register("mean-colour", factory)
    assert not made
    assert get_model("mean-colour") is get_model("mean-colour") is made[0]
    assert get_model("mean-colour").embed(np.full((2, 8, 8, 3), 7, np.uint8)).tolist() == [[7.0] * 3] * 2


def test_a_taken_name_is_refused() -> None:
    with pytest.raises(ArgumentError, match=f"{DEFAULT}.*taken"):
        register(DEFAULT, MeanColour)


def test_neither_onnxruntime_nor_the_weights_are_touched_before_the_first_embed() -> None:
    program = """
import sys
from pathlib import Path
Path.read_bytes = None
from lookalike.models import get_model
model = get_model()
model.name, model.hash, model.dim, model.input
for heavy in ("onnxruntime", "PIL", "torch"):
    assert heavy not in sys.modules, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True)
