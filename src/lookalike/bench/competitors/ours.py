"""lookalike itself, by what anyone may call: `add`, `optimize`, `search(recall=)`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors
from lookalike.index import Index
from lookalike.index.explanation import Explanation
from lookalike.index.store import Store
from lookalike.metric import Metric

RECALLS = (0.5, 0.7, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 0.999, 0.9995)
COMPARED = ("scan", "compare")
"""The stages of a search that meet a vector first; those after them look again at some of the same."""


class Lookalike(Competitor):
    """`index` is there once it is built."""

    distribution = "lookalike"

    def __init__(self, store: Store = "float32") -> None:
        self._store = store

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del threads  # it takes the cores there are
        self.index = Index(base.shape[1], cast(Metric, distance), store=self._store)
        self.index.add(base)
        self.index.optimize()
        self.parameters = repr(self.index)

    def sweep(self) -> list[Setting]:
        return [{"recall": recall} for recall in RECALLS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._recall, self._threads = setting["recall"], threads

    def query(self, query: Any, k: int) -> Any:
        return self.index.search(query, k, recall=self._recall, threads=self._threads).ids

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self.index.search(vectors, k, recall=self._recall, threads=self._threads).ids

    def touched(self, vectors: Vectors, k: int) -> float:
        """By their sketches, and those that no bucket holds."""
        return compared([self.index.explain(vector, k, recall=self._recall) for vector in vectors])

    def save(self, folder: str) -> None:
        self.index.save(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self.index = Index.open(_file(folder))

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self.index.add(vectors, ids)

    def remove(self, ids: Ids) -> None:
        self.index.remove(ids)


def compared(searches: Sequence[Explanation]) -> float:
    """With how many vectors or codes a search meets, in the mean."""
    return sum(stage.count for one in searches for stage in one.stages if stage.name in COMPARED) / len(searches)


def _file(folder: str) -> str:
    return os.path.join(folder, "index.lookalike")
