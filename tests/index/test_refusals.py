"""Bad input is refused with one sentence before anything changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from lookalike import Index, errors
from tests.index.brute_force import METRICS, Metric

NAN, INF = float("nan"), float("inf")
ONE = [1.0, 2.0, 3.0]


def filled(metric: Metric = "cosine") -> Index:
    index = Index(3, metric)
    index.add([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [1.0, 1.0, 1.0]], [4, 7, 9])
    index.optimize()
    index.add([2.0, 1.0, 0.0], 11)
    return index


def state(index: Index) -> tuple[Any, ...]:
    answers = index.search([[1.0, 2.0, 3.0], [0.5, 0.0, 0.1]], 9)
    return (
        len(index),
        index.ids.tolist(),
        [index[id].tolist() for id in index.ids],
        answers.ids.tolist(),
        answers.distances.tolist(),
    )


def refused(index: Index, error: type[errors.LookalikeError], words: str, call: Callable[[], object]) -> None:
    before = state(index)
    with pytest.raises(error, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) > 20
    assert state(index) == before


BAD_VECTORS = [
    ([1.0, NAN, 3.0], "0 has NaN at position 1"),
    ([[*ONE], [1.0, 2.0, -INF]], "1 has inf at position 2"),
    ([[*ONE], [*ONE], [NAN, INF, 0.0]], "2 has NaN at position 0"),
    ([1e39, 0.0, 0.0], "0 has inf at position 0"),  # beyond float32
    ([3e38, 3e38, 3e38], "norm above 3e18"),
    ([4e18, 0.0, 0.0], "norm above 3e18"),
    ([1.0, 2.0], r"expected vectors of 3 dimensions, got an array of shape \(2,\)"),
    (np.ones((2, 4)), r"shape \(2, 4\)"),
    (np.ones((0, 4)), r"shape \(0, 4\)"),
    (np.ones((1, 1, 3)), r"shape \(1, 1, 3\)"),
    ([[]], r"shape \(1, 0\)"),
    (1.0, r"shape \(\)"),
    ([[1.0, 2.0, 3.0], [1.0, 2.0]], "rows of different lengths"),
    ([True, False, True], "dtype bool"),
    (np.ma.masked_array(ONE, [False, True, False]), "masked array"),
    ([1 + 2j, 0, 0], "dtype complex128"),
    (["1", "2", "3"], "dtype <U1"),
    ([1, 2, None], "dtype object"),
    ([1, 2, 10**30], "dtype object"),
    (None, "dtype object"),
    ({"a": 1}, "dtype object"),
    (np.array(["2020-01-01"] * 3, "datetime64[D]"), "dtype datetime64"),
]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("vectors", "words"), BAD_VECTORS, ids=[words for _, words in BAD_VECTORS])
def test_vectors_that_cannot_be_used(vectors: Any, words: str, metric: Metric) -> None:
    index = filled(metric)
    refused(index, errors.VectorError, words, lambda: index.add(vectors))
    refused(index, errors.VectorError, words, lambda: index.search(vectors))
    refused(index, errors.VectorError, words, lambda: index.search(vectors, exact=True))
    count = len(vectors) if isinstance(vectors, list | np.ndarray) and np.ndim(vectors[:1]) > 1 else 1
    ids = [4, *range(100, 99 + count)]
    refused(index, errors.VectorError, words, lambda: index.add(vectors, ids, overwrite=True))


@pytest.mark.parametrize(
    ("vector", "words"),
    [([0.0, 0.0, 0.0], "all zeros"), ([0.0, -0.0, 0.0], "all zeros"), ([1e-20, 0.0, 0.0], "norm below 1e-15")],
)
def test_vectors_without_a_direction_are_refused_under_cosine_only(vector: list[float], words: str) -> None:
    index = filled("cosine")
    refused(index, errors.VectorError, "vector 0.*" + words, lambda: index.add(vector))
    refused(index, errors.VectorError, "vector 1.*" + words, lambda: index.add([ONE, vector]))
    refused(index, errors.VectorError, "query 0.*" + words, lambda: index.search(vector))
    for metric in METRICS[1:]:
        other = filled(metric)
        other.add(vector, 50)
        np.testing.assert_array_equal(other[50], np.array(vector, np.float32))
        assert 50 in other.search(vector, 5).ids


@pytest.mark.parametrize("metric", ["euclidean", "dot"])
def test_vectors_whose_distances_would_all_be_zero_are_refused(metric: Metric) -> None:
    vectors = np.random.default_rng(1).standard_normal((50, 3)).astype(np.float32)
    index = Index(3, metric)
    for size in (1e-19, 1e-25, 1e-38):
        refused(index, errors.VectorError, "norms below 1e-18, too small", partial(index.add, size * vectors))
    small = np.float32(1e-17) * vectors
    index.add(np.zeros((1, 3)))
    index.remove([0])
    ids = index.add(small)
    query = small[7].astype(np.float64)
    apart = -small @ query if metric == "dot" else np.linalg.norm(small - query, axis=1)
    nearest = index.search(small[7], 5, exact=True).ids
    np.testing.assert_array_equal(nearest, ids[np.argsort(apart, kind="stable")[:5]])
    index.add(1e-25 * vectors)  # among others they are as good as zero


@pytest.mark.parametrize("size", [1e-14, 1e-7, 1.0, 1e9, 2.9e18])
@pytest.mark.parametrize("metric", METRICS)
def test_the_largest_and_smallest_admitted_vectors_give_finite_distances(metric: Metric, size: float) -> None:
    index = Index(4, metric)
    index.add(np.eye(4) * size)
    index.add(-np.eye(4) * size)
    found = index.search(np.eye(4) * size, 8)
    assert np.isfinite(found.distances).all()
    if metric == "cosine":
        np.testing.assert_allclose(found.distances[0], [0, 1, 1, 1, 1, 1, 1, 2], atol=1e-6)


BAD_IDS = [
    ([1, -1], "id -1 is negative"),
    ([5, 5], "id 5 is given twice"),
    ([5, 4], "id 4 is in the index already; pass overwrite=True"),
    ([5, 11], "id 11 is in the index already"),
    ([1.0, 2.0], "dtype float64"),
    ([True, False], "dtype bool"),
    (["a", "b"], "dtype <U1"),
    ([1, None], "dtype object"),
    ([1, 2**64], "dtype object"),
    (np.array([1, 2**63], np.uint64), "id 9223372036854775808 is too large"),
    ([[1, 2]], r"shape \(1, 2\)"),
    ([[1], [2, 3]], "different lengths"),
    ([1], "expected 2 ids, one for each vector, got 1"),
    ([1, 2, 3], "got 3"),
    ([], "got 0"),
    (5, "got 1"),
]


@pytest.mark.parametrize(("ids", "words"), BAD_IDS, ids=[words for _, words in BAD_IDS])
def test_ids_that_cannot_be_added(ids: Any, words: str) -> None:
    index = filled()
    refused(index, errors.IdError, words, lambda: index.add([ONE, ONE], ids))
    if "already" not in words:
        refused(index, errors.IdError, words, lambda: index.add([ONE, ONE], ids, overwrite=True))


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (5, "id 5 is not in the index"),
        ([4, 5], "id 5 is not"),
        ([4, 7, 4], "id 4 is named twice"),
        ([-1], "id -1 is not"),
        (4.0, "dtype float64"),
        ("4", "dtype <U1"),
        (None, "dtype object"),
        (2**63, "too large"),
        ([[4]], "one dimension"),
    ],
)
def test_ids_that_cannot_be_removed(ids: Any, words: str) -> None:
    index = filled()
    refused(index, errors.IdError, words, lambda: index.remove(ids))


@pytest.mark.parametrize("id", [5, -1, 2**63, 2**70, 4.0, "4", None, True, slice(0, 3)])
def test_ids_that_are_not_there(id: Any) -> None:
    index = filled()
    assert id not in index
    refused(index, errors.IdError, "id", lambda: index[id])
    with pytest.raises(KeyError):
        index[id]


BAD_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"k": 0}, "k is 0; expected at least 1"),
    ({"k": -3}, "k is -3"),
    ({"k": True}, "k is True; expected a whole number"),
    ({"k": 2.0}, r"k is 2\.0; expected a whole number"),
    ({"k": "2"}, "k is '2'"),
    ({"k": None}, "k is None"),
    ({"k": 2**31}, "expected at most 1677721[56]"),
    ({"k": 2**70}, "expected at most"),
    ({"recall": 0.0}, "recall is 0.0; expected more than 0 and at most 1"),
    ({"recall": 1.01}, r"recall is 1\.01"),
    ({"recall": -0.5}, r"recall is -0\.5"),
    ({"recall": NAN}, "recall is NaN"),
    ({"recall": "much"}, "recall is 'much'; expected a number"),
    ({"probes": 0}, "probes is 0"),
    ({"probes": 1.5}, r"probes is 1\.5"),
    ({"probes": 2**70}, "expected at most"),
    ({"probes": 3, "rerank": 0}, "rerank is 0"),
    ({"probes": 3, "rerank": 1.5}, r"rerank is 1\.5"),
    ({"probes": 3, "rerank": 2**70}, "expected at most"),
    ({"probes": 3, "exact": True}, "expected only one of them"),
    ({"recall": 0.9, "exact": True}, "expected only one of them"),
    ({"recall": 0.9, "exact": np.True_}, "expected only one of them"),
    ({"recall": 0.9, "probes": 3}, "expected only one of them"),
    ({"max_distance": NAN}, "max_distance is NaN"),
    ({"max_distance": "far"}, "max_distance is 'far'"),
    ({"max_distance": 10**400}, "expected a number"),
    ({"threads": -1}, "threads is -1"),
    ({"threads": 1025}, "expected at most 1024"),
    ({"threads": 1.5}, r"threads is 1\.5"),
]


@pytest.mark.parametrize(("options", "words"), BAD_ARGUMENTS, ids=[words for _, words in BAD_ARGUMENTS])
def test_arguments_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    index = filled()
    refused(index, errors.ArgumentError, words, lambda: index.search(ONE, **options))
    refused(index, errors.ArgumentError, words, lambda: index.neighbors_of(4, **options))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dim": 0}, "dim is 0; expected at least 1"),
        ({"dim": 2**20}, "dim is 1048576; expected at most 1048575"),
        ({"dim": 3.0}, r"dim is 3\.0"),
        ({"dim": True}, "dim is True"),
        ({"metric": "manhattan"}, "metric is 'manhattan'; expected one of cosine, euclidean, sqeuclidean, dot"),
        ({"metric": None}, "metric is None"),
        ({"metric": 0}, "metric is 0"),
        ({"family": "minhash"}, "family is 'minhash'; expected one of spheres, hyperplanes, cross_polytope"),
        ({"family": None}, "family is None"),
        ({"family": ["spheres"]}, r"family is \['spheres'\]"),
        ({"tables": 2}, "tables is 2; expected at most 1"),
        ({"family": "hyperplanes", "tables": 257}, "tables is 257; expected at most 256"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is"),
        ({"buckets": 0}, "buckets is 0; expected at least 1"),
        ({"buckets": 2**24 + 1}, "buckets is 16777217; expected at most 16777216"),
        ({"buckets": 2.0}, r"buckets is 2\.0"),
    ],
)
def test_indexes_that_cannot_be_made(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ArgumentError, match=words):
        Index(**{"dim": 3, **arguments})


def test_floating_point_errors_of_the_user_do_not_matter() -> None:
    index = Index(2, "euclidean")
    with np.errstate(all="raise"):
        index.add([1e-60, 1.0])
        with pytest.raises(errors.VectorError, match="inf at position 0"):
            index.add([1e60, 1.0])
