"""faiss: inverted lists of product-quantised codes or of RaBitQ's, a graph, binary LSH codes, and all vectors
(Douze et al. 2024, arXiv 2401.08281).

Built by its own index factory, with about 4 √n lists, as its guidelines say. Vectors of unit length are compared by L2,
which ranks as the cosine does and lets the codes be of residuals.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from itertools import product
from math import log2, sqrt
from typing import Any

import faiss
import numpy as np

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

PROBES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FACTORS = (2, 5, 10, 20, 50)
LSH_FACTORS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280)
M, EF_CONSTRUCTION = 16, 200
BLOCK = 65_536
"""Rows whose binary codes are made at once: faiss projects all that it is given before it takes the signs."""


class Faiss(Competitor):
    distribution = "faiss-cpu"
    _index: Any

    @abstractmethod
    def factory(self, count: int, dim: int) -> str:
        """What faiss's `index_factory` is told."""

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance  # L2 in any case
        faiss.omp_set_num_threads(threads)
        self.parameters = self.factory(*base.shape)
        self._index = faiss.index_factory(base.shape[1], self.parameters)
        self._fill(base)

    def configure(self, setting: Setting, threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        self._set(setting)

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k)[1][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search(vectors, k)[1]

    def save(self, folder: str) -> None:
        faiss.write_index(self._index, _file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self._index = faiss.read_index(_file(folder), faiss.IO_FLAG_MMAP_IFC)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.add(vectors)  # it counts on from the last

    def remove(self, ids: Ids) -> None:
        try:
            self._index.remove_ids(ids)
        except RuntimeError as error:
            raise CannotError(str(error).rpartition(": ")[2]) from None

    def _fill(self, base: Vectors) -> None:
        self._index.train(base)
        self._index.add(base)

    @abstractmethod
    def _set(self, setting: Setting) -> None:
        """The search parameters of one setting."""


class _Lists(Faiss):
    """Inverted lists, their best candidates compared exactly: nprobe lists, k_factor · k candidates."""

    def sweep(self) -> list[Setting]:
        probes = [n for n in PROBES if n <= faiss.extract_index_ivf(self._index.base_index).nlist]
        return [{"nprobe": n, "k_factor": f} for n, f in product(probes, FACTORS)]

    def touched(self, vectors: Vectors, k: int) -> float:
        faiss.cvar.indexIVF_stats.reset()
        self._index.search(vectors, k)
        return float(faiss.cvar.indexIVF_stats.ndis) / len(vectors)

    def _set(self, setting: Setting) -> None:
        faiss.extract_index_ivf(self._index.base_index).nprobe = int(setting["nprobe"])
        self._index.k_factor = setting["k_factor"]


class IvfPq(_Lists):
    """4-bit codes of every two dimensions, scanned by shuffles (FastScan); of 256 principal axes beyond 512."""

    def factory(self, count: int, dim: int) -> str:
        if dim > 512:
            axes = min(256, count // 2 * 2)  # there are no more than vectors
            return f"PCAR{axes},IVF{_lists(count)},PQ{axes // 2}x4fsr,Refine(Flat)"
        even = f"Pad{dim + 1}," if dim % 2 else ""
        return f"{even}IVF{_lists(count)},PQ{(dim + 1) // 2}x4fsr,Refine(Flat)"


class IvfRabitq(_Lists):
    """1-bit RaBitQ codes after a random rotation, scanned by shuffles."""

    def factory(self, count: int, dim: int) -> str:
        return f"HR{dim},IVF{_lists(count)},RaBitQfs,Refine(Flat)"


class Hnsw(Faiss):
    """Its own graph, with hnswlib's parameters."""

    def factory(self, count: int, dim: int) -> str:
        del count, dim
        return f"HNSW{M}"

    def sweep(self) -> list[Setting]:
        return [{"efSearch": ef} for ef in EFS]

    def touched(self, vectors: Vectors, k: int) -> float:
        faiss.cvar.hnsw_stats.reset()
        self._index.search(vectors, k)
        return float(faiss.cvar.hnsw_stats.ndis) / len(vectors)

    def _fill(self, base: Vectors) -> None:
        self._index.hnsw.efConstruction = EF_CONSTRUCTION
        self.parameters += f", efConstruction={EF_CONSTRUCTION}"
        super()._fill(base)

    def _set(self, setting: Setting) -> None:
        self._index.hnsw.efSearch = int(setting["efSearch"])


class _All(Faiss):
    """A query is compared with every vector or its code."""

    def touched(self, vectors: Vectors, k: int) -> float:
        return int(self._index.ntotal)


class Lsh(_All):
    """The signs, about the medians, of random projections, four a dimension: IndexLSH, which compares all codes.

    The k_factor · k best are compared exactly.
    """

    def factory(self, count: int, dim: int) -> str:
        del count
        return f"LSH{min(1024, -(-4 * dim // 64) * 64)}rt,Refine(Flat)"

    def sweep(self) -> list[Setting]:
        return [{"k_factor": factor} for factor in LSH_FACTORS]

    def _fill(self, base: Vectors) -> None:
        self._index.train(base[:: -(-len(base) // BLOCK)])
        for start in range(0, len(base), BLOCK):
            self._index.add(base[start : start + BLOCK])

    def _set(self, setting: Setting) -> None:
        self._index.k_factor = setting["k_factor"]


class Flat(_All):
    """Exact; with ids of its own, since without them those behind one that is removed move up."""

    def factory(self, count: int, dim: int) -> str:
        del count, dim
        return "IDMap,Flat"

    def sweep(self) -> list[Setting]:
        return [{}]

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.add_with_ids(vectors, ids)

    def _fill(self, base: Vectors) -> None:
        self._index.add_with_ids(base, np.arange(len(base)))

    def _set(self, setting: Setting) -> None:
        """It has none."""


def _lists(count: int) -> int:
    return int(2 ** round(log2(max(4 * sqrt(count), 1))))


def _file(folder: str) -> str:
    return os.path.join(folder, "index.faiss")
