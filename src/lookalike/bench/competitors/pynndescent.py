"""PyNNDescent: a graph made by nearest-neighbour descent (Dong, Moses & Li 2011).

https://github.com/lmcinnes/pynndescent; its own defaults, 30 neighbours, with ε swept over the range that its
documentation names. Vectors of unit length are compared by the Euclidean distance, which ranks as the cosine does. A
copy that shares the graph answers batches: one index has either the quick call for one query or threads.

numba compiles it when it is first used, which is no part of building an index: that is done when this is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numba
import numpy as np
from pynndescent import NNDescent

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting
from lookalike.bench.truth import Distance, Ids, Vectors

EPSILONS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
NEIGHBORS = 30


class Pynndescent(Competitor):
    distribution = "pynndescent"
    parameters = f"n_neighbors={NEIGHBORS}"

    def __init__(self) -> None:
        self.build(np.random.default_rng(1).random((1000, 16), np.float32), "euclidean", 1)
        for query in (self.query, self.query_batch):
            self.configure({"epsilon": 0.1}, 1)
            query(np.zeros((1, 16), np.float32), 10)

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance
        self._index = NNDescent(base, metric="euclidean", n_neighbors=NEIGHBORS, random_state=1, n_jobs=threads)
        self._prepare()

    def sweep(self) -> list[Setting]:
        return [{"epsilon": epsilon} for epsilon in EPSILONS]

    def configure(self, setting: Setting, threads: int) -> None:
        numba.set_num_threads(threads)
        self._epsilon = setting["epsilon"]

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def query(self, query: Any, k: int) -> Any:
        return self._index.query_indices(query, k, self._epsilon)[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._batches.query_indices(vectors, k, self._epsilon)

    def save(self, folder: str) -> None:
        raise CannotError("it is kept by pickle only, which runs what it reads")

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.update(xs_fresh=vectors)
        self._prepare()

    def remove(self, ids: Ids) -> None:
        raise CannotError("it adds and replaces vectors, but removes none")

    def _prepare(self) -> None:
        self._index.prepare()
        self._index.parallel_batch_queries = True
        self._batches = copy(self._index)
        self._index.parallel_batch_queries = False
