"""usearch: a navigable graph, https://github.com/unum-cloud/usearch, with hnswlib's parameters."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from usearch.index import Index

from lookalike.bench.competitors.competitor import Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Ids, Vectors

M, EF_CONSTRUCTION = 16, 200
EFS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280)


class Usearch(Competitor):
    distribution = "usearch"
    parameters = f"connectivity={M}, expansion_add={EF_CONSTRUCTION}"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        self._index: Any = Index(  # typed as if its expansion could not be set
            ndim=base.shape[1],
            metric="l2sq" if distance == "euclidean" else "ip",
            dtype="f32",
            connectivity=M,
            expansion_add=EF_CONSTRUCTION,
        )
        self._index.add(np.arange(len(base)), base, threads=threads)

    def sweep(self) -> list[Setting]:
        return [{"expansion_search": ef} for ef in EFS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._index.expansion_search = int(setting["expansion_search"])
        self._threads = threads

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k, threads=1).keys

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search(vectors, k, threads=self._threads).keys.reshape(len(vectors), -1)  # flat for one

    def touched(self, vectors: Vectors, k: int) -> float:
        return int(self._index.search(vectors, k).computed_distances) / len(vectors)

    def save(self, folder: str) -> None:
        self._index.save(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        self._index = Index.restore(_file(folder), view=True)  # memory-mapped

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._index.add(ids, vectors)

    def remove(self, ids: Ids) -> None:
        self._index.remove(ids)


def _file(folder: str) -> str:
    return os.path.join(folder, "index.usearch")
