"""Threads that add, replace, remove, seal, save, filter and search one index, and an oracle that knows what is in it.

    python -m tests.faults.mixed --seconds 300

Each writer has ids of its own and keeps what it gave them, and looks at once for what it has just added. Each reader
takes snapshots: what is asked of one must be so, and still so when it is asked again. Each file that is saved on the
way, and the index in the end, is compared by brute force, the index with the oracle.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike import Index
from lookalike.errors import SearchTimeoutError
from lookalike.index import Snapshot

T = TypeVar("T")

DIM, OWN = 12, 1_000_000
WRITERS, READERS = 3, 2

Oracle = dict[int, NDArray[np.float32]]


def write(index: Index, number: int, going: Callable[[], bool]) -> tuple[Counter[str], Oracle]:
    """Add, replace and remove, and look at once for what was done."""
    dice = np.random.default_rng(number)
    mine: Oracle = {}
    tally: Counter[str] = Counter()
    fresh = number * OWN
    while going():
        count = int(dice.choice([1, 7, 300, 3000], p=[0.5, 0.3, 0.15, 0.05]))
        way = dice.choice(["add", "replace", "remove"], p=[0.6, 0.2, 0.2])
        if way == "add" or len(mine) < 10:
            ids = np.arange(fresh, fresh + count)
            fresh += count
        else:
            ids = dice.choice(list(mine), min(count, len(mine) // 2), replace=False)
        tally[str(way)] += len(ids)
        if way == "remove" and int(ids[0]) in mine:
            index.remove(ids)
            for id in ids.tolist():
                del mine[id]
            assert not any(id in index for id in ids[:3].tolist())
            continue
        vectors = dice.standard_normal((len(ids), DIM), np.float32)
        index.add(vectors, ids, overwrite=True)
        mine |= dict(zip(ids.tolist(), vectors, strict=True))
        found = index.search(vectors[-1], 1, exact=True)
        assert (found.ids[0], found.distances[0]) == (ids[-1], 0), f"{found} for {ids[-1]}, which was just added"
    return tally, mine


def read(index: Index, number: int, going: Callable[[], bool]) -> Counter[str]:
    dice = np.random.default_rng(100 + number)
    tally: Counter[str] = Counter()
    while going():
        snapshot = index.snapshot()
        ids = snapshot.ids
        if not len(ids):
            continue
        assert len(ids) == len(snapshot)
        assert (np.diff(ids) > 0).all()
        some = dice.choice(ids, min(20, len(ids)), replace=False)
        vectors = np.stack([snapshot[int(id)] for id in some])
        exact = snapshot.search(vectors, 5, exact=True)
        assert (exact.ids[:, 0] == some).all()
        assert (exact.distances[:, 0] == 0).all()
        near = snapshot.search(vectors, 5, threads=2)
        tally["found"] += int((near.ids[:, 0] == some).sum())
        tally["asked"] += len(some)
        few = dice.choice(ids, max(1, len(ids) // 3), replace=False)
        filtered = snapshot.search(vectors, 5, filter=few)
        assert np.isin(filtered.ids, [-1, *few]).all()
        within = snapshot.range_search(vectors[:3], 1.0, exact=True)
        assert all(id in found for id, (found, _) in zip(some.tolist(), within, strict=False))
        try:
            snapshot.search(np.tile(vectors, (500, 1)), 5, exact=True, timeout=0.002)
        except SearchTimeoutError:
            tally["timeouts"] += 1
        again = snapshot.search(vectors, 5, exact=True)
        assert np.array_equal(again.ids, exact.ids), "a snapshot has changed"
        tally["snapshots"] += 1
    return tally


def seal(index: Index, folder: str, going: Callable[[], bool]) -> Counter[str]:
    tally: Counter[str] = Counter()
    while going():
        if tally["saved"] % 3 == 2:
            index.optimize()
            index.tune(np.random.default_rng(0).standard_normal((20, DIM), np.float32))
        path = Path(folder) / "saved.index"
        index.save(path)
        saved = Index.open(path)
        saved.verify()
        compare(saved.snapshot(), None)
        tally["saved"] += 1
    return tally


def compare(index: Snapshot | Index, oracle: Oracle | None) -> None:
    """That it holds what the oracle knows, or finds all it holds."""
    ids = index.ids
    if oracle is not None:
        assert ids.tolist() == sorted(oracle), "other ids than were given"
    if not len(ids):
        return
    vectors = np.stack([index[int(id)] for id in ids])
    if oracle is not None:
        assert np.array_equal(vectors, np.stack([oracle[id] for id in ids.tolist()]))
    some = np.random.default_rng(1).choice(len(ids), min(30, len(ids)), replace=False)
    distances = np.linalg.norm(vectors[some, None].astype(np.float64) - vectors[None], axis=2)
    expected = np.sort(distances, axis=1)[:, :5]
    found = index.search(vectors[some], min(5, len(ids)), exact=True)
    assert np.allclose(found.distances, expected[:, : found.distances.shape[1]], atol=1e-3)


def run(seconds: float) -> Counter[str]:
    index = Index(DIM, "euclidean")
    until = time.monotonic() + seconds
    failed = threading.Event()

    def going() -> bool:
        return time.monotonic() < until and not failed.is_set()

    def watched(work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException:
            failed.set()
            raise

    tally: Counter[str] = Counter()
    oracle: Oracle = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WRITERS + READERS + 1) as threads:
        writing = [threads.submit(watched, partial(write, index, number, going)) for number in range(WRITERS)]
        others = [threads.submit(watched, partial(read, index, number, going)) for number in range(READERS)]
        others.append(threads.submit(watched, partial(seal, index, folder, going)))
        for counted, mine in [each.result() for each in writing]:
            tally += counted
            oracle |= mine
        for each in others:
            tally += each.result()
    compare(index, oracle)
    index.optimize()
    compare(index, oracle)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    json.dump(run(parser.parse_args().seconds), sys.stdout)
    print()


if __name__ == "__main__":
    main()
