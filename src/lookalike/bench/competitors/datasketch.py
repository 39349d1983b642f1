"""datasketch: MinHash (Broder 1997) in the buckets of locality-sensitive hashing, as a forest and by thresholds.

An item is its number: since version 2.0 a MinHash mixes what it is given, so that no other hash is needed before. What
the two find is in no order and is compared exactly, as the documentation advises. Both are Python, on one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH, MinHashLSHForest

from lookalike.bench.competitors.competitor import CannotError, Setting, Shape
from lookalike.bench.competitors.reranked import Reranked
from lookalike.bench.truth import Distance, Ids, Rows

FUNCTIONS = 256
TREES = 64
THRESHOLDS = (0.8, 0.5, 0.2, 0.1)
"""Of Jaccard's similarity."""


class _Datasketch(Reranked):
    distribution = "datasketch"

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        super().build(base, distance, threads)
        self._empty = MinHash(num_perm=FUNCTIONS, hashfunc=int)

    def save(self, folder: str) -> None:
        raise CannotError("it is kept by pickle only, which runs what it reads")

    def load(self, folder: str, shape: Shape) -> None:
        raise CannotError("it is kept by pickle only, which runs what it reads")

    def _hashed(self, items: Any) -> MinHash:
        minhash = self._empty.copy()  # a new one would draw its functions again
        minhash.update_batch(items.tolist())
        return minhash


class Forest(_Datasketch):
    """LSH Forest (Bawa, Condie & Ganesan 2005): from the longest prefixes to shorter ones until there are enough."""

    parameters = f"num_perm={FUNCTIONS}, l={TREES}"

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        super().build(base, distance, threads)
        self._forest = MinHashLSHForest(num_perm=FUNCTIONS, l=TREES)
        for row, items in enumerate(base):
            self._forest.add(row, self._hashed(items))
        self._forest.index()

    def candidates(self, query: Any, k: int) -> Ids:
        return np.array(self._forest.query(self._hashed(query), self._factor * k), np.int64)

    def add(self, ids: Ids, vectors: Rows) -> None:
        super().add(ids, vectors)
        for row, items in zip(ids.tolist(), vectors, strict=True):
            self._forest.add(row, self._hashed(items))
        self._forest.index()  # sorts all anew

    def remove(self, ids: Ids) -> None:
        raise CannotError("a forest does not delete")


class Thresholds(_Datasketch):
    """One LSH for each threshold, with as many bands and rows as datasketch takes for it; one of them is asked.

    What building and memory take is what all of them take.
    """

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        super().build(base, distance, threads)
        self._every = {threshold: MinHashLSH(threshold, num_perm=FUNCTIONS) for threshold in THRESHOLDS}
        self._insert(range(len(base)), base)
        bands = ", ".join(f"{one.b} × {one.r}" for one in self._every.values())
        self.parameters = f"{len(THRESHOLDS)} of num_perm={FUNCTIONS}, bands × rows {bands}"

    def sweep(self) -> list[Setting]:
        return [{"threshold": threshold} for threshold in THRESHOLDS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._asked = self._every[setting["threshold"]]

    def candidates(self, query: Any, k: int) -> Ids:
        return np.array(self._asked.query(self._hashed(query)), np.int64)

    def add(self, ids: Ids, vectors: Rows) -> None:
        super().add(ids, vectors)
        self._insert(ids.tolist(), vectors)

    def remove(self, ids: Ids) -> None:
        for row in ids.tolist():
            for one in self._every.values():
                one.remove(row)

    def _insert(self, ids: Any, sets: Rows) -> None:
        for row, items in zip(ids, sets, strict=True):
            minhash = self._hashed(items)
            for one in self._every.values():
                one.insert(row, minhash)
