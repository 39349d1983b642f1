"""Annoy: a forest of random projection trees, https://github.com/spotify/annoy.

It has no call for a batch: threads share one here, since its search releases the GIL. 100 trees are the fewest that
ann-benchmarks gives it; more of them take as many times the memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from annoy import AnnoyIndex

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Vectors

TREES = 100
SEARCH_K = (250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000)


class Annoy(Competitor):
    distribution = "annoy"
    parameters = f"{TREES} trees"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        self._index = _empty(distance, base.shape[1])
        self._index.set_seed(1)
        for row, vector in enumerate(base):
            self._index.add_item(row, vector)
        self._index.build(TREES, n_jobs=threads)

    def sweep(self) -> list[Setting]:
        return [{"search_k": nodes} for nodes in SEARCH_K]

    def configure(self, setting: Setting, threads: int) -> None:
        self._search_k, self._threads = int(setting["search_k"]), threads

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vector.tolist() for vector in vectors]  # it reads a list faster than an array

    def query(self, query: Any, k: int) -> Any:
        return self._index.get_nns_by_vector(query, k, self._search_k)

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        with ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(lambda vector: self.query(vector, k), self.prepare(vectors)))

    def save(self, folder: str) -> None:
        self._index.save(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self._index = _empty(shape.distance, shape.dim)
        self._index.load(_file(folder))  # memory-mapped


def _empty(distance: Distance, dim: int) -> Any:
    return AnnoyIndex(dim, "euclidean" if distance == "euclidean" else "angular")


def _file(folder: str) -> str:
    return os.path.join(folder, "index.annoy")
