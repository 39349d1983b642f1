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

from fresh import Vectors, load_vectors, made
from making import say

BUILD = """
import sys, numpy as np, lookalike
index = lookalike.Index(np.load(sys.argv[1], mmap_mode="r").shape[1], sys.argv[2])
index.add(np.load(sys.argv[1]))
index.optimize()
index.save(sys.argv[3])
"""
ANSWER = """
import os, sys, time, numpy as np, lookalike
os.sched_setaffinity(0, {int(sys.argv[3])})
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


def build_of(python: str) -> str:
    """Where the lookalike of an interpreter is."""
    code = "import lookalike; print(lookalike.__file__)"
    try:
        return subprocess.run([python, "-I", "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit(f"{python}: expected an interpreter with lookalike installed") from None


def run(programs: list[tuple[str, str]], index: str, queries: str, turns: int) -> dict[str, float]:
    """Microseconds a query, of each program."""
    core = str(min(os.sched_getaffinity(0)))
    processes = {}
    try:
        for name, python in random.sample(programs, len(programs)):
            command = [python, "-I", "-c", ANSWER, index, queries, core]
            processes[name] = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        pipes = [(process.stdin, process.stdout) for process in processes.values()]
        for _ in range(turns):
            for ask, answer in random.sample(pipes, len(pipes)):
                assert ask is not None
                assert answer is not None
                ask.write(b".")
                if not answer.read(1):
                    raise BrokenPipeError
        return {name: float(process.communicate()[0]) for name, process in processes.items()}
    except BrokenPipeError:
        raise SystemExit("a process ended early; what it said stands above") from None
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def compare(base: Vectors, queries: Vectors, metric: str, arguments: argparse.Namespace) -> None:
    old, new = arguments.old, arguments.new
    queries = queries[: len(queries) // TURN * TURN]
    if not len(queries):
        raise SystemExit(f"expected at least {TURN} queries")
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("base.npy", "queries.npy", "index")]
        np.save(paths[0], base)
        np.save(paths[1], queries)
        if subprocess.run([old, "-I", "-c", BUILD, paths[0], metric, paths[2]], check=False).returncode:
            raise SystemExit("the old build made no index; what it said stands above")
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
    parser.add_argument("old", help="the interpreter of one build")
    parser.add_argument("new", help="that of another")
    parser.add_argument("sets", nargs="*", type=Path, help="HDF5 files; none: made ones")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=8)
    arguments = parser.parse_args()
    if min(arguments.queries // TURN, arguments.rounds, arguments.runs) < 1:
        parser.error(f"--rounds, --runs: expected at least 1, --queries at least {TURN}")
    if build_of(arguments.old) == build_of(arguments.new):
        parser.error("expected two builds; received the same one twice")
    if not arguments.sets:
        say("500 clusters, euclidean, 300,000 × 96")
        compare(*made(300_000, arguments.queries, 96, 0, 500), "euclidean", arguments)
    for path in arguments.sets:
        name, metric, base, queries = load_vectors(path)
        say(f"{name}, {metric}, {len(base):,} × {base.shape[1]}")
        compare(base, queries[: arguments.queries], metric, arguments)


if __name__ == "__main__":
    main()
