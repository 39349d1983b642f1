"""Several processes that write one collection, and several that read it.

    python -m tests.faults.storm --seconds 20 FOLDER

Each writer changes pictures of its own and syncs; that may be refused by BusyError alone. Each reader searches;
nothing may be refused to it. In the end one sync brings the collection up to date.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lookalike.collection import Collection
from lookalike.errors import BusyError
from tests.faults import pictures
from tests.faults.forked import PATIENCE, in_fork
from tests.faults.observe import observe

WRITERS, READERS = 3, 2


def write(folder: str, number: int, until: float) -> tuple[Counter[str], dict[str, int]]:
    """Change pictures and sync, until the time is up; what came of it, and the pictures that are left."""
    dice = random.Random(number)
    tally: Counter[str] = Counter()
    mine: dict[str, int] = {}
    seed = number * 10**6
    with Collection.open(f"{folder}/.lookalike") as collection:
        while time.monotonic() < until:
            for _ in range(3):
                seed += 1
                path = f"{number}-{dice.randrange(20)}.png"
                if mine.pop(path, None) and dice.random() < 0.4:
                    os.unlink(os.path.join(folder, path))
                else:
                    mine[path] = seed
                    pictures.write(os.path.join(folder, str(number), path), seed)
                    os.replace(os.path.join(folder, str(number), path), os.path.join(folder, path))
            try:
                collection.sync(batch=2)
                tally["synced"] += 1
            except BusyError:
                tally["busy"] += 1
    return tally, mine


def read(folder: str, until: float) -> Counter[str]:
    dice = np.random.default_rng(0)
    tally: Counter[str] = Counter()
    with Collection.open(f"{folder}/.lookalike") as collection:
        while time.monotonic() < until:
            hits = collection.search(dice.standard_normal(pictures.DIM), k=10**6)
            assert len({hit.path for hit in hits}) == len(hits) > 0
            assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
            collection.info()
            tally["searched"] += 1
    return tally


def run(folder: str, seconds: float) -> Counter[str]:
    pictures.write(f"{folder}/first.png", 1)
    in_fork(lambda: Collection.create(folder, model=pictures.MODEL).sync())
    until = time.monotonic() + seconds
    works: list[Callable[[], object]] = [lambda n=n: write(folder, n, until) for n in range(1, WRITERS + 1)]  # type: ignore[misc]
    works += [lambda: read(folder, until)] * READERS
    with ThreadPoolExecutor(len(works)) as threads:
        outcomes = list(threads.map(lambda work: in_fork(work, PATIENCE + int(seconds)), works))
    state, tally = {"first.png": 1}, sum(outcomes[WRITERS:], Counter[str]())
    for counted, mine in outcomes[:WRITERS]:
        tally += counted
        state |= mine
        pictures.expect(mine.values())

    def finish() -> dict[str, int]:
        with Collection.open(f"{folder}/.lookalike") as collection:
            collection.sync()
            return observe(collection, folder)[0]

    assert in_fork(finish) == state
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("top")
    given = parser.parse_args()
    pictures.prepare()
    json.dump(run(os.path.abspath(given.top), given.seconds), sys.stdout)


if __name__ == "__main__":
    main()
