"""How sure a hit is: its distance beside those within the collection itself (docs/sure.md).

Two questions decide. Is it as near as the collection's own items are to their neighbours? The answer is a conformal
p-value (Vovk, Gammerman & Shafer 2005; of distances to the nearest: Laxhammar & Falkman 2010). Would the nearest of so
many unrelated ones be as near? That is 1 − exp(−E), as of a search in a database (Karlin & Altschul 1990), with E by a
normal distribution fitted to the middle of all pairs' distances, where related pairs are few (Efron 2004).
"""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.index import Reader

FEWEST = 20
"""Items; with fewer it cannot be told."""

NO_MATCH = 0.1
"""Below this score there is no good match."""

_SAMPLE = 400  # items whose neighbours are looked for
_AROUND = 5  # neighbours of which the mean distance tells whether anything here is like the query
_LOWER, _UPPER = 0.1, 0.9  # quantiles; between them lie 2.5631 deviations of a normal distribution
_DEVIATIONS = 2.5631
_SLACK = 1e-6  # of the middle distance: copies may differ by rounding


@dataclass(frozen=True)
class Calibration:
    """Distances within a collection, of one state of it.

    Attributes:
        nearest: (s,), ascending: of each sampled item to its nearest other.
        around: (s,), ascending: the mean to its nearest five others.
        middle, spread: of the distances between unrelated items (their roots under sqeuclidean).
        count: of all items.
    """

    nearest: NDArray[np.float64]
    around: NDArray[np.float64]
    middle: float
    spread: float
    count: int
    squared: bool

    @classmethod
    def of(cls, index: Reader) -> Calibration | None:
        """That of an index: the same for the same vectors. None where there are too few."""
        if len(index) < FEWEST:
            return None
        ids = index.ids
        chosen = np.sort(np.random.default_rng(0).choice(ids, min(_SAMPLE, len(ids)), replace=False))
        vectors = np.stack([index[int(each)] for each in chosen])
        found = index.search(vectors, _AROUND + 1)
        others = np.stack(
            [
                _others(row, distances, {own})
                for row, distances, own in zip(found.ids, found.distances, chosen.tolist(), strict=True)
            ]
        )
        squared = index.metric == "sqeuclidean"
        ids, pairs = index.search(vectors, len(chosen), filter=chosen, exact=True)
        unlike = np.float64(pairs[ids != chosen[:, np.newaxis]])
        lower, middle, upper = np.quantile(np.sqrt(unlike) if squared else unlike, [_LOWER, 0.5, _UPPER])
        return cls(
            np.sort(others[:, 0]),
            np.sort(others.mean(axis=1)),
            float(middle),
            max(float(upper - lower) / _DEVIATIONS, float(np.finfo(np.float32).tiny)),
            len(index),
            squared,
        )

    def judge(self, index: Reader, vector: NDArray[Any], own: Set[int]) -> Sureness | None:
        """What can be said of the neighbours of a query, without those that are the query itself; None of too few."""
        if self.count - len(own) < FEWEST - 1:
            return None
        found = index.search(vector, _AROUND + len(own))
        return Sureness(self, self._share(self.around, float(_others(found.ids, found.distances, own).mean())))

    def as_near(self, distance: float) -> float:
        """The share of the sampled items that have their nearest other so far away, or farther; above 0."""
        return self._share(self.nearest, distance)

    def chance(self, distance: float) -> float:
        """That the nearest of so many unrelated ones is so near, or nearer."""
        root = math.sqrt(max(distance, 0.0)) if self.squared else distance
        expected = self.count * math.erfc((self.middle - root) / self.spread / math.sqrt(2)) / 2
        return -math.expm1(-expected)

    def _share(self, own: NDArray[np.float64], distance: float) -> float:
        nearer = np.searchsorted(own, distance - _SLACK * abs(self.middle))
        return float(1 + len(own) - nearer) / (1 + len(own))


@dataclass(frozen=True)
class Sureness:
    """What a collection's own distances say of the hits of one query.

    Attributes:
        familiar: the share of the collection's items that have their nearest five no nearer than the query has its own.
    """

    calibration: Calibration
    familiar: float

    def kin(self, distance: float) -> float:
        """The share of the items that have their neighbours no nearer than the query has this one."""
        return min(self.familiar, self.calibration.as_near(distance))

    def score(self, distance: float) -> float:
        """In (0, 1]: kin beside the chance that the nearest of so many unrelated ones is as near."""
        kin = self.kin(distance)
        return kin / (kin + self.calibration.chance(distance))


def _others(ids: NDArray[np.int64], distances: NDArray[np.float32], own: Set[int]) -> NDArray[np.float64]:
    """The distances of the nearest five that are not `own`."""
    kept = [distance for each, distance in zip(ids.tolist(), distances.tolist(), strict=True) if each not in own]
    return np.array(kept[:_AROUND])
