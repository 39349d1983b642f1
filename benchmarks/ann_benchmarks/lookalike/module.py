"""lookalike for ann-benchmarks: this folder is copied into its `ann_benchmarks/algorithms/`, and run by its harness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike import Index
from lookalike.errors import VectorError
from lookalike.index.store import Store
from lookalike.metric import Metric

from ..base.module import BaseANN  # type: ignore[import-not-found,misc]  # the harness's, where this is copied to

METRICS: dict[str, Metric] = {"angular": "cosine", "euclidean": "euclidean", "hamming": "hamming"}

SAMPLE = 100
"""At most so many queries are explained."""

Vectors = NDArray[Any]
"""As the harness reads them: float32 or float64, and bool for what it calls the point type bit."""
Ids = NDArray[np.int64]


class Lookalike(BaseANN):  # type: ignore[misc]  # of which mypy sees nothing
    """An index of which nothing is set but the store; a search is told nothing but the recall.

    A vector of zeros has no angle. There are some in nytimes-256-angular: they are never found, and find nothing
    (https://github.com/erikbern/ann-benchmarks/issues/73).
    """

    def __init__(self, metric: str, store: Store) -> None:
        if metric not in METRICS:
            raise NotImplementedError(f"metric is {metric}; lookalike has {', '.join(METRICS)}")
        self._metric, self._store = METRICS[metric], store
        self.name = f"lookalike({store})"

    def fit(self, X: Vectors) -> None:  # noqa: N803  # as the harness's other modules call it
        rows = self._searchable(X)
        vectors = self._prepared(X if len(rows) == len(X) else X[rows])
        self._index = Index(vectors.shape[1] * (8 if self._store == "bits" else 1), self._metric, store=self._store)
        self._index.add(vectors, ids=rows)
        self._index.optimize()
        self._count = len(rows)

    def set_query_arguments(self, recall: float) -> None:
        self._recall = recall
        self._asked: list[Vectors] = []
        self.name = f"lookalike({self._store}, recall={recall})"

    def query(self, q: Vectors, n: int) -> Ids:
        query = self._prepared(q)
        try:
            found = self._index.search(query, n, recall=self._recall, threads=1)
        except VectorError:
            if len(self._searchable(q[np.newaxis])):
                raise
            return np.empty(0, np.int64)
        self._asked.append(query)
        self._found = found
        return found.ids[: self._count]  # what is asked for beyond that is −1

    def batch_query(self, X: Vectors, n: int) -> None:  # noqa: N803
        self._rows = self._searchable(X)
        self._queries = self._prepared(X[self._rows])
        self._results: list[Ids] = [np.empty(0, np.int64)] * len(X)
        self._found = self._index.search(self._queries, n, recall=self._recall)

    def get_batch_results(self) -> list[Ids]:
        self._asked.extend(self._queries)
        for row, ids in zip(self._rows.tolist(), self._found.ids[:, : self._count], strict=True):
            self._results[row] = ids
        return self._results

    def get_additional(self) -> dict[str, float]:
        """Of all runs, from a sample: how many vectors were compared, by sketch or in full; and the recall expected."""
        k = self._found.ids.shape[-1]
        sample = self._asked[:: 1 + len(self._asked) // SAMPLE]
        explained = [self._index.explain(query, k, recall=self._recall) for query in sample]
        compared = [stage.count for each in explained for stage in each.stages if stage.name in ("scan", "compare")]
        return {
            "dist_comps": sum(compared) / len(sample) * len(self._asked),
            "expected_recall": float(
                np.mean([self._index.search(query, k, recall=self._recall).recall for query in sample])
            ),
        }

    def _searchable(self, vectors: Vectors) -> Ids:
        """Which rows have a distance to others."""
        return np.flatnonzero(vectors.any(axis=1)) if self._metric == "cosine" else np.arange(len(vectors))

    def _prepared(self, vectors: Vectors) -> Vectors:
        """As `Index` takes them: bits in bytes. What is missing of the last byte is zero in all of them."""
        return np.packbits(vectors, axis=-1) if self._metric == "hamming" else vectors
