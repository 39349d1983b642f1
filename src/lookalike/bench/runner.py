"""Measures all competitors on one data set, in one run, in turn.

Each has a process of its own, and builds while the others wait. Then, round after round, all are asked for a setting of
their sweeps one after the other, so that whatever else the machine does hits all alike.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from lookalike.bench.child import Mode, Timed, Work
from lookalike.bench.competitors import Setting
from lookalike.bench.datasets import Dataset, Queries
from lookalike.bench.process import Process
from lookalike.bench.results import MODES, Outcome, Point, Results
from lookalike.bench.truth import recall

BEATEN = 1.5
"""What another setting of the same sweep beats by this factor, at no less recall, is measured in one round only."""
ENOUGH = 0.995
"""A setting is left out if another, no larger in any of its parameters, has this recall already."""
LONG = 20.0
"""What takes so many seconds is measured in one round only: what disturbs it averages out."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        k: neighbours of a query.
        rounds: how often everything is measured.
        threads: of builds and batches; single queries run on one.
        single: how many queries, the first ones, are asked one by one; a batch is all of them.
    """

    k: int
    rounds: int
    threads: int
    single: int


@dataclass(frozen=True)
class Entrant:
    """A competitor that takes part: its process, its sweep, and what is known of it so far."""

    process: Process
    sweep: Sequence[Setting]
    outcome: Outcome


def run(data: Dataset, queries: Queries, names: Sequence[str], plan: Plan, say: Callable[[str], None]) -> Results:
    """All that the competitors `names` do on the base of `data` with `queries`; `data` and `queries` are `unit`.

    `say` is told what is going on. A competitor that fails is in the results with its error.
    """
    with tempfile.TemporaryDirectory(prefix="lookalike-bench-") as folder, ExitStack() as ending:
        work = _hand_over(folder, data, queries, plan)
        entrants = []
        for name in names:
            process = Process(name, work)
            ending.callback(process.stop)
            entrants.append(_enter(name, process))
            say(f"{name}: {entrants[-1].outcome.error or f'built in {entrants[-1].outcome.build_seconds:.1f} s'}")
        judge = Judge(data, queries, plan)
        for number in range(1, plan.rounds + 1):
            for mode in MODES:
                say(f"{data.name}: round {number} of {plan.rounds}, {mode}")
                _in_turn(entrants, mode, judge)
    return Results(
        dataset=data.name,
        distance=data.distance,
        count=len(data.base),
        dim=data.base.shape[1],
        queries=len(queries.vectors),
        k=plan.k,
        rounds=plan.rounds,
        threads=plan.threads,
        machine=machine(),
        outcomes=[entrant.outcome for entrant in entrants],
    )


class Judge:
    """Asks for one measurement at a time, and writes down what came of it."""

    def __init__(self, data: Dataset, queries: Queries, plan: Plan) -> None:
        self._data, self._k = data, plan.k
        self._queries: dict[Mode, Queries] = {"single": queries.first(plan.single), "batch": queries}

    def ask(self, entrant: Entrant, mode: Mode, setting: Setting) -> None:
        """One more round of one setting, unless nothing can come of it."""
        outcome = entrant.outcome
        point = next((point for point in outcome.points(mode) if point.setting == setting), None)
        known = outcome.points(mode)
        asked = self._queries[mode]
        if outcome.error or (settled(point, known, len(asked.vectors)) if point else needless(setting, known)):
            return
        timed = entrant.process.measure(mode, setting, len(asked.vectors))
        if isinstance(timed, str):
            outcome.error = f"at {setting}, {mode}: {timed}"
            return
        if point is None:
            point = Point(setting, self._recall(asked, timed))
            outcome.points(mode).append(point)
        point.rates.append(len(asked.vectors) / timed.seconds)
        point.busy.append(timed.processor / timed.seconds)

    def _recall(self, asked: Queries, timed: Timed) -> float:
        return recall(self._data.base, asked.vectors, self._data.distance, asked.neighbors, timed.found)


def settled(point: Point, points: Sequence[Point], asked: int) -> bool:
    """Whether one round is enough: another setting finds as much in far less time, or `asked` queries take long."""
    beaten = any(other.recall >= point.recall and other.thrift > BEATEN * point.thrift for other in points)
    return beaten or asked > LONG * point.rate


def needless(setting: Setting, points: Sequence[Point]) -> bool:
    """Whether a setting would only take longer than one that finds enough."""
    good = (point.setting for point in points if point.recall >= ENOUGH)
    return any(all(value <= setting[name] for name, value in other.items()) for other in good)


def machine() -> str:
    """The processor, and how many of its cores this process may use."""
    model = "processor unknown"
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {cores()} cores"


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _hand_over(folder: str, data: Dataset, queries: Queries, plan: Plan) -> Work:
    """The vectors as files, which every process reads for itself."""
    base, asked = os.path.join(folder, "base.npy"), os.path.join(folder, "queries.npy")
    np.save(base, data.base)
    np.save(asked, queries.vectors)
    return Work(base, asked, data.distance, plan.k, plan.threads)


def _enter(name: str, process: Process) -> Entrant:
    built = process.build()
    if isinstance(built, str):
        return Entrant(process, (), Outcome(name, error=built))
    outcome = Outcome(name, built.version, built.parameters, built.seconds, built.memory, built.overhead)
    return Entrant(process, built.sweep, outcome)


def _in_turn(entrants: Sequence[Entrant], mode: Mode, judge: Judge) -> None:
    """The first setting of every sweep, then the second, and so on."""
    for settings in zip_longest(*(entrant.sweep for entrant in entrants)):
        for entrant, setting in zip(entrants, settings, strict=True):
            if setting is not None:
                judge.ask(entrant, mode, setting)
