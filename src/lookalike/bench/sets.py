"""Sets of items, and Jaccard's distance between them: 1 − |a ∩ b| / |a ∪ b| (Jaccard 1912,
10.1111/j.1469-8137.1912.tb05611.x).

Sets that share nothing are at distance 1; so is the empty set from all others and from itself, as in ann-benchmarks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Items = npt.NDArray[np.int32]
Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FARTHEST = 1.0
"""The distance of sets that share nothing: no such set is a neighbour."""


@dataclass(frozen=True, eq=False)
class Sets:
    """Sets one behind the other: set r is items[starts[r] : starts[r + 1]], ascending, none of them twice.

    A slice, mask or array of rows takes some of them; iterating gives the items of one after the other.

    Attributes:
        items: numbers from 0 on.
        starts: (n + 1,).
        universe: the items of these sets, and of all that they may be compared with, are below it.
    """

    items: Items
    starts: Ids
    universe: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: Any) -> Sets:
        return self._taken(np.arange(len(self))[rows])

    def __iter__(self) -> Iterator[Items]:
        return (self.items[start:end] for start, end in zip(self.starts[:-1], self.starts[1:], strict=True))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.universe

    @property
    def sizes(self) -> Ids:
        return np.diff(self.starts)

    def copy(self) -> Sets:
        return Sets(self.items.copy(), self.starts.copy(), self.universe)

    def distances(self, query: Items, rows: Ids) -> Floats:
        """From a set to some of these."""
        some, held = self._taken(rows), np.zeros(self.universe, bool)
        held[query] = True
        shared = np.diff(_starts(held[some.items])[some.starts])
        return _distances(shared, some.sizes, len(query))

    def _taken(self, rows: Ids) -> Sets:
        """In time that depends on these rows alone."""
        begins = self.starts[rows]
        sizes = self.starts[rows + 1] - begins
        starts = _starts(sizes)
        places = np.arange(starts[-1]) + np.repeat(begins - starts[:-1], sizes)
        return Sets(self.items[places], starts, self.universe)


@dataclass(frozen=True, eq=False)
class Postings:
    """An inverted index: item i is in the sets rows[starts[i] : starts[i + 1]]; set r has sizes[r] items."""

    rows: Items
    starts: Ids
    sizes: Ids

    @classmethod
    def of(cls, base: Sets) -> Postings:
        order = np.argsort(base.items, kind="stable")
        rows = np.repeat(np.arange(len(base), dtype=np.int32), base.sizes)[order]
        return cls(rows, _starts(np.bincount(base.items, minlength=base.universe)), base.sizes)

    def shared(self, query: Items) -> Items:
        """(n,): how many items of a query each set holds."""
        shared = np.zeros(len(self.sizes), np.int32)
        for item in query.tolist():
            shared[self.rows[self.starts[item] : self.starts[item + 1]]] += 1
        return shared

    def distances(self, query: Items) -> Floats:
        """(n,): from a query to each set."""
        return _distances(self.shared(query), self.sizes, len(query))


def as_sets(*given: tuple[npt.NDArray[Any], npt.NDArray[Any]]) -> list[Sets]:
    """Sets whose items are numbered anew, all alike, from items one behind the other and how many each set has.

    An item that a set has twice counts once.
    """
    known, numbers = np.unique(np.concatenate([items for items, _ in given]), return_inverse=True)
    ends = np.cumsum([len(items) for items, _ in given])[:-1]
    return [_set(some, sizes, len(known)) for some, (_, sizes) in zip(np.split(numbers, ends), given, strict=True)]


def concatenated(every: Sequence[Sets]) -> Sets:
    sizes = np.concatenate([one.sizes for one in every])
    return Sets(np.concatenate([one.items for one in every]), _starts(sizes), every[0].universe)


def nearest(distances: Floats, k: int) -> npt.NDArray[np.intp]:
    """The places of the k least, or of all, the least first; of equal ones the first."""
    k = min(k, len(distances))
    some = np.flatnonzero(distances <= np.partition(distances, k - 1)[k - 1]) if k else np.empty(0, np.intp)
    return some[np.argsort(distances[some], kind="stable")[:k]]


def _set(items: npt.NDArray[Any], sizes: npt.NDArray[Any], universe: int) -> Sets:
    """Of each set, its items in order, each once."""
    held = np.unique(np.repeat(np.arange(len(sizes)), sizes) * universe + items)
    rows, ordered = np.divmod(held, max(universe, 1))
    return Sets(ordered.astype(np.int32), _starts(np.bincount(rows, minlength=len(sizes))), universe)


def _starts(sizes: npt.NDArray[Any]) -> Ids:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def _distances(shared: npt.NDArray[Any], sizes: Ids, size: int) -> Floats:
    return np.asarray(1 - shared / np.maximum(sizes + size - shared, 1), np.float64)
