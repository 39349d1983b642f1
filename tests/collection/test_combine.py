"""Several vectors as one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection.combine import combine
from lookalike.errors import ArgumentError, VectorError
from lookalike.metric import METRICS, Metric

Floats = NDArray[np.float32]


def vector(*numbers: float) -> Floats:
    return np.array(numbers, np.float32)


A, B, C = vector(2, 0, 0), vector(0, 1, 0), vector(0, 0, 4)


@pytest.mark.parametrize("metric", METRICS)
def test_one_alone_is_taken_as_it_is(metric: Metric) -> None:
    bits = np.packbits(np.array([1, 0, 1, 1, 0, 0, 0, 1]))
    given = bits if metric == "hamming" else A
    assert combine(metric, [(given, 0.5)]) is given


def test_under_cosine_lengths_do_not_matter() -> None:
    assert combine("cosine", [(A, 1), (B, 3)]) == pytest.approx([0.25, 0.75, 0])
    assert combine("cosine", [(A, 1)], [(C, 1)]) == pytest.approx([2, 0, -1])
    assert combine("cosine", [(A, 1)], [(C, 0.5)]) == pytest.approx([1.5, 0, -0.5])


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "dot"])
def test_elsewhere_they_do(metric: Metric) -> None:
    assert combine(metric, [(A, 1), (B, 3)]) == pytest.approx([0.5, 0.75, 0])
    assert combine(metric, [(A, 1)], [(B, 0.5), (C, 1.5)]) == pytest.approx([4, -0.25, -3])


def test_the_same_again_changes_nothing() -> None:
    for metric in ("cosine", "euclidean", "dot"):
        once = combine(metric, [(A, 1), (B, 1)], [(C, 1)])
        assert combine(metric, [(A, 1), (B, 1)] * 3, [(C, 1)] * 2) == pytest.approx(once)
        assert combine(metric, [(A, 2), (B, 2)], [(C, 1)]) == pytest.approx(once)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean"])
def test_where_all_is_moved_so_is_the_query(metric: Metric) -> None:
    """Distances do not know where zero is, and so neither does this."""
    away = vector(10, -20, 30)
    query = combine(metric, [(A, 1), (B, 2)], [(C, 0.7)])
    assert combine(metric, [(A + away, 1), (B + away, 2)], [(C + away, 0.7)]) == pytest.approx(query + away, abs=1e-4)


def test_less_is_left_farther_behind_the_more_it_weighs() -> None:
    def cosine(weight: float) -> float:
        found = combine("cosine", [(vector(1, 1, 0), 1)], [(A, weight)])
        return float(found @ vector(1, 0, 0) / np.linalg.norm(found))

    assert cosine(0.1) > cosine(0.5) > cosine(1) > cosine(4)


def test_what_leaves_nothing_or_has_no_middle() -> None:
    with pytest.raises(VectorError, match="opposites"):
        combine("cosine", [(A, 1), (-A, 1)])
    with pytest.raises(VectorError, match="opposites"):
        combine("cosine", [(A, 1), (vector(-2, 1e-5, 0), 1)])
    with pytest.raises(VectorError, match="zeros"):
        combine("cosine", [(A, 1), (vector(0, 0, 0), 1)])
    assert combine("euclidean", [(A, 1), (-A, 1)]) == pytest.approx([0, 0, 0])
    for bad in (np.nan, np.inf):
        with pytest.raises(VectorError, match="finite"):
            combine("cosine", [(A, 1), (vector(bad, 0, 0), 1)])
    bits = np.packbits(np.ones(8, np.uint8))
    with pytest.raises(ArgumentError, match="hamming"):
        combine("hamming", [(bits, 1), (bits, 1)])
    with pytest.raises(ArgumentError, match="hamming"):
        combine("hamming", [(bits, 1)], [(bits, 1)])
