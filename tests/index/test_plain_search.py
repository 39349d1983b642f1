"""A search by the usual arguments takes a shorter way to the engine; what it answers is what the longer way does."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from lookalike import Index, Neighbors, errors
from lookalike.metric import METRICS, Metric

DIM = 16
random = np.random.default_rng(5)


def made(count: int, metric: Metric) -> Any:
    if metric == "hamming":
        return random.integers(256, size=(count, DIM // 8), dtype=np.uint8)
    return random.standard_normal((count, DIM), dtype=np.float32)


def assert_same(one: Neighbors, other: Neighbors) -> None:
    assert repr(one) == repr(other)
    for name in ("ids", "distances", "candidates"):
        of_one, of_other = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        np.testing.assert_array_equal(of_one, of_other)
        assert of_one.dtype == of_other.dtype
    np.testing.assert_array_equal(one.recall, other.recall)
    assert type(one.candidates) is type(other.candidates)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("count", [0, 100, 5000])
def test_both_ways_answer_the_same(metric: Metric, count: int) -> None:
    index = Index(DIM, metric)
    index.add(made(count, metric))
    index.optimize()
    batch = made(7, metric)
    options: dict[str, Any]
    for options in ({}, {"k": 3}, {"recall": 0.8}, {"k": 120, "recall": 0.99, "threads": 1}, {"threads": 2}):
        for query in (batch[0], batch, batch[:0]):
            plain = index._core.search_plainly(
                Neighbors, query, options.get("k", 10), options.get("recall", 0.95), options.get("threads", 0)
            )
            assert plain is not None
            assert_same(plain, index.search(query, **options))
            assert_same(plain, index.search(query, **options, max_distance=np.inf))  # which is not plain


def test_whatever_is_not_plain_goes_the_longer_way() -> None:
    index = Index(DIM)
    index.add(made(20, "cosine"))
    query = made(2, "cosine")

    def plain(query: Any = query, k: Any = 10, recall: Any = 0.95, threads: Any = 0) -> bool:
        return index._core.search_plainly(Neighbors, query, k, recall, threads) is not None

    class Own(np.ndarray[Any, Any]):
        pass

    assert plain()
    query.flags.writeable = False
    assert plain()
    other: Any
    for other in (
        None,
        query.tolist(),
        query.view(Own),
        query.astype(np.float64),
        query.astype(">f4"),
        query.view(np.uint8),
        query[:, :-1],
        query[:, ::-1],
        np.asfortranarray(query),
        query[np.newaxis],
        made(4, "cosine")[::2],
        np.broadcast_to(query[0], query.shape),
        np.frombuffer(b"\0" + query.tobytes(), np.uint8)[1:].view(np.float32).reshape(query.shape),  # not aligned
        np.float32(1.0),
        np.empty(0, np.float32),
    ):
        assert not plain(query=other)
    for other in (None, True, 10.0, 0, -1, 2**24 + 1, 2**70, np.int64(10)):
        assert not plain(k=other)
    for other in (None, True, 1, 0.0, 1.0, -0.5, float("nan"), "0.9", np.float32(0.9)):
        assert not plain(recall=other)
    for other in (None, True, -1, 1025, 2**70):
        assert not plain(threads=other)


def test_an_answer_is_a_neighbors_like_any_other() -> None:
    index = Index(DIM)
    index.add(made(20, "cosine"))
    found = index.search(made(1, "cosine")[0])
    assert type(found) is Neighbors
    assert_same(pickle.loads(pickle.dumps(found)), found)
    assert type(found.candidates).__name__ == "uint32"
    with pytest.raises(AttributeError):
        found.recall = 1.0  # type: ignore[misc]


def test_a_query_is_refused_alike() -> None:
    index = Index(DIM)
    query = made(2, "cosine")
    query[1, 3] = np.nan
    ways: list[dict[str, Any]] = [{}, {"max_distance": 1.0}]
    for options in ways:
        with pytest.raises(errors.VectorError, match="query 1 has NaN at position 3"):
            index.search(query, **options)
