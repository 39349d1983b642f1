"""SVS: the Vamana graph (Aguerrebere et al. 2023, arXiv 2304.04759) of scalable-vs, which is never required.

That package has a licence of its own. Its compression LVQ is for Intel's processors; here the graph is over float32
vectors, which run anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import svs

from lookalike.bench.competitors.competitor import Competitor, Setting
from lookalike.bench.truth import Distance, Vectors

DEGREE, WINDOW = 64, 200
WINDOWS = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640)


class Svs(Competitor):
    distribution = "scalable-vs"
    parameters = f"Vamana, graph_max_degree={DEGREE}, window_size={WINDOW}, float32"

    def build(self, base: Vectors, distance: Distance, threads: int) -> None:
        del distance  # of unit length, L2 ranks as the cosine does
        parameters = svs.VamanaBuildParameters(graph_max_degree=DEGREE, window_size=WINDOW)
        self._index = svs.Vamana.build(parameters, base, svs.DistanceType.L2, num_threads=threads)

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
