"""An exact search is brute force: every metric, shape, number of neighbours and limit."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lookalike import Index, Neighbors, errors
from tests.index.brute_force import METRICS, Metric, check_neighbors

every_metric = pytest.mark.parametrize("metric", METRICS)


def vectors_of(dim: int, most: int) -> st.SearchStrategy[Any]:
    """Vectors whose cosine is defined: no row is zero."""
    numbers = st.floats(-100, 100, width=32).map(lambda x: 0.0 if abs(x) < 1e-6 else x)
    return arrays.arrays(np.float32, st.tuples(st.integers(0, most), st.just(dim)), elements=numbers).map(
        lambda x: np.where(np.abs(x).max(axis=1, keepdims=True, initial=0.0) > 0, x, np.float32(1.0))
    )


@every_metric
@settings(max_examples=30, deadline=None)
@given(data=st.data(), dim=st.integers(1, 40), k=st.integers(1, 30))
def test_exact_search_equals_brute_force(metric: Metric, data: st.DataObject, dim: int, k: int) -> None:
    vectors = data.draw(vectors_of(dim, 25))
    queries = data.draw(vectors_of(dim, 12))
    ids = np.array(
        data.draw(st.lists(st.integers(0, 2**63 - 1), min_size=len(vectors), max_size=len(vectors), unique=True)),
        np.int64,
    )
    index = Index(dim, metric)
    index.add(vectors, ids)
    found = index.search(queries, k, exact=True)
    assert found.ids.shape == (len(queries), k)
    assert np.all(found.recall == 1.0)
    assert (found.candidates == len(vectors)).all()
    for i, query in enumerate(queries):
        one = index.search(query, k)
        check_neighbors(one, metric, query, ids, vectors, k)
        np.testing.assert_array_equal(one.ids, found.ids[i])
        np.testing.assert_array_equal(one.distances, found.distances[i])


@every_metric
def test_one_query_is_flat_and_unpacks(metric: Metric) -> None:
    index = Index(2, metric)
    index.add([[1.0, 0.0], [0.0, 1.0], [3.0, 3.0]])
    found = index.search([1.0, 0.1], k=2)
    ids, distances = found
    assert ids.shape == distances.shape == (2,)
    assert len(found) == 2
    assert ids is found.ids
    assert distances is found.distances
    batch = index.search([[1.0, 0.1]], k=2)
    assert batch.ids.shape == (1, 2)


def test_distances_mean_what_the_metric_says() -> None:
    expected = {"cosine": 1 - 11 / math.sqrt(5 * 25), "euclidean": math.sqrt(8), "sqeuclidean": 8.0, "dot": -11.0}
    for metric in METRICS:
        index = Index(2, metric)
        index.add([3.0, 4.0])
        assert index.search([1.0, 2.0], 1).distances[0] == pytest.approx(expected[metric], abs=1e-6)


@every_metric
def test_padding_when_k_exceeds_the_index(metric: Metric) -> None:
    index = Index(3, metric)
    index.add(np.eye(3))
    ids, distances = index.search(np.ones((2, 3)), k=5)
    assert (ids[:, 3:] == -1).all()
    assert np.isposinf(distances[:, 3:]).all()
    np.testing.assert_array_equal(ids[:, :3], [[0, 1, 2]] * 2)  # equally far: the smaller id first


@every_metric
def test_an_empty_index_and_an_empty_batch(metric: Metric) -> None:
    index = Index(3, metric)
    ids, distances = index.search(np.ones(3), k=4)
    assert (ids == -1).all()
    assert np.isposinf(distances).all()
    index.add(np.eye(3))
    nothing: Any
    for nothing in ([], np.empty((0, 3)), np.empty((0, 3), np.uint8)):
        found = index.search(nothing, k=4)
        assert found.ids.shape == found.distances.shape == (0, 4)
        assert index.add(nothing).shape == (0,)
    assert len(index) == 3


@every_metric
def test_ties_go_to_the_smaller_id(metric: Metric) -> None:
    random = np.random.default_rng(1)
    ids = random.permutation(500)
    index = Index(4, metric)
    index.add(np.tile([[1.0, 2.0, 3.0, 4.0]], (500, 1)), ids)
    np.testing.assert_array_equal(index.search([1.0, 2.0, 3.0, 4.5], k=500).ids, np.arange(500))
    np.testing.assert_array_equal(index.search([1.0, 2.0, 3.0, 4.5], k=7).ids, np.arange(7))


@every_metric
@settings(max_examples=30, deadline=None)
@given(data=st.data(), k=st.integers(1, 8))
def test_max_distance_leaves_out_what_is_farther_and_keeps_what_is_equal(
    metric: Metric, data: st.DataObject, k: int
) -> None:
    vectors = data.draw(vectors_of(3, 15).filter(len))
    query = data.draw(vectors_of(3, 1).filter(len))[0]
    index = Index(3, metric)
    index.add(vectors)
    everything = index.search(query, len(vectors))
    for limit in everything.distances:
        found = index.search(query, len(vectors), max_distance=float(limit))
        within = everything.distances <= limit
        np.testing.assert_array_equal(found.ids[within], everything.ids[within])
        assert (found.ids[~within] == -1).all()
    limit = data.draw(st.floats(-300, 300))
    check_neighbors(
        index.search(query, k, max_distance=limit), metric, query, np.arange(len(vectors)), vectors, k, limit
    )


@pytest.mark.parametrize("limit", [-1.0, -math.inf, 0.0, 1e-30, 1e300, math.inf])
@every_metric
def test_extreme_limits(metric: Metric, limit: float) -> None:
    index = Index(2, metric)
    index.add([[1.0, 0.0], [0.0, 1.0]])
    found = index.search([1.0, 0.0], 2, max_distance=limit)
    distances = index.search([1.0, 0.0], 2).distances.astype(np.float64)
    assert (found.ids >= 0).sum() == (distances <= limit).sum()


@every_metric
def test_neighbors_of_leaves_out_itself(metric: Metric) -> None:
    vectors = np.random.default_rng(2).normal(size=(30, 5))
    index = Index(5, metric)
    index.add(vectors, np.arange(30) * 10)
    for id in (0, 150, 290):
        found = index.neighbors_of(id, 4)
        others = np.arange(30) * 10 != id
        check_neighbors(found, metric, vectors[id // 10], np.arange(30)[others] * 10, vectors[others], 4)
    assert (index.neighbors_of(0, 40).ids >= 0).sum() == 29
    assert index.neighbors_of(0, 40).ids.shape == (40,)


def test_neighbors_of_among_more_duplicates_than_k() -> None:
    index = Index(2, "euclidean")
    index.add(np.ones((20, 2)))
    np.testing.assert_array_equal(index.neighbors_of(19, 3).ids, [0, 1, 2])
    np.testing.assert_array_equal(index.neighbors_of(1, 3).ids, [0, 2, 3])
    with pytest.raises(errors.IdError, match="id 20 is not in the index"):
        index.neighbors_of(20)


def test_duplicates_do_not_hide_the_others() -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(100, 8))
    index = Index(8, "euclidean")
    index.add(vectors)
    index.add(np.tile(vectors[:1], (100, 1)))
    for i in range(1, 100):
        assert index.search(vectors[i], 1).ids[0] == i


def test_an_answer_cannot_be_reassigned() -> None:
    found = Index(2).search([1.0, 2.0])
    assert isinstance(found, Neighbors)
    with pytest.raises(AttributeError):
        found.ids = found.ids  # type: ignore[misc]


@pytest.mark.parametrize("dim", [3, 1280])
def test_cosine_tells_near_copies_apart(dim: int) -> None:
    """1 − dot in float32 knows nothing below 1e-7; the distance of a copy is 0, of a near copy what it is."""
    random = np.random.default_rng(8)
    vector = random.standard_normal(dim).astype(np.float32)
    scales = np.array([0.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2], np.float32)
    vectors = vector + scales[:, np.newaxis] * random.standard_normal((len(scales), dim)).astype(np.float32)
    index = Index(dim)
    index.add(np.vstack([vectors, 2 * vector]))
    found = index.search(vector, len(index))
    np.testing.assert_array_equal(found.ids, [0, 6, 1, 2, 3, 4, 5])
    assert found.distances[:2].tolist() == [0.0, 0.0]
    units = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    expected = np.square(units[1:] - units[0]).sum(axis=1) / 2
    np.testing.assert_allclose(found.distances[2:], expected, rtol=1e-3, atol=1e-14)  # norms are float32
    np.testing.assert_array_equal(index.search(vector, 7, max_distance=0.0).ids, [0, 6, -1, -1, -1, -1, -1])
