"""The estimator: nearest samples by number or by radius."""

from __future__ import annotations

from typing import Any, SupportsFloat

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from lookalike.errors import ArgumentError
from lookalike.index.within import Within
from lookalike.neighbors.graph import Mode, check_mode, csr_graph
from lookalike.neighbors.indexed import IndexedEstimator


class NearestNeighbors(IndexedEstimator):
    """Nearest neighbours among samples, with the methods of scikit-learn's class of the same name.

        >>> neighbors = NearestNeighbors(n_neighbors=1).fit([[0.0], [3.0], [1.0]])
        >>> neighbors.kneighbors([[2.5]])
        (array([[0.5]]), array([[1]]))

    Args:
        n_neighbors: how many to find by default.
        radius: how far to look by default, in units of the metric.
        metric: "euclidean" (also by scikit-learn's names "l2" and "minkowski"), "sqeuclidean", "cosine", or "dot",
            minus the inner product, under which distances may be negative and a sample need not be nearest to itself.
        recall: the share of the true neighbours to be found on average, in (0, 1]; 1 compares every vector, and so
            do fewer than 4,096 samples, or more neighbours than a tenth of them. Below 1 a search by radius
            misses about 1 in 15,000, whatever the recall.
        n_jobs: threads of a search, by scikit-learn's convention: None is 1, −1 one on each core. Fitting takes all.
        random_state: of what an index draws at random. The same number gives the same answers.

    Attributes:
        n_features_in_, feature_names_in_, n_samples_fit_: what it was fitted with.
        effective_metric_: the metric by its name in `lookalike.Index`.

    Survives pickling by its vectors; the index is made anew from them.
    """

    def __init__(
        self,
        *,
        n_neighbors: int = 5,
        radius: float = 1.0,
        metric: str = "euclidean",
        recall: float = 0.95,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.metric = metric
        self.recall = recall
        self.n_jobs = n_jobs
        self.random_state = random_state

    def radius_neighbors(
        self,
        X: Any = None,  # noqa: N803  # scikit-learn's name
        radius: float | None = None,
        return_distance: bool = True,
        sort_results: bool = True,  # noqa: ARG002
    ) -> tuple[NDArray[np.object_], NDArray[np.object_]] | NDArray[np.object_]:
        """All samples within a radius of each query, those at the radius too.

        Args:
            X: (n_queries, n_features); by default the fitted samples, none of which is its own neighbour then.
            radius: by default the parameter of that name.
            return_distance: whether to return distances too.
            sort_results: for scikit-learn's callers; results are always sorted, nearest first.

        Returns:
            Distances and row numbers: two arrays (n_queries,) of arrays, float64 and int64.

        Raises:
            ValueError: X as in `fit`; a radius that is NaN, or negative (except under dot).
        """
        found = self._within(X, radius)
        ids = _ragged(found.ids, found.starts)
        return (_ragged(found.distances.astype(np.float64), found.starts), ids) if return_distance else ids

    def radius_neighbors_graph(
        self,
        X: Any = None,  # noqa: N803
        radius: float | None = None,
        mode: Mode = "connectivity",
        sort_results: bool = True,  # noqa: ARG002
    ) -> Any:
        """What `radius_neighbors` finds, as a sparse CSR graph (n_queries, n_samples_fit) of float64.

        Args:
            X, radius, sort_results: as for `radius_neighbors`.
            mode: edges weigh 1 ("connectivity") or their distance ("distance").
        """
        check_mode(mode)
        found = self._within(X, radius)
        return csr_graph(mode, found.starts, found.ids, found.distances, self.n_samples_fit_)

    def _within(self, X: Any, radius: float | None) -> Within:  # noqa: N803
        check_is_fitted(self)
        reach: object = self.radius if radius is None else radius  # whatever was given
        if not (isinstance(reach, SupportsFloat) and (float(reach) >= 0 or self.effective_metric_ == "dot")):
            raise ArgumentError(f"radius is {reach!r}; expected a number of at least 0, or any under dot")
        queries = self._fit_X if X is None else self._as_vectors(X)
        found = self._index.range_search(queries, float(reach), exact=self.recall == 1, threads=self._threads())
        return _without_own(found) if X is None else found


def _without_own(found: Within) -> Within:
    others = found.ids != np.repeat(np.arange(len(found)), np.diff(found.starts))
    before = np.concatenate([[0], np.cumsum(others)])
    return Within(before[found.starts], found.ids[others], found.distances[others])


def _ragged(values: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[np.object_]:
    parts = np.empty(len(starts) - 1, dtype=object)
    for i, part in enumerate(np.split(values, starts[1:-1])):
        parts[i] = part
    return parts
