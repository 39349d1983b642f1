"""What a collection's pictures probably show: of each the likeliest classes, from its stored vector."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.sync.report import Progress
from lookalike.index import Reader
from lookalike.models.words import Words, kinds

KEPT = 32
"""Classes of each picture. What is behind them has a probability below 1/33 each: it hardly ever changes a ranking
(docs/words.md), though a picture of nothing that the model knows loses half of its probability."""
SURE = 0.5
"""From this probability on a picture surely shows what a word says, as far as the model can tell (docs/words.md)."""
_ROWS = 4096  # vectors at a time


@dataclass(frozen=True)
class Classes:
    """Of each item the likeliest classes.

    Attributes:
        ids: (n,), ascending.
        numbers: (n, KEPT) uint16, the classes, the likeliest first.
        shares: (n, KEPT) float16, their probabilities.
    """

    ids: NDArray[np.int64]
    numbers: NDArray[np.uint16]
    shares: NDArray[np.float16]

    @classmethod
    def none(cls) -> Classes:
        return cls(np.empty(0, np.int64), np.empty((0, KEPT), np.uint16), np.empty((0, KEPT), np.float16))

    @classmethod
    def of(cls, index: Reader, words: Words, before: Classes, progress: Progress | None) -> Classes:
        """Those of all vectors of an index; what is among those `before` is not computed again: an id's vector stays.

        `progress` is called with (done, total), in vectors.
        """
        ids = np.sort(index.ids)
        kept = np.isin(before.ids, ids)
        new = np.setdiff1d(ids, before.ids, assume_unique=True)
        parts = [(before.ids[kept], before.numbers[kept], before.shares[kept])]
        for start in range(0, len(new), _ROWS):
            if progress:
                progress(start, len(new))
            some = new[start : start + _ROWS]
            parts.append((some, *_likeliest(words.probabilities(np.stack([index[id] for id in some.tolist()])))))
        if progress and len(new):
            progress(len(new), len(new))
        every, numbers, shares = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        order = np.argsort(every)
        return cls(every[order], numbers[order], shares[order])

    def probability(self, classes: Collection[int]) -> NDArray[np.float32]:
        """Of each item (n,) that it shows one of some classes."""
        wanted = np.zeros(1 << 16, bool)
        wanted[list(classes)] = True
        found = np.empty(len(self.ids), np.float32)
        for start in range(0, len(found), _ROWS):
            part = slice(start, start + _ROWS)
            np.sum(self.shares[part], axis=1, where=wanted[self.numbers[part]], dtype=np.float32, out=found[part])
        return np.minimum(found, 1, out=found)


@dataclass(frozen=True)
class Kinds:
    """What a collection's pictures probably show, by kind; each counts for one kind, or none.

    Attributes:
        probably: how many for each kind, most first, without those of which there is none.
        unsure: how many show nothing that the model is sure of.
    """

    probably: dict[str, int]
    unsure: int

    @classmethod
    def of(cls, classes: Classes) -> Kinds:
        """A picture counts for its likeliest kind, if its probability is at least `SURE`."""
        names = list(kinds())
        kind_of = np.zeros(1 << 16, np.intp)
        for place, of_kind in enumerate(kinds().values()):
            kind_of[list(of_kind)] = place
        counts = np.zeros(len(names), np.intp)
        for start in range(0, len(classes.ids), _ROWS):
            numbers, shares = (array[start : start + _ROWS] for array in (classes.numbers, classes.shares))
            cells = np.arange(len(numbers))[:, np.newaxis] * len(names) + kind_of[numbers]
            sums = np.bincount(cells.ravel(), shares.ravel(), len(numbers) * len(names)).reshape(len(numbers), -1)
            counts += np.bincount(sums.argmax(axis=1)[sums.max(axis=1) >= SURE], minlength=len(names))
        ranked = sorted(zip(names, counts.tolist(), strict=True), key=lambda each: -each[1])
        return cls({name: count for name, count in ranked if count}, len(classes.ids) - int(counts.sum()))


def _likeliest(probabilities: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.float16]]:
    numbers = np.argpartition(probabilities, -KEPT, axis=1)[:, -KEPT:]
    shares = np.take_along_axis(probabilities, numbers, axis=1)
    order = np.argsort(-shares, axis=1)
    return (
        np.take_along_axis(numbers, order, axis=1).astype(np.uint16),
        np.take_along_axis(shares, order, axis=1).astype(np.float16),
    )
