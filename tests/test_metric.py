"""The metrics and their numbers in the engine."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError
from lookalike.metric import METRICS, Metric, metric_number, require_distance


def test_the_engine_numbers_metrics_as_python_does() -> None:
    # The number is stored in files: an order that changed would give old files another meaning.
    assert METRICS == ("cosine", "euclidean", "sqeuclidean", "dot", "hamming")
    assert [metric_number(metric) for metric in METRICS] == [0, 1, 2, 3, 4]
    for metric in METRICS:
        assert Index(8, metric).metric == metric


@pytest.mark.parametrize("metric", ["Cosine", "l2", "", None, 0, np.array(["cosine", "dot"])])
def test_an_unknown_metric(metric: str) -> None:
    with pytest.raises(ArgumentError, match="expected one of cosine, euclidean, sqeuclidean, dot, hamming"):
        metric_number(metric)


@pytest.mark.parametrize(
    ("metric", "good", "bad", "span"),
    [
        ("cosine", [0, 2], [-0.01, 2.01, np.inf, np.nan], "from 0 to 2"),
        ("hamming", [0, 64], [-1, 65, np.inf, np.nan], "from 0 to 64"),
        ("euclidean", [0, 1e30], [-1e-9, np.inf, np.nan], "0 or more"),
        ("sqeuclidean", [0, 1e30], [-1e-9, np.inf, np.nan], "0 or more"),
        ("dot", [-1e30, 0, 1e30], [-np.inf, np.inf, np.nan], "any number"),
    ],
)
def test_how_far_apart_vectors_can_be(metric: Metric, good: list[float], bad: list[float], span: str) -> None:
    for distance in good:
        require_distance("a limit", distance, metric, 64)
    for distance in bad:
        with pytest.raises(ArgumentError, match=f"expected a limit of {metric}, {span}, received"):
            require_distance("a limit", distance, metric, 64)
