"""Several examples as one vector (Rocchio, "Relevance feedback in information retrieval", 1971)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, VectorError
from lookalike.metric import Metric

Weighted = Sequence[tuple[NDArray[Any], float]]

_NEARLY_NOTHING = 1e-3  # of a unit vector: what is left of examples that are each other's opposite


def combine(metric: Metric, more: Weighted, less: Weighted = ()) -> NDArray[Any]:
    """What lies in the middle of `more`, and from there away from the middle of `less`.

    With m and l the weighted means of `more` and `less`, and w the mean weight of `less`, it is m + w (m − l):
    Rocchio's formula with β = 1 + w and γ = w, whatever the number of examples. Under cosine the means are those of
    unit vectors. One example alone is taken as it is.

    Args:
        more, less: vectors (dim,) with their weights, which are above 0; `more` is not empty.

    Raises:
        ArgumentError: several vectors of bits.
        VectorError: NaN or inf; under cosine a vector of zeros, or vectors that are each other's opposite.
    """
    if len(more) == 1 and not less:
        return more[0][0]
    if metric == "hamming":
        raise ArgumentError(
            "expected one example, as bits have no middle under hamming, received several; search by one"
        )
    middle = _mean(metric, more)
    if less:
        weight = sum(weight for _, weight in less) / len(less)
        middle = middle + weight * (middle - _mean(metric, less))
    if metric == "cosine" and np.linalg.norm(middle) < _NEARLY_NOTHING:
        raise VectorError("expected examples with something in common, received each other's opposites; leave some out")
    return middle.astype(np.float32)


def _mean(metric: Metric, weighted: Weighted) -> NDArray[np.float64]:
    vectors = np.stack([vector for vector, _ in weighted]).astype(np.float64)
    if not np.isfinite(vectors).all():
        raise VectorError("expected finite numbers, received a vector with NaN or inf; leave it out")
    if metric == "cosine":
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise VectorError("expected vectors with a direction, received one of zeros; leave it out")
        vectors /= lengths
    mean: NDArray[np.float64] = np.average(vectors, axis=0, weights=[weight for _, weight in weighted])
    return mean
