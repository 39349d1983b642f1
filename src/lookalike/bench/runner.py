"""Measures all competitors on one data set, in one run.

Each has a process of its own and takes its turn, so that two indexes are in memory at most: its own, and ours, which is
asked for a setting of its sweep after every one of the other's, round after round. Whatever else the machine does hits
both alike, and their ratio is one of the same minutes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from lookalike.bench.child import (
    Add,
    Build,
    Changed,
    Failed,
    Load,
    Measure,
    Peak,
    Remove,
    Save,
    Timed,
    Touch,
    Work,
)
from lookalike.bench.competitors import Setting
from lookalike.bench.datasets import Dataset, Queries
from lookalike.bench.process import Process
from lookalike.bench.results import MODES, Mode, Outcome, Point, described
from lookalike.bench.truth import Ids, distance_ratio, recall

T = TypeVar("T")

BEATEN = 1.5
"""What another setting of the same sweep beats by this factor, at no less recall, is measured in one round only."""
ENOUGH = 0.995
"""A setting is left out if another, no larger in any of its parameters, has this recall already."""
TOUCHED = 50
"""So many queries tell how many vectors are touched."""
CHANGED, CHANGING = 1000, 5.0
"""So many vectors are added and removed, or as many as so many seconds allow."""
HANGS = 60.0
"""Seconds that no single answer takes beyond those it was given."""

USUAL = 0.95
"""The recall at which an index that was loaded is asked."""

Say = Callable[[str], None]
Answers = dict[tuple[Mode, str], Timed]
"""By mode and setting, as `described`."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        k: neighbours of a query.
        rounds: how often everything is measured.
        threads: of builds and batches; single queries run on one.
        single: how many queries, the first ones, are asked one by one; a batch is all of them.
        seconds: of one measurement, after which no further query is asked.
        build_limit: seconds after which a build is stopped.
        search_limit: seconds of a competitor's searches, half of them for each mode, after which no setting is begun.
    """

    k: int
    rounds: int
    threads: int
    single: int
    seconds: float = 0.5
    build_limit: float = 300.0
    search_limit: float = 120.0


class Entrant:
    """A competitor that takes part: its process, its sweep, and what is known of it so far."""

    def __init__(self, name: str, process: Process, limit: float) -> None:
        self.process, self.outcome = process, Outcome(name, began=datetime.now(UTC).isoformat(timespec="seconds"))
        self.sweep: Sequence[Setting] = ()
        built = process.ask(Build(), limit)
        if isinstance(built, Failed):
            self.outcome.error, self.outcome.missing = built.reason, built.missing
            return
        one, self.sweep = self.outcome, built.sweep
        one.version, one.parameters, one.overhead = built.version, built.parameters, built.overhead
        one.build_seconds, one.build_peak, one.memory = built.seconds, built.peak, built.memory


class Judge:
    """Asks for one measurement at a time, and writes down what came of it."""

    def __init__(self, data: Dataset, plan: Plan) -> None:
        self._data, self._plan = data, plan
        self._queries: dict[Mode, Queries] = {"single": data.test.first(plan.single), "batch": data.test}

    def heat(self, one: Entrant, ours: Entrant | None, now: Say) -> Answers:
        """All rounds of one, each setting followed by one of ours; what the best round of each setting found."""
        answers: Answers = {}
        spent = dict.fromkeys(MODES, 0.0)
        for number in range(1, self._plan.rounds + 1):
            for mode in MODES:
                now(f"{one.outcome.name}: round {number} of {self._plan.rounds}, {mode}")
                for setting, our_setting in zip_longest(one.sweep, ours.sweep if ours else ()):
                    if one.process.ended:
                        return answers
                    if setting is not None:
                        spent[mode] += self._ask(one, mode, setting, answers, spent[mode])
                    if ours is not None and our_setting is not None:
                        self._measure(ours, mode, our_setting, one.outcome.pace[mode])
        return answers

    def _ask(self, one: Entrant, mode: Mode, setting: Setting, answers: Answers, spent: float) -> float:
        """One more round of one setting, unless its time is over; seconds that it took."""
        points, begin = one.outcome.points(mode), time.perf_counter()
        if spent > self._plan.search_limit / len(MODES):
            if points and setting not in (point.setting for point in points) and not needless(setting, points):
                _note(one.outcome, f"{mode}: from {described(points[-1].setting)} on nothing, its time was over")
            return 0.0
        timed = self._measure(one, mode, setting, points)
        if isinstance(timed, Failed):
            one.outcome.error = f"at {described(setting)}, {mode}: {timed.reason}"
        elif timed is not None:
            answers[mode, described(setting)] = timed
        return time.perf_counter() - begin

    def _measure(self, one: Entrant, mode: Mode, setting: Setting, points: list[Point]) -> Timed | Failed | None:
        """Another round of a point, perhaps a new one; None where another was better, or nothing could come of it."""
        point = next((point for point in points if point.setting == setting), None)
        if settled(point, points) if point else needless(setting, points):
            return None
        queries, limit = self._queries[mode], HANGS + self._plan.search_limit
        timed = one.process.ask(Measure(mode, setting, len(queries.vectors), self._plan.seconds), limit)
        if isinstance(timed, Failed):
            return timed
        asked = queries.first(len(timed.found))
        if point is None:
            point = self._point(setting, asked, timed.found)
            points.append(point)
        point.rates.append(len(timed.found) / timed.seconds)
        point.busy.append(timed.processor / timed.seconds)
        if point.rates[-1] < max(point.rates):
            return None
        if mode == "single":
            point.latencies = [1e6 * float(of_all) for of_all in np.percentile(timed.each, (50, 95, 99))]
        return timed

    def _point(self, setting: Setting, asked: Queries, found: Ids) -> Point:
        about = self._data.base, asked.vectors, self._data.distance, asked.neighbors, found
        return Point(setting, recall(*about), asked=len(found), ratio=distance_ratio(*about))


def besides(one: Entrant, work: Work, plan: Plan, now: Say) -> None:
    """What else is measured of an index; why not, where it cannot be, is noted. Ends its process."""
    outcome, ask = one.outcome, one.process.ask
    now(f"{outcome.name}: what it touches, its file, how it changes")
    for point in outcome.single:
        touched = ask(Touch(point.setting, TOUCHED), HANGS)
        if isinstance(touched, Failed):
            _note(outcome, f"touched: {touched.reason}")
            break
        point.touched = touched
    peak = ask(Peak(), HANGS)
    outcome.search_peak = 0 if isinstance(peak, Failed) else peak
    with tempfile.TemporaryDirectory(prefix="lookalike-bench-", dir=os.path.dirname(work.base)) as folder:
        saved = ask(Save(folder), plan.build_limit)
        outcome.disk = _or_note(outcome, "disk", saved)
        added, removed = ask(Add(CHANGED, CHANGING), HANGS), ask(Remove(CHANGED, CHANGING), HANGS)
        outcome.added = _changed(outcome, "added", added, "found by the next search")
        outcome.removed = _changed(outcome, "removed", removed, "gone from the next search")
        one.process.stop()
        if outcome.disk is not None:
            loading = Process(outcome.name, work)
            try:
                outcome.load = _or_note(outcome, "load", loading.ask(Load(folder, _usual(outcome)), plan.build_limit))
            finally:
                loading.stop()


def settled(point: Point, points: Sequence[Point]) -> bool:
    """Whether one round is enough: another setting finds as much in far less time."""
    return any(other.recall >= point.recall and other.thrift > BEATEN * point.thrift for other in points)


def needless(setting: Setting, points: Sequence[Point]) -> bool:
    """Whether a setting would only take longer than one that finds enough."""
    good = (point.setting for point in points if point.recall >= ENOUGH)
    return any(all(value <= setting[name] for name, value in other.items()) for other in good)


def _usual(outcome: Outcome) -> Setting:
    """The first that finds 95 %, or the one that finds most."""
    points = sorted(outcome.single, key=lambda point: point.recall)
    return next((point.setting for point in points if point.recall >= USUAL), points[-1].setting)


def _changed(outcome: Outcome, name: str, answer: Changed | Failed, as_promised: str) -> float | None:
    changed = _or_note(outcome, name, answer)
    if changed and changed.shown < 1:
        _note(outcome, f"{name}: {changed.shown:.0%} were {as_promised}")
    return changed.rate if changed else None


def _or_note(outcome: Outcome, name: str, answer: T | Failed) -> T | None:
    if isinstance(answer, Failed):
        _note(outcome, f"{name}: {answer.reason}")
        return None
    return answer


def _note(outcome: Outcome, text: str) -> None:
    if text not in outcome.notes:
        outcome.notes.append(text)
