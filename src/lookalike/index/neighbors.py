"""What a search answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Neighbors:
    """The nearest neighbours of one query, or of each query of a batch; nearest first, ties by the smaller id.

    Unpacks as ``ids, distances``.

    Attributes:
        ids: int64, (k,) for one query, (n, k) for a batch; −1 where there are fewer than k.
        distances: float32 of the same shape, exact for the ids beside them (estimates where the
            index keeps no vectors, `store="none"`); inf where the id is −1.
        recall: the expected share of the true neighbours that are here: a float for one query, float64 (n,) for a
            batch. 1.0 when every vector was compared, else as measured at sealing, for this k and for queries as far
            from the vectors as this one, less the standard error. NaN where more than 100 neighbours were asked for
            by a number of probes: that is not measured.
        candidates: uint32, () or (n,): how many vectors were compared with the query, in 8 bits or in full; those
            of which only the sketch was scanned are not counted.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    recall: float | NDArray[np.float64]
    candidates: NDArray[np.uint32]

    def __iter__(self) -> Iterator[NDArray[Any]]:
        yield self.ids
        yield self.distances

    def __len__(self) -> int:
        return len(self.ids)
