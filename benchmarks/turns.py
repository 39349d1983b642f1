"""Two builds of lookalike beside each other: is one slower?

    python benchmarks/turns.py OLD/bin/python NEW/bin/python                     # 300,000 made vectors
    python benchmarks/turns.py OLD/bin/python NEW/bin/python data/glove.hdf5     # of sets

Each interpreter has its own version installed. The old one makes an index; processes of both, and one more of the old
one, open the same file and answer the same queries in turns, twenty each, on one core. Of each query the fastest round
counts. A run begins with new processes; the old one beside itself shows what is chance.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from fresh import Vectors, made
from lookalike.bench.datasets import load
from lookalike.errors import LookalikeError
from making import say

BUILD = """
import sys, numpy as np, lookalike
index = lookalike.Index(np.load(sys.argv[1], mmap_mode="r").shape[1], sys.argv[2])
index.add(np.load(sys.argv[1]))
index.optimize()
index.save(sys.argv[3])
"""
ANSWER = """
import sys, time, numpy as np, lookalike
index, queries = lookalike.Index.open(sys.argv[1]), np.load(sys.argv[2])
best, at = np.full(len(queries), np.inf), 0
while sys.stdin.buffer.read(1):
    for _ in range(20):
        begin = time.perf_counter()
        index.search(queries[at], 10, threads=1)
        best[at] = min(best[at], time.perf_counter() - begin)
        at = (at + 1) % len(queries)
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
print(1e6 * best.mean())
"""
TURN = 20


def run(programs: list[tuple[str, str]], index: str, queries: str, turns: int) -> dict[str, float]:
    """Microseconds a query, of each program."""
    core = min(os.sched_getaffinity(0))
    processes = {
        name: subprocess.Popen(
            ["taskset", "-c", str(core), python, "-c", ANSWER, index, queries],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for name, python in random.sample(programs, len(programs))
    }
    for _ in range(turns):
        for process in random.sample(list(processes.values()), len(processes)):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b".")
            if not process.stdout.read(1):
                raise SystemExit("a process ended early; what it said stands above")
    return {name: float(process.communicate()[0]) for name, process in processes.items()}


def compare(base: Vectors, queries: Vectors, metric: str, arguments: argparse.Namespace) -> None:
    old, new = arguments.old, arguments.new
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("base.npy", "queries.npy", "index")]
        np.save(paths[0], base)
        np.save(paths[1], queries)
        subprocess.run([old, "-c", BUILD, paths[0], metric, paths[2]], check=True)
        programs = [("old", old), ("old again", old), ("new", new)]
        turns = arguments.rounds * len(queries) // TURN
        runs = [run(programs, paths[2], paths[1], turns) for _ in range(arguments.runs)]
    for name, _ in programs:
        ratios = [took[name] / took["old"] for took in runs]
        say(
            f"  {name}: best {min(took[name] for took in runs):.1f} µs, {statistics.median(ratios):.3f} × old "
            f"({min(ratios):.3f} to {max(ratios):.3f})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="an interpreter")
    parser.add_argument("new", help="another")
    parser.add_argument("sets", nargs="*", type=Path, help="HDF5 files; none: made ones")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=8)
    arguments = parser.parse_args()
    if min(arguments.queries, arguments.rounds, arguments.runs) < 1 or arguments.queries % TURN:
        parser.error(f"--queries, --rounds, --runs: expected at least 1, and queries in twenties ({TURN})")
    if not arguments.sets:
        say("500 clusters, euclidean, 300,000 × 96")
        compare(*made(300_000, arguments.queries, 96, 0, 500), "euclidean", arguments)
    for path in arguments.sets:
        try:
            dataset = load(path)
        except LookalikeError as error:
            raise SystemExit(str(error)) from None
        if dataset.distance == "jaccard":
            raise SystemExit(f"{path}: expected vectors; received sets")
        say(f"{dataset.name}, {dataset.distance}, {len(dataset.base):,} × {dataset.base.shape[1]}")
        compare(dataset.base, dataset.test.vectors[: arguments.queries], dataset.distance, arguments)


if __name__ == "__main__":
    main()
