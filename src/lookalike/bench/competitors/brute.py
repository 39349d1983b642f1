"""Brute force with NumPy alone: all pairs one at a time, as one would write it first; and by matrix products.

The products go through BLAS in blocks, so that a batch takes a bounded memory. They rank by |x|²/2 − q·x in float32,
whose rounding may exchange neighbours that are almost equally far.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from heapq import nsmallest
from typing import Any

import numpy as np

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.competitors.threads import limit
from lookalike.bench.truth import Distance, Ids, Vectors, least

QUERIES, ROWS = 256, 65_536
"""Of a block of distances: 64 MiB."""


class _Brute(Competitor):
    distribution = "numpy"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del threads
        self._base, self._distance = base, distance
        self._gone = set[int]()

    def sweep(self) -> list[Setting]:
        return [{}]

    def configure(self, setting: Setting, threads: int) -> None:
        """There is nothing to set."""

    def touched(self, vectors: Vectors, k: int) -> float:
        return len(self._base) - len(self._gone)

    def save(self, folder: str) -> None:
        np.save(os.path.join(folder, "base.npy"), self._base)

    def load(self, folder: str, shape: Shape) -> None:
        self.build(np.load(os.path.join(folder, "base.npy"), mmap_mode="r"), shape.distance, 1)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._base = np.concatenate([self._base, vectors])

    def remove(self, ids: Ids) -> None:
        self._gone.update(ids.tolist())


class Pairs(_Brute):
    """A loop in Python, on one thread in any case: the interpreter runs no two at once."""

    parameters = "one NumPy call a pair"

    def query(self, query: Any, k: int) -> Any:
        distance = _euclidean if self._distance == "euclidean" else _cosine
        pairs = ((distance(query, vector), row) for row, vector in enumerate(self._base) if row not in self._gone)
        return [row for _, row in nsmallest(k, pairs)]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return [self.query(vector, k) for vector in vectors]


class Products(_Brute):
    parameters = f"blocks of {QUERIES} queries × {ROWS} rows"

    def configure(self, setting: Setting, threads: int) -> None:
        limit(threads)

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        super().build(base, distance, threads)
        self._offsets = self._offset(base)

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def query(self, query: Any, k: int) -> Any:
        return self._nearest(query, k)[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        blocks = [vectors[start : start + QUERIES] for start in range(0, len(vectors), QUERIES)]
        return np.concatenate([self._nearest(block, k) for block in blocks])

    def add(self, ids: Ids, vectors: Vectors) -> None:
        super().add(ids, vectors)
        self._offsets = np.concatenate([self._offsets, self._offset(vectors)])

    def remove(self, ids: Ids) -> None:
        super().remove(ids)
        self._offsets[ids] = np.inf

    def _nearest(self, queries: Vectors, k: int) -> Ids:
        """The nearest so far, against one block of the base at a time."""
        ids, scores = np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        for start in range(0, len(self._base), ROWS):
            block = slice(start, start + ROWS)
            new = self._offsets[block] - queries @ self._base[block].T
            best = least(new, k)
            ids = np.concatenate([ids, best + start], axis=1)
            scores = np.concatenate([scores, np.take_along_axis(new, best, axis=1)], axis=1)
            best = least(scores, k)
            ids, scores = np.take_along_axis(ids, best, axis=1), np.take_along_axis(scores, best, axis=1)
        return np.take_along_axis(ids, np.argsort(scores, axis=1), axis=1)

    def _offset(self, vectors: Vectors) -> Vectors:
        """What ranks a row besides its product with the query."""
        if self._distance == "cosine":
            return np.zeros(len(vectors), np.float32)
        squares: Vectors = np.einsum("ij,ij->i", vectors, vectors)
        return squares * np.float32(0.5)


def _euclidean(one: Vectors, other: Vectors) -> float:
    return float(np.linalg.norm(one - other))


def _cosine(one: Vectors, other: Vectors) -> float:
    return 1 - float(np.dot(one, other))
