"""The estimator beside scikit-learn's own."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, issparse
from sklearn.cluster import DBSCAN
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import NearestNeighbors as Peer

from lookalike.errors import ArgumentError, VectorError
from lookalike.neighbors import NearestNeighbors

RNG = np.random.default_rng(3)
SAMPLES = RNG.standard_normal((200, 12))
QUERIES = RNG.standard_normal((30, 12))
MANY = RNG.standard_normal((6_000, 24)).astype(np.float32)  # more than are compared one by one

METRICS = ["euclidean", "l2", "minkowski", "sqeuclidean", "cosine"]


def same(ours: Any, theirs: Any) -> None:
    """Distances and row numbers, as two arrays or two arrays of arrays."""
    for our_distances, our_rows, distances, rows in zip(*ours, *theirs, strict=True):
        np.testing.assert_allclose(our_distances, distances, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(our_rows, rows)


def share_found(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    return float(np.mean([len(np.intersect1d(*rows)) / len(rows[1]) for rows in zip(found, truth, strict=True)]))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("queries", [None, QUERIES])
def test_kneighbors_are_scikit_learns(metric: str, queries: NDArray[np.float64] | None) -> None:
    ours = NearestNeighbors(n_neighbors=7, metric=metric).fit(SAMPLES)
    theirs = Peer(n_neighbors=7, metric=metric).fit(SAMPLES)
    same(ours.kneighbors(queries), theirs.kneighbors(queries))
    np.testing.assert_array_equal(ours.kneighbors(queries, 3, False), theirs.kneighbors(queries, 3, False))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("queries", [None, QUERIES])
def test_radius_neighbors_are_scikit_learns(metric: str, queries: NDArray[np.float64] | None) -> None:
    radius = float(np.quantile(Peer(metric=metric).fit(SAMPLES).kneighbors(n_neighbors=20)[0], 0.5))
    ours = NearestNeighbors(radius=radius, metric=metric).fit(SAMPLES)
    theirs = Peer(radius=radius, metric=metric).fit(SAMPLES)
    expected = theirs.radius_neighbors(queries, sort_results=True)
    same(ours.radius_neighbors(queries), expected)
    for rows, truth in zip(ours.radius_neighbors(queries, return_distance=False), expected[1], strict=True):
        np.testing.assert_array_equal(rows, truth)


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("queries", [None, QUERIES])
def test_graphs_are_scikit_learns(mode: Any, queries: NDArray[np.float64] | None) -> None:
    ours, theirs = NearestNeighbors(radius=4.0).fit(SAMPLES), Peer(radius=4.0).fit(SAMPLES)
    for method in ("kneighbors_graph", "radius_neighbors_graph"):
        graph, expected = (getattr(each, method)(queries, mode=mode) for each in (ours, theirs))
        assert isinstance(graph, csr_matrix)
        assert graph.dtype == np.float64
        assert graph.shape == expected.shape
        np.testing.assert_allclose(graph.toarray(), expected.toarray(), rtol=1e-5)


def test_dot_is_minus_the_inner_product() -> None:
    distances, rows = NearestNeighbors(metric="dot").fit(SAMPLES).kneighbors(QUERIES)
    products = -QUERIES @ SAMPLES.T
    np.testing.assert_array_equal(rows, np.argsort(products, axis=1)[:, :5])
    np.testing.assert_allclose(distances, np.take_along_axis(products, rows, axis=1), rtol=1e-5)


def test_under_dot_a_radius_may_be_negative_and_no_sample_is_its_own_neighbour() -> None:
    neighbors = NearestNeighbors(metric="dot", radius=-12.0).fit(SAMPLES)
    products = -SAMPLES @ SAMPLES.T
    np.fill_diagonal(products, np.inf)
    np.testing.assert_array_equal(neighbors.radius_neighbors_graph().toarray(), products <= -12.0)
    np.testing.assert_array_equal(neighbors.kneighbors()[1], np.argsort(products, axis=1)[:, :5])


def test_of_equally_near_samples_the_first_come_first() -> None:
    neighbors = NearestNeighbors().fit([[1.0], [-1.0], [1.0], [2.0], [0.0]])
    np.testing.assert_array_equal(neighbors.kneighbors([[0.0]], 4)[1], [[4, 0, 1, 2]])


def test_copies_are_neighbours_but_not_the_sample_itself() -> None:
    neighbors = NearestNeighbors(radius=0.0).fit(np.ones((8, 3)))  # more copies than neighbours
    distances, rows = neighbors.kneighbors(n_neighbors=3)
    np.testing.assert_array_equal(distances, 0.0)
    for own, row in enumerate(rows):
        np.testing.assert_array_equal(row, [other for other in range(8) if other != own][:3])
    graph = neighbors.radius_neighbors_graph(mode="distance")
    assert graph.nnz == 8 * 7  # distances of 0 are stored
    np.testing.assert_array_equal(graph.diagonal(), 0.0)


def test_a_neighbour_at_the_radius_counts() -> None:
    neighbors = NearestNeighbors(radius=0.1).fit([[0.0], [0.1], [0.3]])
    np.testing.assert_array_equal(neighbors.radius_neighbors([[0.0]])[1][0], [0, 1])


def test_nothing_within_the_radius() -> None:
    distances, rows = NearestNeighbors(radius=1e-3).fit(SAMPLES).radius_neighbors()
    assert [len(row) for row in rows] == [len(row) for row in distances] == [0] * 200
    assert rows[0].dtype == np.int64
    assert distances[0].dtype == np.float64


@pytest.mark.parametrize("sparse", [csr_matrix, csr_array])
def test_sparse_samples_are_as_dense_ones(sparse: Any) -> None:
    samples = np.where(SAMPLES > 0.5, SAMPLES, 0.0)
    same(NearestNeighbors().fit(sparse(samples)).kneighbors(), NearestNeighbors().fit(samples).kneighbors())
    same(NearestNeighbors().fit(samples).kneighbors(sparse(QUERIES)), Peer().fit(samples).kneighbors(QUERIES))


def test_float32_samples_are_not_copied() -> None:
    assert np.shares_memory(NearestNeighbors().fit(MANY)._fit_X, MANY)


def test_graphs_are_arrays_where_scikit_learn_is_set_so() -> None:
    if "sparse_interface" not in sklearn.get_config():
        return  # before 1.9
    with sklearn.config_context(sparse_interface="sparray"):
        assert isinstance(NearestNeighbors().fit(SAMPLES).kneighbors_graph(), csr_array)


@pytest.mark.parametrize("n_neighbors", [1, 10])
def test_recall_is_reached_and_1_is_exact(n_neighbors: int) -> None:
    truth = Peer(n_neighbors=n_neighbors, algorithm="brute").fit(MANY).kneighbors(return_distance=False)
    for recall in (0.8, 0.95):
        _, found = NearestNeighbors(n_neighbors=n_neighbors, recall=recall).fit(MANY).kneighbors()
        assert share_found(found, truth) >= recall - 0.02
    _, found = NearestNeighbors(n_neighbors=n_neighbors, recall=1).fit(MANY).kneighbors()
    assert share_found(found, truth) == 1.0


def test_a_radius_finds_nearly_all_and_recall_1_all() -> None:
    truth = Peer(radius=4.5, algorithm="brute").fit(MANY).radius_neighbors_graph()
    assert truth.nnz > 10_000
    graph = NearestNeighbors(radius=4.5).fit(MANY).radius_neighbors_graph()
    assert (graph > truth).nnz == 0
    assert graph.nnz >= 0.999 * truth.nnz
    assert (NearestNeighbors(radius=4.5, recall=1.0).fit(MANY).radius_neighbors_graph() != truth).nnz == 0


@pytest.mark.parametrize("samples", [SAMPLES, MANY])
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_answers_alike(samples: NDArray[Any], again: Any) -> None:
    neighbors = NearestNeighbors(random_state=np.random.RandomState(8)).fit(samples)
    assert_same_answers(neighbors, again(neighbors))
    assert not hasattr(again(NearestNeighbors(n_neighbors=4)), "n_samples_fit_")


def test_the_seed_decides_and_threads_do_not() -> None:
    first = NearestNeighbors(recall=0.5).fit(MANY)
    assert_same_answers(first, NearestNeighbors(recall=0.5, n_jobs=-1).fit(MANY))
    other = NearestNeighbors(recall=0.5, random_state=1).fit(MANY)
    assert (first.kneighbors()[1] != other.kneighbors()[1]).any()


def assert_same_answers(one: NearestNeighbors, other: NearestNeighbors) -> None:
    for ours, theirs in zip(one.kneighbors(), other.kneighbors(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_threads_follow_joblib() -> None:
    neighbors = NearestNeighbors().fit(SAMPLES)
    assert neighbors._threads() == 1
    with joblib.parallel_config("threading", n_jobs=2):
        assert neighbors._threads() == 2
    assert neighbors.set_params(n_jobs=3)._threads() == 3


def test_parameters_may_change_after_the_fit_but_for_the_metric() -> None:
    neighbors = NearestNeighbors().fit(SAMPLES).set_params(n_neighbors=2, metric="cosine")
    assert neighbors.kneighbors()[1].shape == (200, 2)
    assert neighbors.effective_metric_ == "euclidean"
    same(neighbors.kneighbors(), Peer(n_neighbors=2).fit(SAMPLES).kneighbors())


def test_dbscan_takes_the_graph() -> None:
    samples = np.vstack([SAMPLES[:60] * 0.1, SAMPLES[60:120] * 0.1 + 5.0])
    graph = NearestNeighbors(radius=1.0).fit(samples).radius_neighbors_graph(samples, mode="distance")
    labels = DBSCAN(eps=1.0, metric="precomputed").fit_predict(graph)
    np.testing.assert_array_equal(labels, DBSCAN(eps=1.0).fit_predict(samples))
    assert issparse(graph)


def test_fewer_samples_than_neighbours() -> None:
    neighbors = NearestNeighbors(n_neighbors=200).fit(SAMPLES)
    assert neighbors.kneighbors(QUERIES)[1].shape == (30, 200)
    assert neighbors.kneighbors(n_neighbors=199)[1].shape == (200, 199)
    with pytest.raises(ArgumentError, match=r"201 .*n_samples_fit = 200"):
        neighbors.kneighbors(QUERIES, 201)
    with pytest.raises(ArgumentError, match="itself counted"):
        neighbors.kneighbors()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metric": "manhattan"}, "metric is 'manhattan'; expected one of euclidean"),
        ({"metric": "hamming"}, "metric is 'hamming'"),
        ({"n_neighbors": 0}, "n_neighbors is 0"),
        ({"n_neighbors": 2.5}, r"n_neighbors is 2\.5"),
        ({"recall": 0.0}, r"recall is 0\.0"),
        ({"recall": float("nan")}, "recall is nan"),
        ({"recall": "all"}, "recall is 'all'"),
        ({"random_state": "chance"}, "'chance' cannot be used"),
    ],
)
def test_a_parameter_that_cannot_be_used(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NearestNeighbors(**parameters).fit(SAMPLES)


@pytest.mark.parametrize("radius", [-0.5, float("nan"), "wide"])
def test_a_radius_that_cannot_be_used(radius: Any) -> None:
    with pytest.raises(ArgumentError, match="radius is"):
        NearestNeighbors().fit(SAMPLES).radius_neighbors(radius=radius)


def test_a_mode_that_cannot_be_used() -> None:
    neighbors = NearestNeighbors().fit(SAMPLES)
    for graph in (neighbors.kneighbors_graph, neighbors.radius_neighbors_graph):
        with pytest.raises(ArgumentError, match="mode is 'weights'"):
            graph(mode="weights")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_values_that_cannot_be_used(value: float) -> None:
    samples = SAMPLES.copy()
    samples[3, 4] = value
    for given in (samples, csr_matrix(samples)):
        with pytest.raises(ValueError, match=r"NaN|infinity or a value too large for dtype\('float32'\)"):
            NearestNeighbors().fit(given)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            NearestNeighbors().fit(SAMPLES).kneighbors(given)


def test_zeros_under_cosine() -> None:
    with pytest.raises(VectorError, match="no direction"):
        NearestNeighbors(metric="cosine").fit(np.zeros((3, 2)))


@pytest.mark.parametrize("samples", [np.zeros((50, 2)), np.full((50, 12), np.nan)])
def test_a_fit_that_fails_leaves_nothing_that_answers(samples: NDArray[np.float64]) -> None:
    fitted = NearestNeighbors(metric="cosine").fit(SAMPLES)
    for estimator in (fitted, NearestNeighbors(metric="cosine")):
        with pytest.raises(ValueError, match=r"no direction|NaN"):
            estimator.fit(samples)
        for each in (estimator, pickle.loads(pickle.dumps(estimator))):
            with pytest.raises(NotFittedError):
                each.kneighbors(QUERIES)
        estimator.fit(SAMPLES)
        assert estimator.kneighbors(QUERIES)[1].shape == (30, 5)
