"""From vectors to probabilities; a file that was altered is not used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ModelError
from lookalike.models.onnx import OnnxModel
from lookalike.models.words import Words, words_of
from lookalike.models.words.classes import Classifier


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    words = words_of("efficientnet-lite0")
    assert words is not None
    return words.classifier


def test_probabilities_sum_to_one(classifier: Classifier, model: OnnxModel, pictures: NDArray[np.uint8]) -> None:
    found = classifier.probabilities(model.embed(pictures))
    assert found.shape == (len(pictures), 1000)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert classifier.probabilities(np.empty((0, 1280), np.float32)).shape == (0, 1000)


def test_a_picture_does_not_depend_on_those_beside_it(
    classifier: Classifier, model: OnnxModel, pictures: NDArray[np.uint8]
) -> None:
    vectors = model.embed(pictures)
    alone = np.concatenate([classifier.probabilities(vector[np.newaxis]) for vector in vectors])
    np.testing.assert_allclose(classifier.probabilities(vectors), alone, atol=1e-5)


@pytest.mark.parametrize("place", [0, 200, -1])
def test_a_damaged_file_is_refused(classifier: Classifier, tmp_path: Path, place: int) -> None:
    data = bytearray(classifier.path.read_bytes())
    data[place] ^= 1
    (tmp_path / "classes.npy").write_bytes(data)
    with pytest.raises(
        ModelError, match=r"expected classes with SHA-256 \w+ in .*, received \w+: the file was altered"
    ):
        replace(classifier, path=tmp_path / "classes.npy").probabilities(np.zeros((1, 1280), np.float32))


def test_a_missing_file_is_said(classifier: Classifier, tmp_path: Path) -> None:
    words = Words("efficientnet-lite0", replace(classifier, path=tmp_path / "gone.npy"))
    with pytest.raises(ModelError, match=r"gone\.npy, received No such file.*install lookalike again"):
        words.probabilities(np.zeros((1, 1280), np.float32))
