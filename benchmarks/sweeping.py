"""What scale/, stores.py and filters.py share: indexes swept in turn, in one process, as `lookalike.bench` does."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from lookalike.bench.child import Measure, Work, measure
from lookalike.bench.competitors import Competitor, Setting
from lookalike.bench.datasets import Dataset, load
from lookalike.bench.machine import machine
from lookalike.bench.results import Mode, Point
from lookalike.bench.runner import settled
from lookalike.bench.truth import Distance, Ids, Vectors, exact_neighbors, recall
from lookalike.errors import LookalikeError
from making import progress

RecallOf = Callable[[Ids], float]
"""Of what the first so many queries found: (queries, k)."""


@dataclass(frozen=True)
class Entry:
    """An index that is built, and what tells how much it found."""

    competitor: Competitor
    recall_of: RecallOf


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        k: neighbours of a query.
        rounds: of which the best counts.
        processor: whether to count processor time, for a machine that is not idle.
        seconds: as many of the queries are asked as about so many seconds allow.
        enough: once a setting finds so much, none that looks farther is asked for.
    """

    k: int
    rounds: int
    processor: bool
    seconds: float = 5.0
    enough: float = 0.995

    def clock(self) -> float:
        return time.process_time() if self.processor else time.perf_counter()


def sweep(entries: Mapping[str, Entry], queries: Vectors, plan: Plan, mode: Mode = "single") -> dict[str, list[Point]]:
    """The points of every entry's sweep, on one thread; the entries take turns, setting after setting."""
    points: dict[str, list[Point]] = {name: [] for name in entries}
    sweeps = [entry.competitor.sweep() for entry in entries.values()]
    for _ in range(plan.rounds):
        for settings in zip_longest(*sweeps):
            for (name, entry), setting in zip(entries.items(), settings, strict=True):
                if setting is not None and not _needless(setting, points[name], plan.enough):
                    _measure(entry, queries, plan, mode, setting, points[name])
    if plan.processor:
        for point in chain.from_iterable(points.values()):
            point.rates = [rate / busy for rate, busy in zip(point.rates, point.busy, strict=True)]
    return points


def recall_of(base: Vectors, queries: Vectors, distance: Distance, k: int) -> RecallOf:
    """Finds the exact neighbours now, to compare with them later."""
    neighbors, _ = exact_neighbors(base, queries, distance, k, progress(len(queries)))

    def of(found: Ids) -> float:
        count = len(found)
        return recall(base, queries[:count], distance, neighbors[:count], found)

    return of


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What the three commands have in common."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    parser.add_argument("data", help="an HDF5 file laid out as ann-benchmarks'")
    parser.add_argument("--k", type=int, default=10, help="neighbours of a query (default 10)")
    parser.add_argument("--queries", type=int, default=2000, help="the first so many (default 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the best counts (default 3)")
    parser.add_argument("--processor", action="store_true", help="processor time, on a machine that is not idle")
    return parser


def heading(data: Dataset, given: argparse.Namespace) -> str:
    """What was measured, and where."""
    n, dim = data.base.shape
    asked = f"{len(data.test.vectors):,} queries on one thread, recall@{given.k}"
    clock = "; processor time" if given.processor else ""
    return f"{data.name}: {n:,} × {dim}, {data.distance}, {asked}; {machine()}{clock}"


def opened(given: argparse.Namespace) -> Dataset:
    """The data set with its first so many queries; leaves where there is none."""
    try:
        data = load(given.data).unit()
    except LookalikeError as error:
        sys.exit(str(error))
    return replace(data, test=data.test.first(given.queries))


def _measure(entry: Entry, queries: Vectors, plan: Plan, mode: Mode, setting: Setting, points: list[Point]) -> None:
    """Another round of a setting, unless another one is far better."""
    point = next((point for point in points if point.setting == setting), None)
    if point is not None and settled(point, points):
        return
    work = Work("", "", "euclidean", plan.k, threads=1)  # of which only k and threads matter here
    timed = measure(entry.competitor, work, queries, Measure(mode, setting, len(queries), plan.seconds))
    if point is None:
        point = Point(setting, entry.recall_of(timed.found))
        points.append(point)
    point.rates.append(len(timed.found) / timed.seconds)
    point.busy.append(timed.processor / timed.seconds)


def _needless(setting: Setting, points: list[Point], enough: float) -> bool:
    """Whether another setting, no larger in any of its parameters, finds enough."""
    good = (point.setting for point in points if point.recall >= enough and point.setting != setting)
    return any(all(value <= setting[name] for name, value in other.items()) for other in good)
