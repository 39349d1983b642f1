"""From a model's vectors to the probability of each class of its network."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Classifier:
    """The last layer of a network: softmax over its classes, of a vector that its other layers made.

    The file is read when first needed and used only if it has this SHA-256. It is a .npy of float16 (classes, dim + 1):
    the weights of a vector, and last the bias.
    """

    path: Path
    sha256: str

    def probabilities(self, vectors: Floats) -> Floats:
        """Of each class for each of `vectors`: (n, dim) float32 as the model made them in, (n, classes) float32 out.

        Raises:
            ModelError: the file is missing or altered.
        """
        weights, bias = self._layer
        scores = vectors @ weights + bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    @cached_property
    def _layer(self) -> tuple[Floats, Floats]:
        """(dim, classes) and (classes,)."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"expected the classes of the model at {self.path}, received {error.strerror}; install lookalike again"
            ) from error
        if (received := hashlib.sha256(data).hexdigest()) != self.sha256:
            raise ModelError(
                f"expected classes with SHA-256 {self.sha256} in {self.path}, received {received}: the file was "
                "altered; install lookalike again"
            )
        layer = np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32)
        return np.ascontiguousarray(layer[:, :-1].T), layer[:, -1].copy()
