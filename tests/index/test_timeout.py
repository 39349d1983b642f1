"""A search that is given a time: it answers within it, or says so and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError, LookalikeError, SearchTimeoutError

VECTORS = np.random.default_rng(0).standard_normal((6000, 64), np.float32)
AT_ONCE = 1e-9


@pytest.fixture(scope="module", params=["fresh", "sealed"])
def index(request: pytest.FixtureRequest) -> Index:
    index = Index(64, "euclidean")
    index.add(VECTORS)
    if request.param == "sealed":
        index.optimize()
    return index


WAYS: list[Callable[..., Any]] = [
    lambda index, **how: index.search(VECTORS, 3, **how),
    lambda index, **how: index.search(VECTORS, 3, exact=True, **how),
    lambda index, **how: index.search(VECTORS, 3, filter=np.arange(5000), threads=1, **how),
    lambda index, **how: index.range_search(VECTORS, 3.0, **how),
    lambda index, **how: index.snapshot().search(VECTORS, 3, **how),
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_it_ends_with_an_error_that_says_how_far_it_came(index: Index, way: int) -> None:
    search = WAYS[way]
    expected = search(index)
    with pytest.raises(SearchTimeoutError, match=r"within 1e-09 s, received none: \d+ of 6000 queries were answered"):
        search(index, timeout=AT_ONCE)
    assert np.array_equal(search(index, timeout=3600).ids, expected.ids)
    assert np.array_equal(search(index, timeout=np.inf).ids, expected.ids)


def test_it_is_one_of_ours_and_one_of_pythons(index: Index) -> None:
    for kind in (TimeoutError, LookalikeError):
        with pytest.raises(kind):
            index.search(VECTORS, exact=True, timeout=AT_ONCE)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "soon"])
def test_no_time_is_an_argument_error(index: Index, timeout: Any) -> None:
    with pytest.raises(ArgumentError, match="timeout"):
        index.search(VECTORS[0], timeout=timeout)


def test_neighbors_of_a_stored_vector(index: Index) -> None:
    assert len(index.neighbors_of(3, 5, timeout=3600)) == len(index.neighbors_of(3, 5))
