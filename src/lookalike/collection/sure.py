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
_RESERVE = 800  # of which some may go before all must be looked through
_PART = 1 << 16  # ids
_AROUND = 5  # neighbours of which the mean distance tells whether anything here is like the query
_LOWER, _UPPER = 0.1, 0.9  # quantiles; between them lie 2.5631 deviations of a normal distribution
_DEVIATIONS = 2.5631
_SLACK = 1e-6  # of the middle distance: copies may differ by rounding


@dataclass(frozen=True)
class Sample:
    """Items whose neighbours are looked for: those whose ids come first in an order that is drawn once and for all.

    So it is the same for the same items, and changes little where they do: it is a bottom-k sample (Cohen & Kaplan,
    *Summarizing data using bottom-k sketches*, PODC 2007).

    Attributes:
        ids: (r,), the first of all in that order; the first `_SAMPLE` of them are looked at, the others replace them.
        neighbors, distances: (s, m): of those, with themselves.
    """

    ids: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    distances: NDArray[np.float32]

    @property
    def makes_sense(self) -> bool:
        """Whether each has enough others, as those of any index; what was read from a file may not."""
        own = self.neighbors == self.looked_at[:, np.newaxis]
        return own.shape[1:] == (_AROUND + 1,) and bool((own.sum(axis=1) <= 1).all())

    @property
    def looked_at(self) -> NDArray[np.int64]:
        return self.ids[:_SAMPLE]

    @classmethod
    def of(cls, index: Reader) -> Sample:
        ids = _first(index.ids)
        found = index.search(_vectors(index, ids[:_SAMPLE]), _AROUND + 1)
        return cls(ids, found.ids, found.distances)

    def followed(self, index: Reader, new: NDArray[np.int64], count: int) -> Sample | None:
        """That of the index by now, computed for what has changed; None where too much has.

        Args:
            new: the ids that are new in it since.
            count: how many items there were.
        """
        there = np.array([int(each) in index for each in self.ids], bool)
        joining = new
        if len(self.ids) < count:  # behind the last of these come others, too
            joining = new[_priority(new) < _priority(self.ids[-1:])]
        ids = _first(np.concatenate([self.ids[there], joining]))
        if len(new) * 8 > len(index) or len(ids) < min(_SAMPLE, len(index)):
            return None
        now = ids[:_SAMPLE]
        place = {int(id): row for row, id in enumerate(self.looked_at)}
        rows = np.array([place.get(int(id), -1) for id in now])
        neighbors, distances = self.neighbors[rows], self.distances[rows]
        left = {int(id): int(id) in index for id in np.unique(self.neighbors)}
        stale = (rows < 0) | ~np.array([all(left[int(id)] for id in row) for row in neighbors], bool)
        vectors = _vectors(index, now)
        if stale.any():
            found = index.search(vectors[stale], neighbors.shape[1])
            neighbors[stale], distances[stale] = found.ids, found.distances
        if len(new) and not stale.all():
            found = index.search(vectors[~stale], neighbors.shape[1], filter=new, exact=True)
            both = np.hstack([neighbors[~stale], found.ids]), np.hstack([distances[~stale], found.distances])
            order = np.argsort(both[1], axis=1, kind="stable")[:, : neighbors.shape[1]]
            neighbors[~stale], distances[~stale] = (np.take_along_axis(each, order, axis=1) for each in both)
        return Sample(ids, neighbors, distances)


@dataclass(frozen=True)
class Calibration:
    """Distances within a collection, of one state of it.

    Attributes:
        nearest: (s,), ascending: of each sampled item to its nearest other.
        around: (s,), ascending: the mean to its nearest five others.
        middle, spread: of the distances between unrelated items (their roots under sqeuclidean).
        count: of all items.
        sample: what it was computed from.
    """

    nearest: NDArray[np.float64]
    around: NDArray[np.float64]
    middle: float
    spread: float
    count: int
    squared: bool
    sample: Sample

    @classmethod
    def of(cls, index: Reader) -> Calibration | None:
        """That of an index: the same for the same vectors. None where there are too few."""
        if len(index) < FEWEST:
            return None
        sample = Sample.of(index)
        return cls.made(sample, *_unrelated(index, sample), len(index), index.metric)

    @classmethod
    def made(cls, sample: Sample, middle: float, spread: float, count: int, metric: str) -> Calibration:
        """That of a sample of so many items."""
        rows = zip(sample.neighbors, sample.distances, sample.looked_at.tolist(), strict=True)
        others = np.stack([_others(ids, distances, {own}) for ids, distances, own in rows])
        nearest, around = np.sort(others[:, 0]), np.sort(others.mean(axis=1))
        return cls(nearest, around, middle, spread, count, metric == "sqeuclidean", sample)

    def followed(self, index: Reader, new: NDArray[np.int64]) -> Calibration | None:
        """That of the index by now, computed for what has changed, as `Sample.followed`."""
        if len(index) < FEWEST or not (sample := self.sample.followed(index, new, self.count)):
            return self.of(index)
        same = np.array_equal(sample.looked_at, self.sample.looked_at)
        middle, spread = (self.middle, self.spread) if same else _unrelated(index, sample)
        return self.made(sample, middle, spread, len(index), index.metric)

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


def _priority(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Different numbers for different ids, as if drawn at random (Steele, Lea & Flood, SplitMix, OOPSLA 2014)."""
    mixed = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _first(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those that come first, in order; looked for in a part at a time, as all priorities would take much memory."""
    first = ids[:0]
    for start in range(0, len(ids), _PART):
        some = np.concatenate([first, ids[start : start + _PART]])
        first = some[np.argsort(_priority(some))[:_RESERVE]]
    return first


def _unrelated(index: Reader, sample: Sample) -> tuple[float, float]:
    """The middle and the spread of the distances of all pairs, of which few are related."""
    chosen = sample.looked_at
    ids, pairs = index.search(_vectors(index, chosen), len(chosen), filter=chosen, exact=True)
    unlike = np.float64(pairs[ids != chosen[:, np.newaxis]])
    lower, middle, upper = np.quantile(
        np.sqrt(unlike) if index.metric == "sqeuclidean" else unlike, [_LOWER, 0.5, _UPPER]
    )
    return float(middle), max(float(upper - lower) / _DEVIATIONS, float(np.finfo(np.float32).tiny))


def _vectors(index: Reader, ids: NDArray[np.int64]) -> NDArray[Any]:
    return np.stack([index[int(each)] for each in ids])


def _others(ids: NDArray[np.int64], distances: NDArray[np.float32], own: Set[int]) -> NDArray[np.float64]:
    """The distances of the nearest five that are not `own`."""
    kept = [distance for each, distance in zip(ids.tolist(), distances.tolist(), strict=True) if each not in own]
    return np.array(kept[:_AROUND])
