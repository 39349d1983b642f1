"""Neighbours as a sparse graph: row i holds the neighbours of query i, in columns numbered as the fitted samples."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix
from sklearn import get_config

from lookalike.errors import ArgumentError

Mode = Literal["connectivity", "distance"]


def check_mode(mode: str) -> None:
    """ArgumentError unless it is one of the two."""
    if mode not in ("connectivity", "distance"):
        raise ArgumentError(f"mode is {mode!r}; expected 'connectivity' or 'distance'")


def csr_graph(
    mode: Mode, starts: NDArray[np.int64], ids: NDArray[np.int64], distances: NDArray[np.floating], n_samples_fit: int
) -> Any:
    """CSR (queries, n_samples_fit), float64, weighted by 1 or by distance; distances of 0 are stored.

    In the order given, so that what is sorted by distance stays so: scikit-learn expects it of a precomputed graph.
    """
    weights = np.ones(len(ids)) if mode == "connectivity" else distances.astype(np.float64)
    # scikit-learn 1.9 lets its user choose; before, it knew matrices only.
    form = csr_array if get_config().get("sparse_interface") == "sparray" else csr_matrix
    return form((weights, ids, starts), shape=(len(starts) - 1, n_samples_fit))
