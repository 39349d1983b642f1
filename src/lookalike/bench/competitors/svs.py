"""SVS: the Vamana graph of scalable-vs, which is never required: that package has a licence of its own.

Over float32 vectors; and over vectors compressed by LVQ (Aguerrebere et al. 2023, arXiv 2304.04759) or, of many
dimensions, by LeanVec (Tepper et al. 2023, arXiv 2312.16335), both of which are for Intel's processors.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any

import svs

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.truth import Distance, Vectors

DEGREE, WINDOW = 64, 200
WINDOWS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)
MANY, KEPT = 512, 160
"""Of more dimensions than MANY, LeanVec searches in KEPT of them, as its authors do."""


class Svs(Competitor):
    distribution = "scalable-vs"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance  # of unit length, L2 ranks as the cosine does
        self._graph(base, "float32", threads)

    def _graph(self, vectors: Any, kind: str, threads: int) -> None:
        self.parameters = f"Vamana, graph_max_degree={DEGREE}, window_size={WINDOW}, {kind}"
        parameters = svs.VamanaBuildParameters(graph_max_degree=DEGREE, window_size=WINDOW)
        self._index = svs.Vamana.build(parameters, vectors, svs.DistanceType.L2, num_threads=threads)

    def sweep(self) -> list[Setting]:
        return [{"search_window_size": window} for window in WINDOWS]

    def configure(self, setting: Setting, threads: int) -> None:
        self._index.num_threads = threads
        self._index.search_window_size = int(setting["search_window_size"])

    def prepare(self, vectors: Vectors) -> Sequence[Any]:
        return [vectors[row : row + 1] for row in range(len(vectors))]

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k)[0][0]

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self._index.search(vectors, k)[0]

    def save(self, folder: str) -> None:
        self._index.save(*_parts(folder))

    def load(self, folder: str, shape: Shape) -> None:
        config, graph, data = _parts(folder)
        self._index = svs.Vamana(config, svs.GraphLoader(graph), svs.SerializedObject(data), svs.DistanceType.L2)


class SvsCompressed(Svs):
    """The graph is walked by 4 bits a dimension, what was found is ranked again with 8 more."""

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance
        if not _intel():
            raise CannotError("LVQ and LeanVec are for Intel's processors only")
        with tempfile.TemporaryDirectory(prefix="lookalike-bench-") as folder:
            path = os.path.join(folder, "base.fvecs")  # these loaders take files only
            svs.write_vecs(base, path)
            file = svs.VectorDataLoader(path, svs.DataType.float32, dims=base.shape[1])
            if base.shape[1] > MANY:
                kinds = {"primary_kind": svs.LeanVecKind.lvq4, "secondary_kind": svs.LeanVecKind.lvq8}
                self._graph(svs.LeanVecLoader(file, KEPT, **kinds), f"LeanVec4x8 of {KEPT} dimensions", threads)
            else:
                self._graph(svs.LVQLoader(file, primary=4, residual=8), "LVQ4x8", threads)


def _parts(folder: str) -> list[str]:
    return [os.path.join(folder, part) for part in ("config", "graph", "data")]


def _intel() -> bool:
    """Asked of Linux, the only system that the package is for."""
    with open("/proc/cpuinfo") as file:
        return "GenuineIntel" in file.read()
