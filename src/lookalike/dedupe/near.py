"""Which pictures are near which by their vectors, through an index: nothing is compared with everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.index import Reader

NEAREST = 16
"""Neighbours that each vector asks for."""
RECALL = 0.99
"""The share of them that is to be found; a pair is found if either of the two finds the other."""

_BATCH = 1024

Positions = NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of pictures by their positions, the smaller one first, each once and in order, with their distances."""

    one: Positions
    other: Positions
    distance: NDArray[np.float32]


def pairs_of(parts: Iterable[tuple[Positions, Positions, NDArray[np.float32]]]) -> Pairs:
    """All pairs of these, each in either order and perhaps more than once, at the smallest of its distances."""
    none = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    one, other, distance = map(np.concatenate, zip(none, *parts, strict=True))
    one, other = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((distance, other, one))
    one, other, distance = one[order], other[order], distance[order]
    first = one != other
    first[1:] &= (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return Pairs(one[first], other[first], distance[first])


def near(
    index: Reader,
    ids: Sequence[int] | Positions,
    vectors: Callable[[slice], NDArray[np.float32]],
    within: float,
    advance: Callable[[int], None] | None = None,
) -> Iterator[tuple[Positions, Positions, NDArray[np.float32]]]:
    """Which vectors are near which of the index, in parts: places of the former, ids of the latter, and distances.

    Args:
        ids: those that may be found.
        vectors: a slice of those that ask; past their end an empty one.
        within: the largest distance.
        advance: is told how many more have asked.
    """
    wanted = np.unique(np.asarray(ids, np.int64))
    if not len(wanted):
        return
    only = None if len(wanted) == len(index) else index.filter(wanted)
    k = min(NEAREST + 1, len(wanted))  # one more: as a rule a vector finds itself
    begin = 0
    while len(asking := vectors(slice(begin, begin + _BATCH))):
        found = index.search(asking, k, recall=RECALL, filter=only, max_distance=within)
        rows, columns = np.nonzero(found.ids >= 0)
        yield rows + begin, found.ids[rows, columns], found.distances[rows, columns]
        begin += len(asking)
        if advance:
            advance(len(asking))
