"""hnswlib: a navigable graph (Malkov & Yashunin 2016, arXiv 1603.09320), M and efConstruction as in its README."""

from __future__ import annotations

import os
from typing import Any

import hnswlib

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

M, EF_CONSTRUCTION = 16, 200
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280)


class Hnswlib(Competitor):
    distribution = "hnswlib"
    parameters = f"M={M}, ef_construction={EF_CONSTRUCTION}"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        self._index = _empty(distance, base.shape[1])
        self._index.init_index(len(base), M=M, ef_construction=EF_CONSTRUCTION, random_seed=0)
        self._index.add_items(base, num_threads=threads)

    def sweep(self) -> list[Setting]:
        return [{"ef": ef} for ef in EFS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._index.set_ef(int(setting["ef"]))
        self._threads = threads

    def query(self, query: Any, k: int) -> Any:
        return self._index.knn_query(query, k, num_threads=1)[0][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.knn_query(vectors, k, num_threads=self._threads)[0]

    def save(self, folder: str) -> None:
        self._index.save_index(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self._index = _empty(shape.distance, shape.dim)
        self._index.load_index(_file(folder))

    def add(self, ids: Ids, vectors: Vectors) -> None:
        room, needed = self._index.get_max_elements(), self._index.get_current_count() + len(ids)
        if needed > room:  # which costs a copy of everything, so rarely
            self._index.resize_index(max(needed, room + room // 2))
        self._index.add_items(vectors, ids)

    def remove(self, ids: Ids) -> None:
        for label in ids.tolist():
            self._index.mark_deleted(label)


def _empty(distance: Distance, dim: int) -> Any:
    return hnswlib.Index("l2" if distance == "euclidean" else "ip", dim)


def _file(folder: str) -> str:
    return os.path.join(folder, "index.hnswlib")
