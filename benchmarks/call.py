"""What calling a search from Python costs beside the search itself.

    python benchmarks/call.py

An index of 100 vectors, all of which are compared, and one query of float32. Microseconds of the call by its default
arguments, and with k, recall and threads given; of the same search repeated inside the C++ core; of the rest of the
dearer call, which is Python's share; and of hnswlib's call for the same, if it is installed (ef = 10, one thread). All
take turns, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from lookalike import Index
from lookalike.index.arguments import DEFAULT_RECALL

VECTORS, K = 100, 10


def peer_of(vectors: Any, metric: str) -> Any:
    """hnswlib's own index of the vectors; None where it is not installed."""
    try:
        import hnswlib
    except ImportError:
        return None
    peer = hnswlib.Index("ip" if metric == "cosine" else "l2", vectors.shape[1])
    peer.init_index(len(vectors))
    peer.add_items(vectors)
    peer.set_ef(K)
    return peer


def measure(dim: int, metric: str, rounds: int, times: int) -> dict[str, float]:
    """Microseconds of each."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((VECTORS + 1, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # as hnswlib wants them
    query = vectors[-1].copy()
    index = Index(dim, metric)  # type: ignore[arg-type]
    index.add(vectors[:-1])
    peer = peer_of(vectors[:-1], metric)
    names = {"index": index, "query": query, "peer": peer}

    def timed(statement: str) -> Callable[[], float]:
        timer = timeit.Timer(statement, globals=names)
        return lambda: timer.timeit(times) / times

    ways: dict[str, Callable[[], float]] = {
        "call": timed("index.search(query)"),
        "with options": timed(f"index.search(query, k={K}, recall=0.9, threads=1)"),
        "core": lambda: index._core.seconds_of_search(query, K, DEFAULT_RECALL, times),
    }
    if peer is not None:
        ways["hnswlib"] = timed(f"peer.knn_query(query, {K}, num_threads=1)")
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, seconds in ways.items():
            best[name] = min(best[name], 1e6 * seconds())
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dim", type=int, nargs="+", default=[100, 128, 1280])
    parser.add_argument("--metric", choices=["cosine", "euclidean"], default="cosine")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--times", type=int, default=5000, help="calls in a round")
    arguments = parser.parse_args()
    print("microseconds  call  with options  core  Python's share  hnswlib")
    for dim in arguments.dim:
        best = measure(dim, arguments.metric, arguments.rounds, arguments.times)
        peer = f"{best['hnswlib']:.2f}" if "hnswlib" in best else "–"
        print(
            f"{dim:>12}{best['call']:6.2f}{best['with options']:14.2f}{best['core']:6.2f}"
            f"{max(best['call'], best['with options']) - best['core']:16.2f}{peer:>9}"
        )


if __name__ == "__main__":
    main()
