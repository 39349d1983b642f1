"""voyager: hnswlib's graph as Spotify keeps it, https://github.com/spotify/voyager, with hnswlib's parameters."""

from __future__ import annotations

import os
from typing import Any

import voyager

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

M, EF_CONSTRUCTION = 16, 200
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280)


class Voyager(Competitor):
    distribution = "voyager"
    parameters = f"M={M}, ef_construction={EF_CONSTRUCTION}"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        space = voyager.Space.Euclidean if distance == "euclidean" else voyager.Space.InnerProduct
        self._index = voyager.Index(
            space, base.shape[1], M=M, ef_construction=EF_CONSTRUCTION, random_seed=1, max_elements=len(base)
        )
        self._index.add_items(base, num_threads=threads)

    def sweep(self) -> list[Setting]:
        return [{"query_ef": ef} for ef in EFS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._ef, self._threads = int(setting["query_ef"]), threads

    def query(self, query: Any, k: int) -> Any:
        return self._index.query(query, k, 1, max(self._ef, k))[0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.query(vectors, k, self._threads, max(self._ef, k))[0]

    def save(self, folder: str) -> None:
        self._index.save(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self._index = voyager.Index.load(_file(folder))

    def add(self, ids: Ids, vectors: Vectors) -> None:
        room, needed = self._index.max_elements, self._index.num_elements + len(ids)
        if needed > room:  # by itself it would make room for these alone, at the cost of a copy of everything
            self._index.resize(max(needed, room + room // 2))
        self._index.add_items(vectors, ids.tolist())

    def remove(self, ids: Ids) -> None:
        for label in ids.tolist():
            self._index.mark_deleted(label)


def _file(folder: str) -> str:
    return os.path.join(folder, "index.voyager")
