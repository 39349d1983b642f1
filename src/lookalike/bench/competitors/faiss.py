"""faiss: inverted lists of product-quantised codes or of RaBitQ's, and a graph (Douze et al. 2024, arXiv 2401.08281).

Built by its own index factory, with about 4 √n lists, as its guidelines say. Vectors of unit length are compared by L2,
which ranks as the cosine does and lets the codes be of residuals.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import product
from math import log2, sqrt
from typing import Any

import faiss

from lookalike.bench.competitors.competitor import Competitor, Setting
from lookalike.bench.truth import Distance, Vectors

PROBES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
FACTORS = (2, 5, 10, 20, 50)
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280)
M, EF_CONSTRUCTION = 16, 200


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
        self._before(self._index)
        self._index.train(base)
        self._index.add(base)

    def configure(self, setting: Setting, threads: int) -> None:
        faiss.omp_set_num_threads(threads)
        self._set(setting)

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k)[1][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search(vectors, k)[1]

    def _before(self, index: Any) -> None:
        """What the factory's words cannot say."""

    @abstractmethod
    def _set(self, setting: Setting) -> None:
        """The search parameters of one setting."""


class _Lists(Faiss):
    """Inverted lists, their best candidates compared exactly: nprobe lists, k_factor · k candidates."""

    def sweep(self) -> list[Setting]:
        probes = [n for n in PROBES if n <= faiss.extract_index_ivf(self._index.base_index).nlist]
        return [{"nprobe": n, "k_factor": f} for n, f in product(probes, FACTORS)]

    def _set(self, setting: Setting) -> None:
        faiss.extract_index_ivf(self._index.base_index).nprobe = int(setting["nprobe"])
        self._index.k_factor = setting["k_factor"]


class IvfPq(_Lists):
    """4-bit codes of every two dimensions, scanned by shuffles (FastScan); of 256 principal axes beyond 512."""

    def factory(self, count: int, dim: int) -> str:
        if dim > 512:
            return f"PCAR256,IVF{_lists(count)},PQ128x4fsr,Refine(Flat)"
        return f"IVF{_lists(count)},PQ{dim // 2}x4fsr,RFlat"


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

    def _before(self, index: Any) -> None:
        index.hnsw.efConstruction = EF_CONSTRUCTION
        self.parameters += f", efConstruction={EF_CONSTRUCTION}"

    def _set(self, setting: Setting) -> None:
        self._index.hnsw.efSearch = int(setting["efSearch"])


def _lists(count: int) -> int:
    return int(2 ** round(log2(max(4 * sqrt(count), 1))))
