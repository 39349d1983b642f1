"""The metrics and their numbers in the engine."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError
from lookalike.metric import METRICS, metric_number


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
