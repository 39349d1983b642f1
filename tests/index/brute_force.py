"""The reference of the index's tests: every distance in float64, nothing clever."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike import Neighbors
from lookalike.metric import METRICS as ALL_METRICS
from lookalike.metric import Metric

__all__ = ["METRICS", "Metric", "check_neighbors", "clusters", "distances", "nearest", "recall_of"]

METRICS: tuple[Metric, ...] = tuple(metric for metric in ALL_METRICS if metric != "hamming")  # of floats
Floats = NDArray[Any]
Ids = NDArray[np.int64]


def distances(metric: Metric, query: Floats, vectors: Floats) -> NDArray[np.float64]:
    """From one query (dim,) to vectors (n, dim), after both were rounded to float32 as the index does."""
    q = np.asarray(query, np.float32).astype(np.float64)
    x = np.asarray(vectors, np.float32).astype(np.float64).reshape(-1, len(q))
    found: NDArray[np.float64]
    if metric == "dot":
        found = -(x @ q)
    elif metric == "cosine":
        found = 1.0 - (x @ q) / (np.linalg.norm(x, axis=1) * np.linalg.norm(q))
    else:
        found = ((x - q) ** 2).sum(axis=1)
    return np.sqrt(found) if metric == "euclidean" else found


def nearest(metric: Metric, query: Floats, vectors: Floats, k: int) -> Ids:
    """The rows of the k nearest; ties by the smaller row."""
    return np.argsort(distances(metric, query, vectors), kind="stable")[:k]


def check_neighbors(
    found: Neighbors, metric: Metric, query: Floats, ids: Ids, vectors: Floats, k: int, max_distance: float = np.inf
) -> None:
    """Holds if `found` is what an exact search for one query must answer, up to float32 in the distances."""
    true = distances(metric, query, vectors)
    scale = 1.0
    if metric == "dot" and len(vectors):
        scale = float(np.linalg.norm(query) * np.linalg.norm(np.asarray(vectors, np.float64), axis=1).max())
    rtol, atol = 1e-5, 2e-6 * scale if metric in ("cosine", "dot") else 1e-20

    assert found.ids.dtype == np.int64
    assert found.distances.dtype == np.float32
    assert found.ids.shape == found.distances.shape == (k,)
    count = int((found.ids >= 0).sum())
    assert (found.ids[count:] == -1).all()
    assert np.isinf(found.distances[count:]).all()
    got, distance = found.ids[:count], found.distances[:count]
    assert len(np.unique(got)) == count, "an id was found twice"
    assert (np.diff(distance) >= 0).all(), "not nearest first"
    same = np.flatnonzero(np.diff(distance) == 0)
    assert (got[same] < got[same + 1]).all(), "ties must go to the smaller id"

    row = {int(id): i for i, id in enumerate(ids)}
    np.testing.assert_allclose(distance, true[[row[int(id)] for id in got]], rtol=rtol, atol=atol)
    admitted = np.sort(true[true <= max_distance])[:k]
    near_the_limit = np.isclose(true, max_distance, rtol=rtol, atol=atol).any()
    assert count == len(admitted) or near_the_limit
    np.testing.assert_allclose(distance[: len(admitted)], admitted[:count], rtol=rtol, atol=atol)


def clusters(n: int, dim: int, seed: int, centres: int = 200) -> NDArray[np.float32]:
    """A Gaussian mixture: the kind of data that features are. The centres are the same for every seed."""
    middle = np.random.default_rng(12345).normal(size=(centres, dim))
    random = np.random.default_rng(seed)
    points = middle[random.integers(centres, size=n)] + 0.5 * random.normal(size=(n, dim))
    return points.astype(np.float32)


def recall_of(found: Ids, true: Ids) -> float:
    """The share of true ids (n, k) that were found, averaged over the queries."""
    return float(np.mean([np.isin(t, f).mean() for f, t in zip(found, true, strict=True)]))
