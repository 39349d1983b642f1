"""Sets, Jaccard's distance between them, and their exact neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.bench import handed
from lookalike.bench.datasets import Dataset, Queries
from lookalike.bench.given import fingerprint
from lookalike.bench.sets import Postings, Sets, as_sets, concatenated, nearest
from lookalike.bench.truth import distance_ratio, distances_of, exact_neighbors, recall

from .tiny import tiny_sets


def of(*sets: set[int]) -> Sets:
    """Of items below 10."""
    flat = [item for one in sets for item in one]
    known = np.arange(10)
    return as_sets((np.array(flat, np.int64), np.array([len(one) for one in sets])), (known, np.array([10])))[0]


def back(sets: Sets) -> list[set[int]]:
    return [{*items.tolist()} for items in sets]


def jaccard(one: set[int], other: set[int]) -> float:
    return 1 - len(one & other) / len(one | other) if one & other else 1.0


SOME = ({1, 2, 3}, {5}, set[int](), {3, 4}, {0, 9})
ROWS = of({1, 2, 3, 4}, {1, 2, 3}, {1, 2}, {8, 9}, {7}, set())


def test_sets_are_numbered_alike_in_order_and_each_item_counts_once() -> None:
    one, other = as_sets((np.array([70, 7, 70, 900]), np.array([3, 0, 1])), (np.array([7, -5]), np.array([2])))
    assert [items.tolist() for items in one] == [[1, 2], [], [3]]
    assert [items.tolist() for items in other] == [[0, 1]]
    assert one.shape == (3, 4)
    assert other.shape == (1, 4)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (slice(1, 3), [1, 2]),
        (slice(None, None, -1), [4, 3, 2, 1, 0]),
        (slice(9, None), []),
        (np.array([3, 0, 3]), [3, 0, 3]),
        (np.array([True, False, False, True, False]), [0, 3]),
    ],
)
def test_some_are_taken_as_of_an_array(rows: object, expected: list[int]) -> None:
    some = of(*SOME)[rows]
    assert back(some) == [SOME[row] for row in expected]
    assert some.sizes.tolist() == [len(SOME[row]) for row in expected]
    assert back(concatenated([some, of(*SOME)])) == [*back(some), *SOME]


def test_distances_are_jaccards() -> None:
    sets, postings = of(*SOME), Postings.of(of(*SOME))
    for query, items in zip(SOME, sets, strict=True):
        expected = [jaccard(query, one) for one in SOME]
        np.testing.assert_allclose(sets.distances(items, np.arange(5)), expected, rtol=1e-15)
        np.testing.assert_allclose(sets.distances(items, np.array([4, 0, 4])), np.take(expected, [4, 0, 4]))
        np.testing.assert_allclose(postings.distances(items), expected, rtol=1e-15)
        assert postings.shared(items).tolist() == [len(query & one) for one in SOME]


@pytest.mark.parametrize("k", [0, 1, 3, 5, 9])
def test_the_nearest_are_the_first_of_equal_ones(k: int) -> None:
    distances = np.array([0.5, 0.2, 0.5, 1.0, 0.2])
    assert nearest(distances, k).tolist() == [1, 4, 0, 2, 3][:k]


def test_exact_neighbours_are_those_of_brute_force() -> None:
    data = tiny_sets(120)
    base, queries = back(data.base), back(data.test.vectors)
    every = np.array([[jaccard(query, one) for one in base] for query in queries])
    expected = np.argsort(every, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(data.test.neighbors, expected)
    np.testing.assert_allclose(data.test.distances, np.take_along_axis(every, expected, axis=1))
    odd = np.where(expected % 5 == 0, -1, expected)
    found = np.where(expected % 5 == 0, np.inf, np.take_along_axis(every, expected, axis=1))
    np.testing.assert_allclose(distances_of(data.base, data.test.vectors, "jaccard", odd), found)


@pytest.mark.parametrize(
    ("query", "found", "expected"),
    [
        ({1, 2, 3}, [1, 0, 2, 3], 1.0),
        ({1, 2, 3}, [0, 1, -1, -1], 2 / 3),  # of three that share something
        ({1, 2, 3}, [3, 4, 5, 3], 0.0),  # no neighbours, although as near as the fourth
        ({1, 2, 3}, [1, 1, 1, 1], 1 / 3),
        ({6}, [0, 1, 2, 3], 1.0),  # nobody has any
    ],
)
def test_sets_that_share_nothing_are_no_neighbours(query: set[int], found: list[int], expected: float) -> None:
    queries = of(query)
    neighbors, _ = exact_neighbors(ROWS, queries, "jaccard", 4)
    assert recall(ROWS, queries, "jaccard", neighbors, np.array([found])) == pytest.approx(expected)


def test_any_of_several_sets_at_one_distance_will_do() -> None:
    base, queries = of(*[{1, 2}] * 5, *[{1, 3}] * 5), of({1, 2})
    neighbors, _ = exact_neighbors(base, queries, "jaccard", 3)
    assert neighbors.tolist() == [[0, 1, 2]]
    assert recall(base, queries, "jaccard", neighbors, np.array([[4, 3, 2]])) == 1
    assert recall(base, queries, "jaccard", neighbors, np.array([[4, 3, 9]])) == pytest.approx(2 / 3)


def test_the_distance_ratio() -> None:
    queries = of({1, 2, 3})
    neighbors, distances = exact_neighbors(ROWS, queries, "jaccard", 3)
    np.testing.assert_allclose(distances, [[0, 1 / 4, 1 / 3]])
    assert distance_ratio(ROWS, queries, "jaccard", neighbors, neighbors) == 1
    found = np.array([[1, 2, 3]])  # at 0, 1/3 and 1
    np.testing.assert_allclose(distance_ratio(ROWS, queries, "jaccard", neighbors, found), (4 / 3 + 3) / 2)


def test_they_are_handed_over_as_they_are(tmp_path: Path) -> None:
    handed.save(str(tmp_path / "rows.npy"), ROWS)
    loaded = handed.load(str(tmp_path / "rows.npy"), mmap_mode="r")
    assert back(loaded) == back(ROWS)
    assert loaded.shape == ROWS.shape
    vectors = np.ones((3, 2), np.float32)
    handed.save(str(tmp_path / "rows.npy"), vectors)
    assert np.array_equal(handed.load(str(tmp_path / "rows.npy")), vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.npy"]


def test_the_same_sets_have_the_same_fingerprint_and_no_others() -> None:
    none = np.empty((0, 0))

    def mark(*sets: set[int]) -> str:
        return fingerprint(Dataset("", "jaccard", of(*sets), Queries(ROWS, none.astype(np.int64), none)))

    assert mark({1, 2}, {3}) == mark({2, 1}, {3})
    assert (
        len({mark({1, 2}, {3}), mark({1}, {2, 3}), mark({1, 2}, {4}), mark({1, 2, 3}), mark({1, 2}, {3}, set())}) == 5
    )
