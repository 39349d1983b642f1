"""ScaNN: a tree of one level and anisotropic codes (Guo et al. 2020, arXiv 1908.10396), with SOAR (arXiv 2404.00774).

Two dimensions a block and a threshold of 0.2 as its documentation has them, with about 2 √n leaves as in its own
entry to ann-benchmarks. SOAR is for the inner product only; so is anisotropy. With SOAR, `delete` of version 1.4.2
ends the process; without, it works.
"""

from __future__ import annotations

from itertools import product
from math import sqrt
from typing import Any

import scann

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

LEAVES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
REORDERED = (30, 60, 100, 200, 400)


class Scann(Competitor):
    distribution = "scann"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        self._leaves = _leaves(len(base))
        self._soar = inner = distance == "cosine"
        builder = scann.scann_ops_pybind.builder(base, 10, "dot_product" if inner else "squared_l2")
        builder = builder.set_n_training_threads(threads).tree(
            num_leaves=self._leaves,
            num_leaves_to_search=10,
            training_sample_size=min(len(base), 250_000),
            soar_lambda=1.5 if inner else None,
            overretrieve_factor=2.0 if inner else None,
        )
        builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2 if inner else float("nan"))
        self._searcher = builder.reorder(100).build()
        self.parameters = f"{self._leaves} leaves, 2 dimensions a block" + (", SOAR λ = 1.5" if inner else "")

    def sweep(self) -> list[Setting]:
        leaves = sorted({min(n, self._leaves) for n in LEAVES})
        return [{"leaves_to_search": n, "pre_reorder_num_neighbors": r} for n, r in product(leaves, REORDERED)]

    def configure(self, setting: Setting, threads: int) -> None:
        self._searcher.set_num_threads(threads)
        self._asked, self._reordered = int(setting["leaves_to_search"]), int(setting["pre_reorder_num_neighbors"])

    def query(self, query: Any, k: int) -> Any:
        return self._searcher.search(query, k, max(k, self._reordered), self._asked)[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._searcher.search_batched_parallel(vectors, k, max(k, self._reordered), self._asked)[0]

    def save(self, folder: str) -> None:
        self._searcher.serialize(folder)

    def load(self, folder: str, shape: Shape) -> None:
        self._leaves, self._soar = _leaves(shape.count), shape.distance == "cosine"
        self._searcher = scann.scann_ops_pybind.load_searcher(folder)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._named().upsert(ids.tolist(), vectors)

    def remove(self, ids: Ids) -> None:
        if self._soar:
            raise CannotError("its delete ends the process where the index has SOAR")
        self._named().delete(ids.tolist())

    def _named(self) -> Any:
        """The searcher with ids of its own, which every search translates: it has none until it is changed."""
        if self._searcher.docids is None:
            names = list(range(self._searcher.size()))
            self._searcher = scann.scann_ops_pybind.ScannSearcher(self._searcher.searcher, names)
        return self._searcher


def _leaves(count: int) -> int:
    return max(1, round(2 * sqrt(count)))
