"""Which hash family sends vectors to buckets."""

from __future__ import annotations

from typing import Literal

from lookalike import _core
from lookalike.errors import ArgumentError

Family = Literal["spheres", "hyperplanes", "cross_polytope"]
"""``spheres`` are learned (k-means), the other two drawn at random, for the angle as seen from the mean."""


def most_tables(family: str) -> int:
    """How many tables a family may have; ArgumentError if there is none of that name."""
    if not isinstance(family, str) or family not in _core.FAMILIES:
        raise ArgumentError(f"family is {family!r}; expected one of {', '.join(_core.FAMILIES)}")
    return _core.FAMILIES[family]
