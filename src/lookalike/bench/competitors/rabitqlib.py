"""rabitqlib: SymphonyQG, a graph over sketches (Gou et al. 2025), and inverted lists of RaBitQ codes.

Parameters are those of its own benchmark: degree 32 and ef_construction 200 for the graph; for the lists (Gao & Long
2024, arXiv 2405.12497) about 4 √n of them, with one-bit codes reranked by the vectors. Vectors of unit length are
compared by L2, which ranks as the cosine does.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from math import log2, sqrt
from typing import Any

import rabitqlib

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

LEAST = 64
"""Dimensions."""
DEGREE, EF_CONSTRUCTION = 32, 200
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960)
PROBES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)


class _Rabitqlib(Competitor):
    distribution = "rabitqlib"
    _index: Any

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance
        if base.shape[1] < LEAST:
            raise CannotError(f"it takes vectors of {LEAST} dimensions or more; these have {base.shape[1]}")
        self._make(base, threads)

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def save(self, folder: str) -> None:
        self._index.save(_file(folder))

    @abstractmethod
    def _make(self, base: Vectors, threads: int) -> None:
        """The index of vectors that it takes."""


class SymphonyQg(_Rabitqlib):
    parameters = f"max_degree={DEGREE}, ef_construction={EF_CONSTRUCTION}"

    def _make(self, base: Vectors, threads: int) -> None:
        self._index = rabitqlib.SymqgIndex(base.shape[1], DEGREE, "l2")
        self._index.build(base, EF_CONSTRUCTION, num_threads=threads)

    def sweep(self) -> list[Setting]:
        return [{"ef": ef} for ef in EFS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._ef, self._threads = int(setting["ef"]), threads

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k, max(self._ef, k))[0][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search_batch(vectors, k, max(self._ef, k), num_threads=self._threads)[0]

    def load(self, folder: str, shape: Shape) -> None:
        self._index = rabitqlib.SymqgIndex.load(_file(folder))


class IvfRabitq(_Rabitqlib):
    def _make(self, base: Vectors, threads: int) -> None:
        lists = int(2 ** round(log2(max(4 * sqrt(len(base)), 1))))
        clusters = rabitqlib.RaBitQKMeans(
            base.shape[1], lists, num_threads=threads, final_assignment=rabitqlib.FinalAssignmentMode.Exact
        )
        clusters.train(base)
        self._index = rabitqlib.IvfIndex(base.shape[1], len(base), lists, 32, "l2")
        self._index.build(base, clusters.centroids, clusters.assignments, num_threads=threads)
        self.parameters = f"{lists} lists, 1-bit codes, reranked by the vectors"

    def sweep(self) -> list[Setting]:
        return [{"nprobe": n} for n in PROBES if n <= self._index.num_clusters]

    def configure(self, setting: Setting, threads: int) -> None:
        self._probes, self._threads = int(setting["nprobe"]), threads

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k, self._probes)[0][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search(vectors, k, self._probes, num_threads=self._threads)[0]

    def load(self, folder: str, shape: Shape) -> None:
        self._index = rabitqlib.IvfIndex.load(_file(folder))

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.add(vectors)  # it counts on from the last

    def remove(self, ids: Ids) -> None:
        self._index.remove(ids)


def _file(folder: str) -> str:
    return os.path.join(folder, "index.rabitqlib")
