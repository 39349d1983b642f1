"""A search beside fresh vectors, as a ratio to one of the same vectors sealed: what an `add` costs whoever searches.

    python benchmarks/fresh.py                         # 16,000 fresh beside 300,000, three made sets
    python benchmarks/fresh.py data/glove.hdf5         # of a set

Both indexes hold the same vectors and are asked in turns, a hundred queries each, one query after the other. Of each
query the fastest round counts: a shared machine is slower for a while, never faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

import lookalike
from lookalike.bench.datasets import load
from lookalike.errors import LookalikeError
from lookalike.index import Filter
from lookalike.metric import Metric
from making import say

Vectors = npt.NDArray[np.float32]
ADDED, TURN, K = 16, 100, 10
MOST = 16_384
"""More fresh vectors are sealed in the background."""


def made(count: int, queries: int, dim: int, hidden: int, clusters: int) -> tuple[Vectors, Vectors]:
    """Gaussians around `clusters` centres, or of `hidden` dimensions in `dim` with some noise."""
    random = np.random.default_rng(1)
    rows = count + queries
    if clusters:
        centres = 3 * random.standard_normal((clusters, dim), np.float32)
        drawn = centres[random.integers(clusters, size=rows)] + random.standard_normal((rows, dim), np.float32)
    else:
        drawn = random.standard_normal((rows, hidden), np.float32) @ random.standard_normal((hidden, dim), np.float32)
        drawn += 0.1 * random.standard_normal((rows, dim), np.float32)
    return drawn[:count], drawn[count:]


def load_vectors(path: Path) -> tuple[str, Metric, Vectors, Vectors]:
    """Name, metric, base and queries of a data set; ends the program where it is none of vectors."""
    try:
        dataset = load(path)
    except LookalikeError as error:
        raise SystemExit(str(error)) from None
    if dataset.distance == "jaccard":
        raise SystemExit(f"{path}: expected vectors; received sets")
    return dataset.name, dataset.distance, dataset.base, dataset.test.vectors


def sets(arguments: argparse.Namespace) -> Iterator[tuple[str, Metric, Vectors, Vectors]]:
    """Name, metric, base, queries."""
    count = arguments.rows + arguments.fresh
    for path in arguments.sets:
        name, metric, base, queries = load_vectors(path)
        if len(base) < count:
            raise SystemExit(f"{path}: expected {count:,} vectors; received {len(base):,} (--rows)")
        yield name, metric, base[:count], queries[: arguments.queries]
    if arguments.sets:
        return
    for name, hidden, clusters in [("500 clusters", 0, 500), ("10 dimensions", 10, 0), ("20 dimensions", 20, 0)]:
        yield name, "euclidean", *made(count, arguments.queries, arguments.dim, hidden, clusters)


def time_once(best: npt.NDArray[np.float64], index: lookalike.Index, queries: Vectors, only: Filter | None) -> None:
    """Asks each query once, and lowers its best time, in seconds, where this was faster."""
    for i, query in enumerate(queries):
        begin = time.perf_counter()
        index.search(query, K, filter=only, threads=1)
        best[i] = min(best[i], time.perf_counter() - begin)


def compare(base: Vectors, queries: Vectors, metric: Metric, arguments: argparse.Namespace) -> Iterator[str]:
    sealed, mixed = (lookalike.Index(base.shape[1], metric) for _ in range(2))
    sealed.add(base)
    sealed.optimize()
    rows = len(base) - arguments.fresh
    mixed.add(base[:rows])
    mixed.optimize()
    for begin in range(rows, len(base), ADDED):
        mixed.add(base[begin : begin + ADDED])
    keep = np.random.default_rng(2).random(len(base))
    for name, share in [("all", 1.0), ("half may be found", 0.5), ("a tenth", 0.1)]:
        filters = [index.filter(keep < share) if share < 1.0 else None for index in (sealed, mixed)]
        best = np.full((2, len(queries)), np.inf)
        for _ in range(arguments.rounds):
            for begin in range(0, len(queries), TURN):
                part = slice(begin, begin + TURN)
                for which, index in enumerate((sealed, mixed)):
                    time_once(best[which, part], index, queries[part], filters[which])
        took = 1e6 * best.mean(axis=1)
        yield f"{name}: sealed {took[0]:.1f} µs, beside fresh ones {took[1]:.1f}: {took[1] / took[0]:.2f} ×"
    exact = mixed.search(queries, K, exact=True).ids
    found = mixed.search(queries, K).ids
    recall = np.mean([np.isin(a, b).mean() for a, b in zip(found, exact, strict=True)])
    yield f"recall beside fresh ones {recall:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="HDF5 files; none: made ones")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--fresh", type=int, default=16_000)
    parser.add_argument("--dim", type=int, default=96, help="of the made ones")
    parser.add_argument("--queries", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    if not 0 < arguments.fresh < MOST:
        parser.error(f"--fresh: expected 1 to {MOST - 1}; received {arguments.fresh}")
    if min(arguments.rows, arguments.dim, arguments.queries, arguments.rounds) < 1:
        parser.error("--rows, --dim, --queries, --rounds: expected at least 1")
    for name, metric, base, queries in sets(arguments):
        say(f"{name}, {metric}, {len(base) - arguments.fresh:,} × {base.shape[1]} and {arguments.fresh:,} fresh")
        for line in compare(base, queries, metric, arguments):
            say(f"  {line}")


if __name__ == "__main__":
    main()
