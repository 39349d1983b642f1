"""What is asked of an index of one size."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lookalike.bench.child import Measure, Timed, as_ids, measure
from lookalike.bench.child import Work as Asked
from lookalike.bench.competitors.ours import Lookalike
from lookalike.bench.machine import cores
from lookalike.bench.report import rate_at
from lookalike.bench.results import Mode
from lookalike.bench.truth import Distance, Ids, Vectors, recall
from lookalike.index import Index
from scale.figures import Phase, Searched
from sweeping import Entry, Plan, sweep

RECALL = 0.95
EXACT = 5.0
"""Seconds, after which no further query is asked by comparison with all vectors."""


@dataclass(frozen=True)
class Work:
    """What is to be measured, and where it lies.

    Attributes:
        base, queries: .npy files; the first `count` rows, and as many queries as `neighbors` has.
        neighbors: a .npy file, (queries, k).
        index: the file to write, or to open.
        memory: bytes that building may take.
    """

    base: str
    count: int
    distance: Distance
    queries: str
    neighbors: str
    index: str
    memory: int
    k: int
    rounds: int
    processor: bool

    @property
    def vectors(self) -> Vectors:
        """A map of the file: of its pages only those that are used are in memory."""
        rows: Vectors = np.load(self.base, mmap_mode="r")[: self.count]
        return rows

    @property
    def asked(self) -> Vectors:
        first: Vectors = np.load(self.queries)[: len(np.load(self.neighbors, mmap_mode="r"))]
        return first

    @property
    def plan(self) -> Plan:
        return Plan(self.k, self.rounds, self.processor)

    def recall(self, found: Ids, first: int = 0) -> float:
        """How much was found of the queries from the `first` on."""
        some = slice(first, first + len(found))
        return recall(self.vectors, self.asked[some], self.distance, np.load(self.neighbors)[some], found)


def searched(index: Index, work: Work) -> Searched:
    """Everything that is measured of an index that can be searched."""
    ours, queries, plan = Lookalike(), work.asked, work.plan
    ours.index = index
    points = sweep({"": Entry(ours, work.recall)}, queries, plan)[""]
    rate = rate_at(points, RECALL)
    single = _best(partial(_usual, ours, "single", queries, plan), plan)
    batch = _best(partial(_usual, ours, "batch", queries, plan), plan)
    exact, exactly = _exact(index, queries, plan)
    return Searched(
        found=work.recall(single.found),
        each=[1e6 * float(of_all) for of_all in np.percentile(single.each, (50, 95, 99))],
        query=1 / rate.value if rate else None,
        batch=len(batch.found) / _seconds(batch, plan),
        exact=exact,
        exact_found=work.recall(exactly),
    )


def phase(index: Index, queries: Vectors, k: int, seconds: float) -> tuple[Phase, Ids]:
    """As many of these queries as so many seconds allow, one after the other, and what they found."""
    found: list[Ids] = []
    before, begin = bytes_read(), time.perf_counter()
    for query in queries:
        found.append(index.search(query, k, recall=RECALL).ids)
        if time.perf_counter() > begin + seconds:
            break
    taken = time.perf_counter() - begin
    return Phase(len(found), taken, bytes_read() - before, None), as_ids(found, k)


def bytes_read() -> int:
    """That this process has had from the disk; 0 where the system does not tell."""
    if not os.path.exists("/proc/self/io"):
        return 0
    with open("/proc/self/io") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("read_bytes:"))


def forget(path: str) -> None:
    """Takes a file out of the system's cache, where it can be told to."""
    if not hasattr(os, "posix_fadvise"):
        return
    file = os.open(path, os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)


def _usual(ours: Lookalike, mode: Mode, queries: Vectors, plan: Plan) -> Timed:
    asked = Asked("", "", "euclidean", plan.k, threads=cores())  # of which only k and threads matter here
    return measure(ours, asked, queries, Measure(mode, {"recall": RECALL}, len(queries), plan.seconds))


def _best(once: Callable[[], Timed], plan: Plan) -> Timed:
    """The fastest of the rounds: the others were disturbed."""
    return min((once() for _ in range(plan.rounds)), key=lambda timed: _seconds(timed, plan) / len(timed.found))


def _seconds(timed: Timed, plan: Plan) -> float:
    return timed.processor if plan.processor else timed.seconds


def _exact(index: Index, queries: Vectors, plan: Plan) -> tuple[float, Ids]:
    """Seconds of the fastest query on one thread, and what all of them found."""
    times, found, end = list[float](), list[Ids](), time.perf_counter() + EXACT
    for query in queries:
        begin = plan.clock()
        found.append(index.search(query, plan.k, exact=True, threads=1).ids)
        times.append(plan.clock() - begin)
        if time.perf_counter() > end and len(times) > 1:  # the first may have read the file
            break
    return min(times), as_ids(found, plan.k)
