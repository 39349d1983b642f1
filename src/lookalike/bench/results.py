"""What a run measured, as it is kept in JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lookalike.bench.child import Mode
from lookalike.bench.competitors import Setting
from lookalike.errors import ArgumentError

MODES: tuple[Mode, ...] = ("single", "batch")


@dataclass
class Point:
    """One setting: its recall, and of every round the queries/s and the processors that were kept busy."""

    setting: Setting
    recall: float
    rates: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The best of the rounds: the others were disturbed."""
        return max(self.rates)

    @property
    def thrift(self) -> float:
        """Queries per second of processor time, which other processes hardly change."""
        return max(rate / busy for rate, busy in zip(self.rates, self.busy, strict=True))

    @property
    def spread(self) -> float:
        """How far the worst round is behind the best, as a share of the best."""
        return 1 - min(self.rates) / max(self.rates)


@dataclass
class Outcome:
    """One competitor on one data set; `error` says why there is nothing, or nothing more."""

    name: str
    version: str = ""
    parameters: str = ""
    build_seconds: float = 0.0
    memory: int = 0
    overhead: float | None = None
    single: list[Point] = field(default_factory=list)
    batch: list[Point] = field(default_factory=list)
    error: str = ""

    def points(self, mode: Mode) -> list[Point]:
        return self.single if mode == "single" else self.batch


@dataclass
class Results:
    """All competitors on one data set."""

    dataset: str
    distance: str
    count: int
    dim: int
    queries: int
    k: int
    rounds: int
    threads: int
    machine: str
    outcomes: list[Outcome]

    def by_processor(self) -> Results:
        """The same, as if each thread had had a core for itself: for runs on a machine that did other things too."""
        outcomes = [
            replace(one, single=_alone(one.single, 1), batch=_alone(one.batch, self.threads)) for one in self.outcomes
        ]
        return replace(self, outcomes=outcomes)

    def save(self, path: str | os.PathLike[str]) -> None:
        with open(path, "w") as file:
            json.dump(asdict(self), file, indent=1)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Results:
        """Raises ArgumentError for a file that `save` did not write."""
        try:
            with open(path) as file:
                kept: dict[str, Any] = json.load(file)
            outcomes = [
                Outcome(**{**one, "single": _points(one["single"]), "batch": _points(one["batch"])})
                for one in kept.pop("outcomes")
            ]
            return cls(**kept, outcomes=outcomes)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArgumentError(f"expected the results of a benchmark in {os.fspath(path)!r}: {error}") from error


def _points(kept: Sequence[dict[str, Any]]) -> list[Point]:
    return [Point(**point) for point in kept]


def _alone(points: Sequence[Point], threads: int) -> list[Point]:
    def rates(point: Point) -> list[float]:
        return [threads * rate / busy for rate, busy in zip(point.rates, point.busy, strict=True)]

    return [replace(point, rates=rates(point)) for point in points]
