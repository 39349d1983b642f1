"""What both estimators are: an index of the samples they were fitted with, asked for the nearest of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, SupportsFloat, SupportsIndex

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from lookalike.arrays import as_count
from lookalike.errors import ArgumentError
from lookalike.index import Index
from lookalike.index.arguments import recall_with_itself
from lookalike.metric import Metric
from lookalike.neighbors.graph import Mode, check_mode, csr_graph

METRICS: Mapping[str, Metric] = {
    "euclidean": "euclidean",
    "l2": "euclidean",
    "minkowski": "euclidean",  # scikit-learn's default name, with its default p = 2
    "sqeuclidean": "sqeuclidean",
    "cosine": "cosine",
    "dot": "dot",
}


class IndexedEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Keeps the samples as float32, row numbers as ids, and finds the k nearest of them."""

    n_neighbors: int
    metric: str
    recall: float
    n_jobs: int | None
    random_state: int | np.random.RandomState | None

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803, ARG002  # scikit-learn's names
        """Indexes samples. Where it raises, the estimator is not fitted, even if it was before.

        Args:
            X: (n_samples, n_features), dense or sparse; rounded to float32, and sparse ones made dense. Not copied
                where it is C-contiguous float32 already, so do not write to it afterwards.
            y: ignored.

        Raises:
            ValueError: NaN, inf, another shape; a zero vector under cosine; a parameter that cannot be used.
        """
        for name in ("_fit_X", "_index"):  # a fit that fails leaves nothing that answers
            self.__dict__.pop(name, None)
        self._check_parameters()
        vectors = self._as_vectors(X, reset=True)
        self.effective_metric_ = METRICS[self.metric]
        self._seed = int(check_random_state(self.random_state).randint(2**31))
        self._index = self._indexed(vectors)
        self._fit_X = vectors
        self.n_samples_fit_ = len(vectors)
        return self

    def kneighbors(
        self,
        X: Any = None,  # noqa: N803
        n_neighbors: SupportsIndex | None = None,
        return_distance: bool = True,
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]] | NDArray[np.int64]:
        """The nearest samples of each query, nearest first, ties by the smaller row number.

        Args:
            X: (n_queries, n_features); by default the fitted samples, none of which is its own neighbour then.
            n_neighbors: by default the parameter of that name.
            return_distance: whether to return distances too.

        Returns:
            Distances, float64 (n_queries, n_neighbors), correct to float32; row numbers, int64 of the same shape.

        Raises:
            ValueError: X as in `fit`, or there are fewer samples than n_neighbors.
        """
        check_is_fitted(self)
        count = as_count("n_neighbors", self.n_neighbors if n_neighbors is None else n_neighbors, 1)
        distances, ids = self._others(count) if X is None else self._nearest(self._as_vectors(X), count)
        return (distances, ids) if return_distance else ids

    def kneighbors_graph(
        self,
        X: Any = None,  # noqa: N803
        n_neighbors: SupportsIndex | None = None,
        mode: Mode = "connectivity",
    ) -> Any:
        """What `kneighbors` finds, as a sparse CSR graph (n_queries, n_samples_fit) of float64.

        Args:
            X, n_neighbors: as for `kneighbors`.
            mode: edges weigh 1 ("connectivity") or their distance ("distance").
        """
        check_mode(mode)
        distances, ids = self.kneighbors(X, n_neighbors)
        return self._graph(mode, distances, ids)

    def _check_parameters(self) -> None:
        as_count("n_neighbors", self.n_neighbors, 1)
        if self.metric not in METRICS:
            raise ArgumentError(f"metric is {self.metric!r}; expected one of {', '.join(METRICS)}")
        recall: object = self.recall  # whatever was given
        if not (isinstance(recall, SupportsFloat) and 0.0 < float(recall) <= 1.0):
            raise ArgumentError(f"recall is {recall!r}; expected more than 0 and at most 1")

    def _as_vectors(self, X: Any, reset: bool = False) -> NDArray[np.float32]:  # noqa: N803
        with np.errstate(over="ignore"):  # beyond float32 is inf, which is refused
            X = validate_data(self, X, accept_sparse="csr", dtype=np.float32, order="C", reset=reset)  # noqa: N806
        vectors: NDArray[np.float32] = X.toarray() if hasattr(X, "toarray") else X
        return vectors

    def _indexed(self, vectors: NDArray[np.float32]) -> Index:
        index = Index(vectors.shape[1], self.effective_metric_, seed=self._seed)
        index.add(vectors)
        index.optimize()
        return index

    def _threads(self) -> int:
        return int(effective_n_jobs(self.n_jobs))

    def _nearest(
        self, queries: NDArray[np.float32], count: int, recall: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        if count > self.n_samples_fit_:
            raise ArgumentError(
                f"{count} nearest samples (itself counted) were asked for, but the estimator was fitted with fewer: "
                f"n_samples_fit = {self.n_samples_fit_}, n_samples = {len(queries)}"
            )
        found = self._index.search(queries, count, recall=recall or self.recall, threads=self._threads())
        return found.distances.astype(np.float64), found.ids

    def _others(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The nearest of each fitted sample without itself; count may be 0."""
        distances, ids = self._nearest(self._fit_X, count + 1, recall_with_itself(float(self.recall), count))
        others = ids != np.arange(len(ids))[:, np.newaxis]
        others[others.all(axis=1), -1] = False  # it is not there itself: it has copies, or was missed
        shape = len(ids), count
        return distances[others].reshape(shape), ids[others].reshape(shape)

    def _graph(self, mode: Mode, distances: NDArray[np.float64], ids: NDArray[np.int64]) -> Any:
        starts = np.arange(len(ids) + 1) * ids.shape[1]
        return csr_graph(mode, starts, ids.ravel(), distances.ravel(), self.n_samples_fit_)

    def __getstate__(self) -> dict[str, Any]:
        """Without the index: the same vectors and seed make the same one again."""
        return {name: value for name, value in super().__getstate__().items() if name != "_index"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_fit_X" in state:
            self._index = self._indexed(self._fit_X)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_index")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
