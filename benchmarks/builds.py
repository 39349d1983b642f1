"""How long an index takes to build, and the memory that takes, beside the peers, in few dimensions and in many.

    python benchmarks/builds.py
    python benchmarks/builds.py --made 1000000x128 --competitors lookalike hnswlib --rounds 1

Vectors are made: clusters, and above 320 dimensions 64 hidden ones, as in `turns.py`. All compare by Euclidean
distance with the parameters of `lookalike bench`, on all cores, each in a process of its own. They take turns, and the
fastest round of each counts. Memory is what building took at most, the vectors that were handed over among it.
"""

from __future__ import annotations

import argparse
import os
import tempfile

from lookalike.bench import handed
from lookalike.bench.child import Build, Built, Failed, Work
from lookalike.bench.competitors import OURS, as_names
from lookalike.bench.machine import machine
from lookalike.bench.process import Process
from lookalike.bench.report import markdown
from making import say
from turns import made_of_size, size

SIZES = ["100000x128", "30000x1280", "10000x4096"]
PEERS = [OURS, "svs-lvq", "scann", "symphonyqg", "faiss-ivfpq", "hnswlib"]
LIMIT = 600.0
"""Seconds for one build."""


def build(name: str, path: str) -> Built | Failed:
    process = Process(name, Work(path, path, "euclidean", 10, os.cpu_count() or 1))
    try:
        return process.ask(Build(), LIMIT)
    finally:
        process.stop()


def row(name: str, builds: list[Built | Failed], ours: float) -> list[str]:
    built = [each for each in builds if isinstance(each, Built)]
    if not built:
        return [name, next(each.reason for each in builds if isinstance(each, Failed)), "", "", ""]
    seconds = [each.seconds for each in built]
    best = min(seconds)
    spread = f"± {max(seconds) / best - 1:.0%}" if len(seconds) > 1 else ""
    memory = f"{min(each.peak for each in built) / 1e6:,.0f} MB"
    return [f"{name} {built[0].version}", f"{best:.1f} s {spread}", f"{best / ours:.2f}", memory, built[0].parameters]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--made", nargs="+", type=size, default=[size(each) for each in SIZES], metavar="COUNTxDIM")
    parser.add_argument("--competitors", nargs="+", default=PEERS, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    names = as_names([OURS, *arguments.competitors])
    print(machine(), flush=True)
    for count, dim in arguments.made:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "base.npy")
            handed.save(path, made_of_size(count, 1, dim)[0])
            builds: dict[str, list[Built | Failed]] = {name: [] for name in names}
            for turn in range(arguments.rounds):
                for name in names:
                    if turn and isinstance(builds[name][-1], Failed):
                        continue
                    builds[name].append(build(name, path))
                    say(f"{count:,} × {dim}, round {turn + 1}: {name}")
        ours = min((each.seconds for each in builds[OURS] if isinstance(each, Built)), default=float("nan"))
        titles = [f"{count:,} × {dim}", "build", "of ours", "memory", "parameters"]
        print(f"\n{markdown([titles, *(row(name, each, ours) for name, each in builds.items())])}", flush=True)


if __name__ == "__main__":
    main()
