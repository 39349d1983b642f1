"""Exact search beside the limits of the machine: reading the vectors, and multiplying matrices.

    python benchmarks/exact.py                     # 1,000,000 × 128
    python benchmarks/exact.py 51000 1280 --threads 1 --metric cosine

One query cannot be faster than its vectors come from memory, a batch not faster than the processor multiplies.
Beside exact search stand NumPy's sum of the same bytes, which only reads them, and the products of the vectors with
one query and with the batch by NumPy's BLAS, which find no neighbours. All take turns, and the best round of each
counts. BLAS hears how many threads it may use before NumPy is loaded: the script starts itself again for that.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lookalike import Index
from lookalike.metric import METRICS

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")


def best_times(works: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """The shortest time of each, in seconds; they take turns, so that what else the machine does hits all alike."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            begin = clock()
            work()
            best[name] = min(best[name], clock() - begin)
    return best


def measure(arguments: argparse.Namespace) -> None:
    n, dim, threads = arguments.n, arguments.dim, arguments.threads
    random = np.random.default_rng(0)
    vectors = random.standard_normal((n, dim), dtype=np.float32)
    queries = random.standard_normal((arguments.queries, dim), dtype=np.float32)
    index = Index(dim, arguments.metric, store=arguments.store)
    index.add(vectors)
    index.optimize()
    parts = np.array_split(vectors, threads)
    product = np.empty((len(queries), min(n, 100_000)), np.float32)  # as much as there is need for memory

    def multiply() -> None:
        for begin in range(0, n, product.shape[1]):
            some = vectors[begin : begin + product.shape[1]]
            np.matmul(queries, some.T, out=product[:, : len(some)])

    with ThreadPoolExecutor(threads) as pool:
        one: dict[str, Callable[[], object]] = {
            "exact": lambda: index.search(queries[0], 10, exact=True, threads=threads),
            "read": lambda: list(pool.map(np.sum, parts)) if threads > 1 else np.sum(vectors),
            "product": lambda: vectors @ queries[0],
        }
        many: dict[str, Callable[[], object]] = {
            "exact": lambda: index.search(queries, 10, exact=True, threads=threads),
            "product": multiply,
        }
        clock = time.process_time if arguments.processor else time.perf_counter
        one_times = best_times(one, 5 * arguments.rounds, clock)
        many_times = best_times(many, arguments.rounds, clock)

    gigabytes, products = vectors.nbytes / 1e9, n * dim * len(queries) / 1e9
    print(f"{n:,} x {dim} {arguments.metric}, store {index.store}, threads {threads}")
    for name, seconds in one_times.items():
        print(f"one query      {name:8}{1e3 * seconds:8.1f} ms {gigabytes / seconds:6.1f} GB/s  ", end="")
        print(f"exact takes {one_times['exact'] / seconds:.2f} x")
    for name, seconds in many_times.items():
        print(f"{len(queries):,} queries  {name:8}{seconds:8.2f} s  {products / seconds:6.1f} GMAC/s ", end="")
        print(f"exact takes {many_times['exact'] / seconds:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("n", type=int, nargs="?", default=1_000_000, help="vectors")
    parser.add_argument("dim", type=int, nargs="?", default=128, help="dimensions")
    parser.add_argument("--queries", type=int, default=1000, help="in the batch")
    parser.add_argument("--metric", choices=[each for each in METRICS if each != "hamming"], default="euclidean")
    parser.add_argument("--store", choices=["float32", "float16"], default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="of the batch; five times as many of one query")
    parser.add_argument("--processor", action="store_true", help="processor time, on a machine that is not idle")
    arguments = parser.parse_args()
    wanted = dict.fromkeys(BLAS_THREADS, str(arguments.threads))
    if any(os.environ.get(name) != value for name, value in wanted.items()):
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=os.environ | wanted, check=False).returncode)
    measure(arguments)


if __name__ == "__main__":
    main()
