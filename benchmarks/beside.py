"""How long single searches take beside other work on the same index or collection: p50, p99 and the longest.

    python benchmarks/beside.py                       # 300,000 × 96, 15 seconds of each kind of work
    python benchmarks/beside.py --seconds 300 --only alone adds
    python benchmarks/beside.py --pictures DIR        # a collection of these pictures, which are copied first
    python benchmarks/beside.py --commits             # a collection of 300,000 × 96, to which another process adds

One thread searches for a new query every millisecond while others work: batches compared with every vector while an
add comes in, adds (10,000 different vectors a second), removals, sealing, saving, all of these. Each kind of work
begins with an index just opened from one file; its vectors are drawn from 500 Gaussians. A collection is searched by
an id, beside a thread that searches it by pictures, and a process that indexes more of them. Milliseconds; *first* and
*last* are the medians of the first and the last fifth of the time, which tell whether anything grows. After the adds
the same is told of the index once all is sealed. By `--commits`, another process adds a vector every half second, each
nearer to the query than those before, and a last line says how long after each commit the first search ended that
found it.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike import Collection, Index

K = 10
EVERY = 0.001  # seconds between two searches
BATCH, BATCHES_PER_SECOND = 100, 100  # 10,000 vectors are added in a second
REMOVED_PER_SECOND = 2000

Vectors = NDArray[np.float32]
Work = Callable[[Index, Vectors, threading.Event, str], None]


def source(dim: int, seed: int) -> Callable[[int], Vectors]:
    """Draws so many vectors around 500 means, each with a spread of its own along each axis; none comes twice."""
    shared, random = np.random.default_rng(0), np.random.default_rng(seed)
    means = shared.standard_normal((500, dim), np.float32)
    spreads = shared.gamma(0.5, 1.0, (500, dim)).astype(np.float32)

    def draw(count: int) -> Vectors:
        of = random.integers(500, size=count)
        vectors: Vectors = means[of] + spreads[of] * random.standard_normal((count, dim), np.float32)
        return vectors

    return draw


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


def adds(index: Index, _: Vectors, stop: threading.Event, __: str) -> None:
    draw = source(index.dim, 4)
    paced(stop, BATCHES_PER_SECOND, lambda _: index.add(draw(BATCH)))


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


def searched(search: Callable[[int], object], seconds: float) -> NDArray[np.float64]:
    """What each search took, in milliseconds."""
    took: list[float] = []
    stop = threading.Event()
    end = time.perf_counter() + seconds

    def timed(number: int) -> None:
        begin = time.perf_counter()
        search(number)
        took.append(1e3 * (time.perf_counter() - begin))
        if time.perf_counter() >= end:
            stop.set()
        stop.wait(EVERY)

    paced(stop, 1 / EVERY, timed)
    return np.array(took)


def measure(name: str, path: str, more: Vectors, queries: Vectors, seconds: float) -> None:
    """Prints what single searches take beside some work.

    Beside adds, which go on for long, an index that stays as it began is searched in turn with the one that grows: what
    the machine takes more or less meanwhile, it takes of both.
    """
    index = Index.open(path)
    searched_in_turn = [index, Index.open(path)] if name == "adds" else [index]

    def search(number: int) -> None:
        searched_in_turn[number % len(searched_in_turn)].search(queries[number % len(queries)], K, threads=1)

    def told(name: str, seconds: float) -> float:
        """Prints a row for each; the ratio of their medians."""
        took = searched(search, seconds)
        each = [took[turn :: len(searched_in_turn)] for turn in range(len(searched_in_turn))]
        for what, its in zip((name, "  as it began"), each, strict=False):
            print(row(what, its), flush=True)
        return float(np.median(each[0]) / np.median(each[-1]))

    searched(search, 0.5)  # what is mapped is read
    stop = threading.Event()
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder, ExitStack() as stack:
        for work in WORK[name]:
            thread = threading.Thread(target=work, args=(index, more, stop, folder))
            thread.start()
            stack.callback(thread.join)
        stack.callback(stop.set)
        before = len(index)
        beside = told(name, seconds)
        added = (len(index) - before) / seconds
    if name == "adds":
        index.optimize()
        ratio = beside / told("all sealed", 10)
        print(
            f"{added:,.0f} vectors were added a second; relative to the index as it began, {ratio:.2f} x all sealed",
            flush=True,
        )


def by_pictures(collection: Collection, pictures: list[Path], stop: threading.Event) -> None:
    """Each is another picture than any that is indexed, to whom only its bytes are known."""
    for number in itertools.count():
        if stop.is_set():
            return
        collection.search(pictures[number % len(pictures)].read_bytes() + bytes([number % 256]), K)


SYNC = """
import shutil, sys
from pathlib import Path
from lookalike.collection import Collection
folder, pictures = Path(sys.argv[1]), [Path(each) for each in sys.stdin.read().splitlines()]
with Collection.open(folder) as collection:
    for number in range(10**6):
        picture = pictures[number % len(pictures)]
        copy = folder / f"copy {number}{picture.suffix}"
        copy.write_bytes(picture.read_bytes() + b"%d" % number)
        collection.sync()
        collection.describe({copy: {"number": number}})
"""


def syncs(folder: Path, pictures: list[Path], stack: ExitStack) -> None:
    """Another process indexes more and more."""
    process = subprocess.Popen([sys.executable, "-c", SYNC, str(folder)], stdin=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdin
    process.stdin.write("\n".join(map(str, pictures)))
    process.stdin.close()


def measure_collection(given: Path, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary) / "pictures"
        shutil.copytree(given, folder)
        collection = stack.enter_context(Collection.open(folder))
        collection.sync()
        pictures = list(map(Path, collection.paths()))

        def search(number: int) -> None:
            collection.search(id=1 + number % len(pictures), k=K)

        searched(search, 0.5)
        for name in ("alone", "pictures", "a sync", "both"):
            stop = threading.Event()
            with ExitStack() as work:
                if name in {"pictures", "both"}:
                    thread = threading.Thread(target=by_pictures, args=(collection, pictures, stop))
                    thread.start()
                    work.callback(thread.join)
                if name in {"a sync", "both"}:
                    syncs(folder, pictures, work)
                work.callback(stop.set)
                print(row(name, searched(search, seconds)), flush=True)


COMMITS = """
import sys, time
import numpy as np
from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
query = np.load(sys.argv[2])
with Collection.open(sys.argv[1]) as collection:
    for number in range(1, 10**6):
        vector = query.copy()
        vector[0] += 10 / number
        item = Item(0, b"new %d" % number, 1, 1, None, None, None, "indexed", None)
        with collection._access.writer(9) as catalogue:
            with catalogue.writing():
                catalogue.add([item], [vector])
            print(catalogue.about().next_id - 1, time.monotonic(), flush=True)
        time.sleep(0.5)
"""


def measure_commits(count: int, dim: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        given, query, where = (str(Path(folder) / name) for name in ("given.npy", "query.npy", "collection"))
        np.save(given, source(dim, 1)(count))
        nearest = source(dim, 2)(1)[0]
        np.save(query, nearest)
        with Collection.create(given, where, metric="euclidean") as collection:
            collection.sync()
            seen: dict[int, float] = {}

            def search(_: int) -> None:
                hits = collection.search(vector=nearest, k=K)
                seen.setdefault(hits[0].id, time.monotonic())

            searched(search, 0.5)
            print(row("alone", searched(search, seconds)), flush=True)
            command = [sys.executable, "-c", COMMITS, where, query]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                first = process.stdout.readline()  # it has begun
                print(row("commits", searched(search, seconds)), flush=True)
                process.kill()
                commits = [line.split() for line in (first, *process.stdout)]
        late = [1e3 * (seen[int(id)] - float(when)) for id, when in commits[1:] if int(id) in seen]
        print(f"{len(late)} commits seen after p50 {np.median(late):.0f} ms, at most {max(late):.0f} ms", flush=True)


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
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="a folder: measure a collection of it")
    parser.add_argument("--commits", action="store_true", help="measure a collection to which another process adds")
    arguments = parser.parse_args()
    print(f"{'beside':<15}{'searches':>9}{'p50':>9}{'p99':>9}{'longest':>9}{'first':>9}{'last':>9}")
    if arguments.pictures:
        measure_collection(arguments.pictures, arguments.seconds)
        return
    if arguments.commits:
        measure_commits(arguments.count, arguments.dim, arguments.seconds)
        return
    vectors = source(arguments.dim, 1)(arguments.count)
    more, queries = source(arguments.dim, 2)(10_000), source(arguments.dim, 3)(10_000)
    with tempfile.TemporaryDirectory() as folder:
        index = Index(arguments.dim, "euclidean")
        index.add(vectors)
        path = str(Path(folder) / "first.index")
        index.save(path)
        del index, vectors
        for name in arguments.only:
            measure(name, path, more, queries, arguments.seconds)


if __name__ == "__main__":
    main()
