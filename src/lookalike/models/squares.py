"""The vector of a picture that became several squares: the mean of theirs, each counting as much (docs/model.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError

if TYPE_CHECKING:
    from lookalike.models.model import Model


def embed_squares(model: Model, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """The vectors (n, dim) of n pictures, each of one square or of several below each other, as they are decoded.

    Args:
        pictures: (squares · side, side, 3) uint8 RGB each.

    Raises:
        ModelError: the model makes other than one vector a square; or as its `embed`.
    """
    side = model.input.side
    counts = np.array([len(picture) // side for picture in pictures], np.intp)
    if not len(counts):
        return np.empty((0, model.dim), np.float32)
    vectors = model.embed(np.concatenate([picture.reshape(-1, side, side, 3) for picture in pictures]))
    total = int(counts.sum())
    if vectors.shape != (total, model.dim):
        raise ModelError(
            f"expected {total} vectors of {model.dim} dimensions from the model {model.name}, received an array of "
            f"shape {vectors.shape}; correct its `embed`"
        )
    if total == len(counts):
        return vectors
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    starts = np.cumsum(counts) - counts
    directions = np.add.reduceat(vectors / lengths, starts, axis=0) / counts[:, np.newaxis]
    scales = np.add.reduceat(lengths, starts, axis=0) / counts[:, np.newaxis]
    means: NDArray[np.float32] = (directions * scales).astype(np.float32)
    means[counts == 1] = vectors[starts[counts == 1]]
    return means
