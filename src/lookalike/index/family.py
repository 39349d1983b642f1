"""Which hash family sends vectors to buckets."""

from __future__ import annotations

from typing import Literal, get_args

from lookalike.errors import ArgumentError

Family = Literal["spheres", "hyperplanes", "cross_polytope"]
"""``spheres`` are learned (k-means), the other two drawn at random, for the angle as seen from the mean."""

FAMILIES: tuple[Family, ...] = get_args(Family)  # in the engine's own numbering


def family_number(family: str) -> int:
    """The engine's number of a family; ArgumentError if there is none of that name."""
    if family not in FAMILIES:
        raise ArgumentError(f"family is {family!r}; expected one of {', '.join(FAMILIES)}")
    return FAMILIES.index(family)
