"""How long single searches take beside other work on the same index: p50, p99 and the longest.

    python benchmarks/beside.py                       # 300,000 × 96, 15 seconds of each kind of work
    python benchmarks/beside.py --seconds 300 --only alone adds

One thread searches for a new query every millisecond while others work: batches compared with every vector while an
add comes in, adds, removals, sealing, saving, all of these. Each kind of work begins with an index just opened from
one file. Milliseconds; *first* and *last* are the medians of the first and the last fifth of the time, which tell
whether anything grows. What a search takes by itself is asked for between all others, in rounds, and the best round
counts; the vectors are drawn from 500 Gaussians.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike import Index

K = 10
EVERY = 0.001  # seconds between two searches
BATCH, BATCHES_PER_SECOND = 100, 100  # 10,000 vectors are added in a second
REMOVED_PER_SECOND = 2000

Vectors = NDArray[np.float32]
Work = Callable[[Index, Vectors, threading.Event, str], None]


def drawn(count: int, dim: int, seed: int) -> Vectors:
    """Vectors around 500 means, each with a spread of its own along each axis."""
    shared, random = np.random.default_rng(0), np.random.default_rng(seed)
    means = shared.standard_normal((500, dim), np.float32)
    spreads = shared.gamma(0.5, 1.0, (500, dim)).astype(np.float32)
    of = random.integers(500, size=count)
    vectors: Vectors = means[of] + spreads[of] * random.standard_normal((count, dim), np.float32)
    return vectors


def paced(stop: threading.Event, per_second: float, step: Callable[[int], object]) -> None:
    """Takes steps at a rate; where one took too long, the next follow at once, so that on average none is left out."""
    begin = time.perf_counter()
    for number in itertools.count():
        if stop.wait(max(0.0, begin + number / per_second - time.perf_counter())):
            return
        step(number)


def exact_batches(index: Index, vectors: Vectors, stop: threading.Event, _: str) -> None:
    while not stop.is_set():
        waiting = threading.Timer(0.1, lambda: index.add(vectors[0]))
        waiting.start()
        index.search(vectors[:1000], K, exact=True, threads=1)
        waiting.join()


def adds(index: Index, vectors: Vectors, stop: threading.Event, _: str) -> None:
    def add(number: int) -> None:
        begin = number * BATCH % (len(vectors) - BATCH)
        index.add(vectors[begin : begin + BATCH])

    paced(stop, BATCHES_PER_SECOND, add)


def removals(index: Index, _: Vectors, stop: threading.Event, __: str) -> None:
    ids = np.random.default_rng(1).permutation(index.ids[: len(index) // 2])
    paced(stop, REMOVED_PER_SECOND, lambda number: index.remove(ids[number : number + 1]))


def sealing(index: Index, vectors: Vectors, stop: threading.Event, _: str) -> None:
    while not stop.is_set():
        index.add(vectors[:1000])
        index.optimize()


def saving(index: Index, vectors: Vectors, stop: threading.Event, folder: str) -> None:
    for number in itertools.count():
        if stop.is_set():
            return
        index.add(vectors[number % len(vectors)])
        index.save(Path(folder) / "copy.index")


WORK: dict[str, list[Work]] = {
    "alone": [],
    "exact batches": [exact_batches],
    "adds": [adds],
    "removals": [removals],
    "sealing": [sealing],
    "saving": [saving],
    "all": [exact_batches, adds, removals, saving],
}


def searched(index: Index, queries: Vectors, seconds: float) -> NDArray[np.float64]:
    """What each search took, in milliseconds."""
    took: list[float] = []
    stop = threading.Event()

    def search(number: int) -> None:
        query = queries[number % len(queries)]
        begin = time.perf_counter()
        index.search(query, K, threads=1)
        took.append(1e3 * (time.perf_counter() - begin))
        if time.perf_counter() >= end:
            stop.set()
        stop.wait(EVERY)

    end = time.perf_counter() + seconds
    paced(stop, 1 / EVERY, search)
    return np.array(took)


def measure(path: str, work: list[Work], more: Vectors, queries: Vectors, seconds: float) -> NDArray[np.float64]:
    """What single searches take beside some work."""
    index = Index.open(path)
    searched(index, queries, 0.5)  # what is mapped is read
    stop = threading.Event()
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder, ExitStack() as stack:
        for each in work:
            thread = threading.Thread(target=each, args=(index, more, stop, folder))
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        return searched(index, queries, seconds)


def row(name: str, took: NDArray[np.float64]) -> str:
    fifth = max(1, len(took) // 5)
    figures: list[Any] = [*np.quantile(took, [0.5, 0.99]), took.max(), *map(np.median, (took[:fifth], took[-fifth:]))]
    return f"{name:<15}{len(took):>9,}" + "".join(f"{each:>9.3f}" for each in figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--dim", type=int, default=96)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK), metavar="WORK", help=", ".join(WORK))
    arguments = parser.parse_args()
    vectors = drawn(arguments.count, arguments.dim, 1)
    more, queries = drawn(200_000, arguments.dim, 2), drawn(10_000, arguments.dim, 3)
    with tempfile.TemporaryDirectory() as folder:
        index = Index(arguments.dim, "euclidean")
        index.add(vectors)
        path = str(Path(folder) / "first.index")
        index.save(path)
        del index, vectors
        print(f"{'beside':<15}{'searches':>9}{'p50':>9}{'p99':>9}{'longest':>9}{'first':>9}{'last':>9}")
        for name in arguments.only:
            print(row(name, measure(path, WORK[name], more, queries, arguments.seconds)), flush=True)


if __name__ == "__main__":
    main()
