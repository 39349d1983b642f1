"""What a distance means. Smaller is always closer."""

from __future__ import annotations

import math
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


def require_distance(name: str, distance: float, metric: Metric, dim: int) -> None:
    """ArgumentError for how far apart two vectors of so many dimensions can never be, which is called `name`."""
    least, most = (-math.inf if metric == "dot" else 0.0), math.inf
    if metric in ("cosine", "hamming"):
        most = 2.0 if metric == "cosine" else dim
    if least <= distance <= most and (most < math.inf or math.isfinite(distance)):
        return
    span = "any number" if metric == "dot" else f"from 0 to {most:g}" if most < math.inf else "0 or more"
    raise ArgumentError(f"expected {name} of {metric}, {span}, received {distance:g}; give such a one, or leave it out")
