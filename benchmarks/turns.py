"""Two builds of lookalike beside each other: is one slower?

    python benchmarks/turns.py OLD/bin/python NEW/bin/python                     # 300,000 made vectors
    python benchmarks/turns.py OLD/bin/python NEW/bin/python data/glove.hdf5     # of sets
    python benchmarks/turns.py OLD/bin/python NEW/bin/python --count             # not how long: how much
    python benchmarks/turns.py OLD/bin/python NEW/bin/python --sealing --made 60000x96 10000x4096

Each interpreter has its own version installed. The old one makes an index; processes of both, and one more of the old
one, open the same file and answer the same queries in turns, twenty each, on one core. Of each query the fastest round
counts. A run begins with new processes; the old one beside itself shows what is chance.

With --count, cachegrind (Debian: valgrind) counts instructions and misses of the first caches: those of 250 searches
less those of 50, so that neither the start nor opening the file counts. It knows no AVX-512. With --sealing, each adds
the vectors, `--by` at a time, and seals them: seconds, processor time of all threads, and peak memory, the least of
three.
"""

from __future__ import annotations

import argparse
import os
import random
import re
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
SEAL = """
import resource, sys, time, numpy as np, lookalike
base, by = np.load(sys.argv[1], mmap_mode="r"), int(sys.argv[3])
index = lookalike.Index(base.shape[1], sys.argv[2])
begin = time.perf_counter()
for at in range(0, len(base), by):
    index.add(base[at : at + by])
index.optimize()
took = time.perf_counter() - begin
used = resource.getrusage(resource.RUSAGE_SELF)
print(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""
COUNT = """
import sys, numpy as np, lookalike
index, queries = lookalike.Index.open(sys.argv[1]), np.load(sys.argv[2])
for query in queries[: int(sys.argv[3])]:
    index.search(query, 10, threads=1)
"""
COUNTED = {"instructions": "I refs", "misses of data": r"D1\s+misses", "misses of instructions": r"I1\s+misses"}
FEW, MANY = 50, 250
SEALINGS = 3
TURN = 20
MOST_CLUSTERED, HIDDEN = 320, 64  # vectors of more dimensions are made of so many hidden ones


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


def counts(python: str, index: str, queries: str, searches: int) -> dict[str, float]:
    """What cachegrind counts of so many searches and all that comes before them."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", "--cachegrind-out-file=/dev/null", python, "-I"]
    try:
        done = subprocess.run(
            [*command, "-c", COUNT, index, queries, str(searches)],
            check=True,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # its threads wait busily, and would count
        )
    except FileNotFoundError:
        raise SystemExit("expected cachegrind: apt-get install valgrind") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{python} ended early:\n{error.stderr}") from None
    counted = {}
    for name, line in COUNTED.items():
        found = re.search(rf"{line}:\s+([\d,]+)", done.stderr)
        if found is None:
            raise SystemExit(f"cachegrind counted no {name}:\n{done.stderr}")
        counted[name] = float(found[1].replace(",", ""))
    return counted


def count(programs: list[tuple[str, str]], index: str, queries: str) -> None:
    """Says what a search takes, and by how much more than the old build."""
    each = {}
    for name, python in programs:
        many, few = counts(python, index, queries, MANY), counts(python, index, queries, FEW)
        each[name] = {what: (many[what] - few[what]) / (MANY - FEW) for what in COUNTED}
    for name, _ in programs:
        told = (
            f"{each[name][what]:,.0f} {what} ({100 * (each[name][what] / each['old'][what] - 1):+.2f} %)"
            for what in COUNTED
        )
        say(f"  {name}, a search: {', '.join(told)}")


def seal(programs: list[tuple[str, str]], base: str, metric: str, by: int) -> None:
    """Says what sealing takes, in turns."""
    used: dict[str, list[list[float]]] = {name: [] for name, _ in programs}
    for _ in range(SEALINGS):
        for name, python in random.sample(programs, len(programs)):
            done = subprocess.run(
                [python, "-I", "-c", SEAL, base, metric, str(by)], stdout=subprocess.PIPE, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(f"{python} sealed nothing; what it said stands above")
            used[name].append([float(number) for number in done.stdout.split()])
    for name, runs in used.items():
        seconds, processor, memory = (min(each) for each in zip(*runs, strict=True))
        say(f"  {name}: {seconds:.1f} s, {processor:.1f} s of processor time, {memory:,.0f} MB")


def compare(base: Vectors, queries: Vectors, metric: str, arguments: argparse.Namespace) -> None:
    old, new = arguments.old, arguments.new
    programs = [("old", old), ("old again", old), ("new", new)]
    queries = queries[: len(queries) // TURN * TURN]
    if not len(queries):
        raise SystemExit(f"expected at least {TURN} queries")
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("base.npy", "queries.npy", "index")]
        np.save(paths[0], base)
        np.save(paths[1], queries)
        if arguments.sealing:
            seal(programs, paths[0], metric, arguments.by)
            return
        if subprocess.run([old, "-I", "-c", BUILD, paths[0], metric, paths[2]], check=False).returncode:
            raise SystemExit("the old build made no index; what it said stands above")
        if arguments.count:
            count([programs[0], programs[-1]], paths[2], paths[1])
        else:
            take_turns(programs, paths[2], paths[1], arguments.rounds * len(queries) // TURN, arguments.runs)


def take_turns(programs: list[tuple[str, str]], index: str, queries: str, turns: int, runs: int) -> None:
    took = [run(programs, index, queries, turns) for _ in range(runs)]
    for name, _ in programs:
        ratios = [each[name] / each["old"] for each in took]
        say(
            f"  {name}: best {min(each[name] for each in took):.1f} µs, {statistics.median(ratios):.3f} × old "
            f"({min(ratios):.3f} to {max(ratios):.3f})"
        )


def size(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"[1-9]\d*x[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"expected a number of vectors and of dimensions as 60000x96; received {text}")
    count, dim = map(int, text.split("x"))
    return count, dim


def made_of_size(count: int, queries: int, dim: int) -> tuple[Vectors, Vectors]:
    """Vectors and queries: 500 clusters, or in many dimensions 64 hidden ones."""
    hidden = HIDDEN if dim > MOST_CLUSTERED else 0
    say(f"{f'{hidden} dimensions' if hidden else '500 clusters'}, euclidean, {count:,} × {dim}")
    return made(count, queries, dim, hidden, 0 if hidden else 500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="the interpreter of one build")
    parser.add_argument("new", help="that of another")
    parser.add_argument("sets", nargs="*", type=Path, help="HDF5 files; none: made ones")
    parser.add_argument(
        "--made",
        nargs="+",
        type=size,
        default=[(300_000, 96)],
        metavar="COUNTxDIM",
        help="vectors to be made, where no set is given",
    )
    parser.add_argument("--by", type=int, default=4000, help="with --sealing: vectors of one add")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=8)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--count", action="store_true", help="count instructions and misses instead")
    what.add_argument("--sealing", action="store_true", help="seal instead of searching")
    arguments = parser.parse_intermixed_args()
    if min(arguments.queries // TURN, arguments.rounds, arguments.runs, arguments.by) < 1:
        parser.error(f"--by, --rounds, --runs: expected at least 1, --queries at least {TURN}")
    if build_of(arguments.old) == build_of(arguments.new):
        parser.error("expected two builds; received the same one twice")
    for count, dim in [] if arguments.sets else arguments.made:
        compare(*made_of_size(count, arguments.queries, dim), "euclidean", arguments)
    for path in arguments.sets:
        name, metric, base, queries = load_vectors(path)
        say(f"{name}, {metric}, {len(base):,} × {base.shape[1]}")
        compare(base, queries[: arguments.queries], metric, arguments)


if __name__ == "__main__":
    main()
