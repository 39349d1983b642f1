"""A tiny data set, and how to measure it in a moment."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.bench.datasets import Dataset, Queries
from lookalike.bench.runner import Plan
from lookalike.bench.sets import as_sets
from lookalike.bench.truth import Distance, exact_neighbors

LIBRARIES = {"symphonyqg": "rabitqlib", "rabitq-ivf": "rabitqlib", "svs-lvq": "svs"}
LIBRARIES |= {f"faiss-{kind}": "faiss" for kind in ("hnsw", "ivfpq", "rabitq", "lsh", "flat")}
LIBRARIES |= {f"sklearn-{kind}": "sklearn" for kind in ("tree", "brute")}
LIBRARIES |= {f"brute-{kind}": "threadpoolctl" for kind in ("numpy", "pairs")}
LIBRARIES |= {f"datasketch-{kind}": "datasketch" for kind in ("forest", "lsh")}
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


def tiny_sets(count: int = 600) -> Dataset:
    """Sets around some that share little with each other; every one has near neighbours, and none like it exactly."""
    random = np.random.default_rng(4)
    centres = [random.choice(2000, random.integers(20, 60), replace=False) for _ in range(count // 30)]
    every = [_near(centres[row % len(centres)], random) for row in range(count + 40)]
    sizes = np.array([len(items) for items in every])
    [sets] = as_sets((np.concatenate(every), sizes))
    base, queries = sets[:count], sets[count:]
    return Dataset("sets", "jaccard", base, Queries(queries, *exact_neighbors(base, queries, "jaccard", 10)))


def _near(centre: npt.NDArray[np.int64], random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Most of the items of a set, and a few others."""
    kept = centre[random.random(len(centre)) < random.uniform(0.5, 1)]
    return np.concatenate([kept, random.integers(0, 2000, 3)])
