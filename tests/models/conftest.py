from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.models.onnx import BATCH, OnnxModel, efficientnet_lite0


@pytest.fixture(scope="session")
def model() -> OnnxModel:
    return efficientnet_lite0()


@pytest.fixture(scope="session")
def pictures(model: OnnxModel) -> NDArray[np.uint8]:
    """2 batches and a bit: blocks of colour at several scales, with noise."""
    random = np.random.default_rng(0)
    side = model.input.side
    made = []
    for cells in np.resize([2, 4, 7, 8, 14, 28], 2 * BATCH + 3):
        blocks = random.integers(0, 256, (cells, cells, 3))
        noise = random.normal(0, 12, (side, side, 3))
        made.append(np.kron(blocks, np.ones((side // cells, side // cells, 1))) + noise)
    return np.clip(made, 0, 255).astype(np.uint8)
