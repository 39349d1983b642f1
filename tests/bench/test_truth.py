"""Exact neighbours, and the arithmetic of recall."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.bench import truth
from lookalike.bench.truth import Distance, exact_neighbors, recall

LINE = np.arange(1, 21, dtype=np.float32)[:, None] * np.array([[1.0, 0.0]], np.float32)  # 1, 2, ... 20 on an axis
ORIGIN = np.zeros((1, 2), np.float32)


def brute_force(base: truth.Vectors, queries: truth.Vectors, distance: Distance) -> truth.Floats:
    x, q = base.astype(np.float64), queries.astype(np.float64)
    if distance == "euclidean":
        return np.array([[np.sqrt(((one - row) ** 2).sum()) for row in x] for one in q])
    return np.array([[1 - one @ row / np.sqrt((one @ one) * (row @ row)) for row in x] for one in q])


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize(("count", "k"), [(1, 5), (5, 5), (700, 3), (2000, 10)])
def test_exact_neighbors_are_those_of_brute_force(
    distance: Distance, count: int, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truth, "BASE_BLOCK", 1501)  # several blocks, and groups that do not divide them
    monkeypatch.setattr(truth, "QUERY_BLOCK", 7)
    monkeypatch.setattr(truth, "GROUP", 4)
    random = np.random.default_rng(count)
    base = random.standard_normal((count, 6)).astype(np.float32)
    queries = random.standard_normal((17, 6)).astype(np.float32)
    ids, distances = exact_neighbors(base, queries, distance, k)
    every = brute_force(base, queries, distance)
    expected = np.argsort(every, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(ids, expected)
    np.testing.assert_allclose(distances, np.take_along_axis(every, expected, axis=1), atol=1e-7)


def test_of_equal_vectors_the_earlier_row_comes_first() -> None:
    base = np.ones((50, 3), np.float32)
    ids, distances = exact_neighbors(base, base[:1], "euclidean", k=50)
    assert ids.tolist() == [list(range(50))]
    assert distances.tolist() == [[0.0] * 50]


def test_progress_is_told() -> None:
    done: list[int] = []
    exact_neighbors(LINE, np.repeat(LINE, 20, axis=0), "euclidean", 1, done.append)
    assert done == [256, 400]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([0, 1, 2, 3], 1.0),
        ([3, 2, 1, 0], 1.0),  # in any order
        ([0, 1, 2, 4], 0.75),
        ([0, 1, -1, -1], 0.5),
        ([0, 0, 0, 0], 0.25),  # nothing counts twice
        ([0, 20, 2**32 - 1, -7], 0.25),  # and no row that is not there
        ([10, 11, 12, 13], 0.0),
    ],
)
def test_recall_counts_true_neighbours(found: list[int], expected: float) -> None:
    neighbors, _ = exact_neighbors(LINE, ORIGIN, "euclidean", k=10)
    assert recall(LINE, ORIGIN, "euclidean", neighbors, np.array([found])) == expected


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_any_of_several_vectors_at_one_distance_will_do(distance: Distance) -> None:
    base = np.repeat(np.array([[3.0, 1.0], [1.0, 3.0]], np.float32), 10, axis=0)  # ten copies of each
    query = np.array([[2.9, 1.1]], np.float32)
    neighbors, _ = exact_neighbors(base, query, distance, k=4)
    assert recall(base, query, distance, neighbors, np.array([[9, 8, 7, 6]])) == 1.0
    assert recall(base, query, distance, neighbors, np.array([[9, 8, 7, 16]])) == 0.75


def test_recall_is_the_mean_over_queries() -> None:
    queries = LINE[:2]
    neighbors, _ = exact_neighbors(LINE, queries, "euclidean", k=1)
    assert recall(LINE, queries, "euclidean", neighbors, np.array([[0], [9]])) == 0.5


def test_distances_are_those_of_brute_force() -> None:
    random = np.random.default_rng(5)
    base, queries = (random.standard_normal((n, 6)).astype(np.float32) for n in (50, 300))
    ids = random.integers(0, 50, (300, 3))
    for distance in ("cosine", "euclidean"):
        expected = np.take_along_axis(brute_force(base, queries, distance), ids, axis=1)
        np.testing.assert_allclose(truth.distances_of(base, queries, distance, ids), expected, atol=1e-7)
    assert np.isinf(truth.distances_of(base, queries[:1], "cosine", np.array([[-1, 50]]))).all()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([0, 1, 2], 1.0),
        ([2, 1, 0], 1.0),  # in any order
        ([0, 1, 3], (1 + 1 + 4 / 3) / 3),
        ([1, -1, -1], 2.0),  # what is missing stays out
        ([1, 1, 1], 2.0),  # nothing counts twice
        ([-1, -1, -1], np.nan),
    ],
)
def test_distance_ratio(found: list[int], expected: float) -> None:
    ids, true = np.array([found]), np.array([[0, 1, 2]])
    np.testing.assert_allclose(truth.distance_ratio(LINE, ORIGIN, "euclidean", true, ids), expected)


def test_a_neighbour_at_no_distance_stays_out_of_the_ratio() -> None:
    query = LINE[:1]  # the first row itself; the others are 1 and 2 away
    ratio = truth.distance_ratio(LINE, query, "euclidean", np.array([[0, 1, 2]]), np.array([[0, 1, 3]]))
    np.testing.assert_allclose(ratio, (1 + 3 / 2) / 2)
