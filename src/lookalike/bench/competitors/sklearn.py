"""scikit-learn: a ball tree, and brute force in blocks, both exact.

Its kd-tree is for a dozen of dimensions at most; a ball tree bears more, if not many. Leaves as large as its default.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from sklearn.neighbors import BallTree, NearestNeighbors

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting
from lookalike.bench.competitors.threads import limit
from lookalike.bench.truth import Distance, Vectors

LEAF = 40
PIECES = 8
"""Of a batch, a thread: some queries take longer than others."""


class _Sklearn(Competitor):
    distribution = "scikit-learn"

    def sweep(self) -> list[Setting]:
        return [{}]

    def configure(self, setting: Setting, threads: int) -> None:
        limit(threads)
        self._threads = threads

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def save(self, folder: str) -> None:
        raise CannotError("it is kept by pickle only, which runs what it reads")


class Brute(_Sklearn):
    parameters = "brute"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance, threads  # of unit length, the Euclidean distance ranks as the cosine does
        self._count = len(base)
        self._index = NearestNeighbors(algorithm="brute").fit(base)

    def query(self, query: Any, k: int) -> Any:
        return self._index.kneighbors(query, k, return_distance=False)[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.kneighbors(vectors, k, return_distance=False)

    def touched(self, vectors: Vectors, k: int) -> float:
        return self._count


class Tree(_Sklearn):
    """The tree itself, which `NearestNeighbors` wraps in more checks; a batch is shared by threads as there."""

    parameters = f"ball tree, leaf_size={LEAF}"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance, threads
        self._tree = BallTree(base, leaf_size=LEAF)

    def query(self, query: Any, k: int) -> Any:
        return self._tree.query(query, k, return_distance=False)[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        pieces = np.array_split(vectors, min(len(vectors), PIECES * self._threads))
        with ThreadPoolExecutor(self._threads) as pool:
            return np.concatenate(list(pool.map(lambda some: self._tree.query(some, k, return_distance=False), pieces)))

    def touched(self, vectors: Vectors, k: int) -> float:
        """Distances that it computes, those from the centres of its nodes among them."""
        self._tree.reset_n_calls()
        self._tree.query(vectors, k)
        return float(self._tree.get_n_calls()) / len(vectors)
