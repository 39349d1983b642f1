"""What a distance means. Smaller is always closer."""

from __future__ import annotations

from typing import Literal, get_args

from lookalike.errors import ArgumentError

Metric = Literal["cosine", "euclidean", "sqeuclidean", "dot", "hamming"]
"""``cosine`` is 1 − cos, ``euclidean`` the root, ``sqeuclidean`` the square, ``dot`` minus the inner product,
``hamming`` the number of bits that differ."""

METRICS: tuple[Metric, ...] = get_args(Metric)  # in the engine's own numbering


def metric_number(metric: str) -> int:
    """The engine's number of a metric; ArgumentError if there is none of that name."""
    for number, name in enumerate(METRICS):
        if isinstance(metric, str) and metric == name:
            return number
    raise ArgumentError(f"metric is {metric!r}; expected one of {', '.join(METRICS)}")
