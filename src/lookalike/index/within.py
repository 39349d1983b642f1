"""What a search by radius answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

Pair: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """The neighbours of each query within a radius: as many as there are, nearest first, ties by the smaller id.

    As a sequence, one ``(ids, distances)`` for each query.

    Attributes:
        starts: int64 (n + 1,): those of query i are ``ids[starts[i]:starts[i + 1]]``.
        ids: int64, of all queries behind each other.
        distances: float32 of the same shape, exact.
    """

    starts: NDArray[np.int64]
    ids: NDArray[np.int64]
    distances: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, query: int) -> Pair: ...
    @overload
    def __getitem__(self, query: slice) -> list[Pair]: ...
    def __getitem__(self, query: int | slice) -> Pair | list[Pair]:
        if isinstance(query, slice):
            return [self[each] for each in range(len(self))[query]]
        begin, end = self.starts[: len(self)][query], self.starts[1:][query]
        return self.ids[begin:end], self.distances[begin:end]

    def __iter__(self) -> Iterator[Pair]:
        return (self[query] for query in range(len(self)))
