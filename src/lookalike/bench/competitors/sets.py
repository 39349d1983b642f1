"""Exact search among sets: all pairs one at a time, as one would write it first; and by an inverted index."""

from __future__ import annotations

import os
from heapq import nsmallest
from typing import Any

import numpy as np

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.sets import FARTHEST, Postings, nearest
from lookalike.bench.truth import Distance, Ids, Rows


class _Exact(Competitor):
    distribution = "numpy"

    def sweep(self) -> list[Setting]:
        return [{}]

    def configure(self, setting: Setting, threads: int) -> None:
        pass  # there is one thread in any case

    def query_batch(self, vectors: Rows, k: int) -> Any:
        return [self.query(query, k) for query in self.prepare(vectors)]


class Pairs(_Exact):
    parameters = "one pair of Python's sets at a time"

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        self._sets = dict(enumerate(self.prepare(base)))

    def prepare(self, vectors: Rows) -> list[frozenset[int]]:
        return [frozenset(items.tolist()) for items in vectors]

    def query(self, query: Any, k: int) -> Any:
        return [row for _, row in nsmallest(k, ((_jaccard(query, one), row) for row, one in self._sets.items()))]

    def touched(self, vectors: Rows, k: int) -> float:
        return len(self._sets)

    def save(self, folder: str) -> None:
        raise CannotError("they are kept by pickle only, which runs what it reads")

    def load(self, folder: str, shape: Shape) -> None:
        raise CannotError("they are kept by pickle only, which runs what it reads")

    def add(self, ids: Ids, vectors: Rows) -> None:
        self._sets.update(zip(ids.tolist(), self.prepare(vectors), strict=True))

    def remove(self, ids: Ids) -> None:
        for row in ids.tolist():
            del self._sets[row]


class Inverted(_Exact):
    parameters = "items to sets, counted by NumPy"

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        self._postings = Postings.of(base)

    def query(self, query: Any, k: int) -> Any:
        return nearest(self._postings.distances(query), k)

    def touched(self, vectors: Rows, k: int) -> float:
        return sum(np.count_nonzero(self._postings.shared(query)) for query in vectors) / len(vectors)

    def save(self, folder: str) -> None:
        np.savez(_file(folder), **vars(self._postings))

    def load(self, folder: str, shape: Shape) -> None:
        with np.load(_file(folder)) as kept:
            self._postings = Postings(**kept)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    shared = len(one & other)
    return 1 - shared / (len(one) + len(other) - shared) if shared else FARTHEST


def _file(folder: str) -> str:
    return os.path.join(folder, "postings.npz")
