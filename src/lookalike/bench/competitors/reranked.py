"""What methods of sets have in common that find candidates by hashes: these are then compared exactly."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import Any

import numpy as np

from lookalike.bench import handed
from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.sets import Sets, concatenated, nearest
from lookalike.bench.truth import Distance, Ids, Rows

FACTORS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""So many times as many candidates as neighbours are asked for."""


class Reranked(Competitor):
    """Keeps the sets; what `candidates` gives is compared with the query by Jaccard's distance."""

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        self._base: Sets = base
        self._added = base[:0]  # apart, so that adding one does not copy all

    def sweep(self) -> list[Setting]:
        return [{"factor": factor} for factor in FACTORS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._factor, self._threads = int(setting["factor"]), threads

    @abstractmethod
    def candidates(self, query: Any, k: int) -> Ids:
        """Rows that may be among the k nearest ones, at the setting that was configured."""

    def query(self, query: Any, k: int) -> Any:
        return self.reranked(query, self.candidates(query, k), k)

    def query_batch(self, vectors: Rows, k: int) -> Any:
        return [self.query(query, k) for query in vectors]

    def touched(self, vectors: Rows, k: int) -> float:
        return sum(len(self.candidates(query, k)) for query in vectors) / len(vectors)

    def save(self, folder: str) -> None:
        handed.save(os.path.join(folder, "sets.npz"), concatenated([self._base, self._added]))

    def load(self, folder: str, shape: Shape) -> None:
        self._base = handed.load(os.path.join(folder, "sets.npz"))
        self._added = self._base[:0]

    def add(self, ids: Ids, vectors: Rows) -> None:
        self._added = concatenated([self._added, vectors])

    def reranked(self, query: Any, rows: Ids, k: int) -> Ids:
        """The k nearest of these rows."""
        count = len(self._base)
        distances = np.empty(len(rows))
        for some, sets, first in ((rows < count, self._base, 0), (rows >= count, self._added, count)):
            if some.any():
                distances[some] = sets.distances(query, rows[some] - first)
        return rows[nearest(distances, k)]
