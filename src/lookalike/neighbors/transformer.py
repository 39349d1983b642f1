"""The transformer: samples in, a sparse graph of their neighbours out, for what takes `metric="precomputed"`."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from lookalike.errors import ArgumentError
from lookalike.neighbors.graph import Mode, check_mode
from lookalike.neighbors.indexed import IndexedEstimator


class KNeighborsTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, IndexedEstimator):  # type: ignore[misc]
    """A graph of nearest neighbours as the first step of a pipeline, like scikit-learn's class of the same name.

        >>> graph = KNeighborsTransformer(n_neighbors=1).fit_transform([[0.0], [3.0], [1.0]])
        >>> graph.toarray()
        array([[0., 0., 1.],
               [0., 0., 2.],
               [1., 0., 0.]])

    Args:
        mode: edges weigh their distance ("distance") or 1 ("connectivity").
        n_neighbors: how many a row holds; one more in mode "distance", by scikit-learn's convention, where the first
            neighbour of a fitted sample is itself.
        metric: as for `NearestNeighbors`, but for "dot": distances in a graph cannot be negative.
        recall, n_jobs, random_state: as for `NearestNeighbors`.

    Attributes:
        n_features_in_, feature_names_in_, n_samples_fit_, effective_metric_: as for `NearestNeighbors`.
    """

    def __init__(
        self,
        *,
        mode: Mode = "distance",
        n_neighbors: int = 5,
        metric: str = "euclidean",
        recall: float = 0.95,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.mode = mode
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.recall = recall
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803  # scikit-learn's name
        super().fit(X, y)
        self._n_features_out = self.n_samples_fit_
        return self

    fit.__doc__ = IndexedEstimator.fit.__doc__

    def transform(self, X: Any) -> Any:  # noqa: N803
        """The graph of the nearest fitted samples: sparse CSR (n_samples, n_samples_fit) of float64.

        Raises ValueError as `fit` does, or where there are fewer samples than neighbours.
        """
        check_is_fitted(self)
        return self.kneighbors_graph(X, self._neighbors_of_a_row(), self.mode)

    def fit_transform(self, X: Any, y: object = None) -> Any:  # noqa: N803
        """The graph of the samples themselves, as `fit` and then `transform` give it.

        Every sample is here its own first neighbour, where `transform` may find a copy of it, or miss it.
        """
        self.fit(X, y)
        distances, ids = self._others(self._neighbors_of_a_row() - 1)
        own = np.arange(len(ids))[:, np.newaxis]
        return self._graph(self.mode, np.hstack([np.zeros(own.shape), distances]), np.hstack([own, ids]))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_mode(self.mode)
        if self.metric == "dot":
            raise ArgumentError("metric is 'dot', whose distances may be negative; a graph takes another metric")

    def _neighbors_of_a_row(self) -> int:
        return self.n_neighbors + (self.mode == "distance")
