"""A tiny data set, and how to measure it in a moment."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from lookalike.bench.datasets import Dataset, Queries
from lookalike.bench.runner import Plan
from lookalike.bench.truth import Distance, exact_neighbors

LIBRARIES = {"symphonyqg": "rabitqlib", "rabitq-ivf": "rabitqlib", "svs-lvq": "svs"}
LIBRARIES |= {f"faiss-{kind}": "faiss" for kind in ("hnsw", "ivfpq", "rabitq", "lsh", "flat")}
LIBRARIES |= {f"sklearn-{kind}": "sklearn" for kind in ("tree", "brute")}
LIBRARIES |= {f"brute-{kind}": "threadpoolctl" for kind in ("numpy", "pairs")}
DIM = 64  # the least that rabitqlib takes
PLAN = Plan(k=5, rounds=2, threads=1, single=20)


def installed(name: str) -> bool:
    if find_spec(LIBRARIES.get(name, name)) is None:
        return False
    # On processors that are not Intel's the library of this one ends the process.
    return name != "svs-lvq" or "GenuineIntel" in Path("/proc/cpuinfo").read_text()


def tiny(distance: Distance, count: int = 1000) -> Dataset:
    random = np.random.default_rng(1)
    base, queries = (random.standard_normal((n, DIM)).astype(np.float32) for n in (count, 40))
    data = Dataset("tiny", distance, base, Queries(queries, *exact_neighbors(base, queries, distance, 10)))
    return data.unit()
