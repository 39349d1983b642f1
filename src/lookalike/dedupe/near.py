"""Which vectors are within a distance of which, through the index: nothing is compared with everything.

Every vector asks the index for its few nearest. Only where all of these are near enough may there be more: such a
vector, if it comes to lead a group, is compared with those that are still free.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import Progress
from lookalike.index import Index

NEAREST = 16
"""Neighbours that each vector asks for."""
RECALL = 0.99
"""The share of them that is to be found; a pair is found if either of the two finds the other."""

_BATCH = 1024

Positions = NDArray[np.int64]


class Led(NamedTuple):
    """A vector, and those near it that no earlier one had: ids, and their distances in ascending order."""

    leader: int
    ids: list[int]
    distances: list[float]


def near(index: Index, ids: Sequence[int], within: float, progress: Progress | None = None) -> list[Led]:
    """Groups of vectors in which each is at most `within` away from the first.

    The first id leads a group of all that are near it, the next that is in none leads another, and so on; so nothing
    is chained: what is only near a member is not drawn in. Vectors near no other are left out. Of the pairs about
    `RECALL` are found, or more.

    Args:
        ids: different ones of the index, those that shall lead first.
    """
    if len(ids) < 2:
        return []
    given = np.asarray(ids, np.int64)
    pairs, crowded = _ask(index, given, within, progress)
    pairs = _both_ways(pairs)
    starts = np.searchsorted(pairs.one, np.arange(len(given) + 1))
    free = np.diff(starts) > 0
    groups = []
    for leader in np.flatnonzero(free).tolist():
        if not free[leader]:
            continue
        free[leader] = False
        if crowded[leader]:
            others, distances = _all_free(index, given, leader, free, within)
        else:
            part = slice(starts[leader], starts[leader + 1])
            open_ = free[pairs.other[part]]
            others, distances = pairs.other[part][open_], pairs.distance[part][open_]
        if len(others):
            free[others] = False
            groups.append(Led(int(given[leader]), given[others].tolist(), distances.tolist()))
    return groups


class _Pairs(NamedTuple):
    """Pairs of positions in the given ids, with their distances."""

    one: Positions
    other: Positions
    distance: NDArray[np.float32]


def _ask(index: Index, ids: Positions, within: float, progress: Progress | None) -> tuple[_Pairs, NDArray[np.bool_]]:
    """Every vector's nearest within the distance, and whether these were as many as it asked for."""
    order = np.argsort(ids)
    only = None if len(ids) == len(index) else index.filter(ids)
    k = min(NEAREST + 1, len(ids))  # one more: as a rule it finds itself
    crowded = np.zeros(len(ids), np.bool_)
    parts = []
    for begin in _batches(len(ids), progress):
        asking = ids[begin : begin + _BATCH]
        vectors = np.stack([index[id] for id in asking.tolist()])
        found = index.search(vectors, k, recall=RECALL, filter=only, max_distance=within)
        crowded[begin : begin + _BATCH] = (found.ids[:, -1] >= 0) & (k < len(ids))
        rows, columns = np.nonzero((found.ids >= 0) & (found.ids != asking[:, np.newaxis]))
        others = order[np.searchsorted(ids, found.ids[rows, columns], sorter=order)]
        parts.append(_Pairs(rows + begin, others, found.distances[rows, columns]))
    return _Pairs(*map(np.concatenate, zip(*parts, strict=True))), crowded


def _batches(total: int, progress: Progress | None) -> Iterator[int]:
    for begin in range(0, total, _BATCH):
        if progress:
            progress(begin, total)
        yield begin
    if progress:
        progress(total, total)


def _both_ways(pairs: _Pairs) -> _Pairs:
    """Every pair from both its sides, once; sorted by one side, then by distance, then by the other side."""
    one, other = np.concatenate([pairs.one, pairs.other]), np.concatenate([pairs.other, pairs.one])
    distance = np.concatenate([pairs.distance, pairs.distance])
    order = np.lexsort((distance, other, one))
    one, other, distance = one[order], other[order], distance[order]
    first = np.ones(len(one), np.bool_)
    first[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    one, other, distance = one[first], other[first], distance[first]
    order = np.lexsort((other, distance, one))
    return _Pairs(one[order], other[order], distance[order])


def _all_free(
    index: Index, ids: Positions, leader: int, free: NDArray[np.bool_], within: float
) -> tuple[Positions, NDArray[np.float32]]:
    """All that are free within the distance of a vector which has more near it than it could ask for."""
    open_ = np.flatnonzero(free)
    if not len(open_):
        return open_, np.empty(0, np.float32)
    open_ = open_[np.argsort(ids[open_])]
    found = index.search(index[int(ids[leader])], len(open_), exact=True, filter=ids[open_], max_distance=within)
    there = found.ids >= 0
    return open_[np.searchsorted(ids[open_], found.ids[there])], found.distances[there]
