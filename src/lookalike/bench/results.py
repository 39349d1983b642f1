"""What a run measured, as it is kept in JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lookalike.bench.competitors import Setting
from lookalike.errors import ArgumentError

Mode = Literal["single", "batch"]
MODES: tuple[Mode, ...] = ("single", "batch")


def described(setting: Setting) -> str:
    """In words."""
    return ", ".join(f"{name} = {value:g}" for name, value in setting.items()) or "no parameters"


@dataclass
class Point:
    """One setting.

    Attributes:
        asked: how many queries, the first ones; a slow setting is asked fewer.
        recall: the share of their true neighbours that were found.
        ratio: how much farther than those what was found is, 1 at best; NaN where nothing was found.
        rates: the queries/s of every round.
        busy: the processors that were kept busy in every round.
        latencies: µs of a query that 50, 95 and 99 % of them did not exceed, in the best round; none in batches.
        touched: vectors that a query was compared with, in the mean; None where that is not known.
    """

    setting: Setting
    recall: float
    rates: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    asked: int = 0
    ratio: float = 1.0
    latencies: list[float] = field(default_factory=list)
    touched: float | None = None

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


def _no_pace() -> dict[Mode, list[Point]]:
    return {"single": [], "batch": []}


@dataclass
class Outcome:
    """One competitor on one data set; `error` says why there is nothing, or nothing more.

    Attributes:
        build_peak: bytes of memory that building took at most, the vectors that were handed over among them.
        memory: bytes that the index takes once they are gone.
        search_peak: bytes that searching took at most, the index among them.
        overhead: µs of a call on an index of 100 vectors; None where the library wants more of them.
        disk: bytes of its files.
        load: seconds from them to a first answer in a new process.
        added, removed: vectors/s, one after the other; found again, or not found any more, by the next search.
        notes: why one of these is None, or what else fell short.
        missing: whether the error is that it is not installed.
        began: when, in ISO 8601; a run that goes on has some of before.
        pace: ours, measured in turns with this one; a machine is not equally fast all the time.
    """

    name: str
    version: str = ""
    parameters: str = ""
    build_seconds: float = 0.0
    build_peak: int = 0
    memory: int = 0
    search_peak: int = 0
    overhead: float | None = None
    disk: int | None = None
    load: float | None = None
    added: float | None = None
    removed: float | None = None
    single: list[Point] = field(default_factory=list)
    batch: list[Point] = field(default_factory=list)
    pace: dict[Mode, list[Point]] = field(default_factory=_no_pace)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    missing: bool = False
    began: str = ""

    def points(self, mode: Mode) -> list[Point]:
        return self.single if mode == "single" else self.batch

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Outcome:
        """From what `asdict` made of one."""
        pace: dict[Mode, list[Point]] = {mode: _points(kept["pace"][mode]) for mode in MODES}
        return cls(**{**kept, "single": _points(kept["single"]), "batch": _points(kept["batch"]), "pace": pace})


@dataclass
class Results:
    """All competitors on one data set.

    Attributes:
        count, dim: vectors, and numbers in each; or sets, and how many different items they and the queries hold.
        machine: its processor and cores.
        software: versions, the commit of this library among them, by name.
        seed: of what was drawn: the queries, where they were held out.
    """

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
    software: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def began(self) -> str:
        """When the first of them did."""
        return min((outcome.began for outcome in self.outcomes if outcome.began), default="")

    def save(self, path: str | os.PathLike[str]) -> None:
        with open(path, "w") as file:
            json.dump(asdict(self), file, indent=1)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Results:
        """Raises ArgumentError for a file that `save` did not write."""
        try:
            with open(path) as file:
                kept: dict[str, Any] = json.load(file)
            outcomes = [Outcome.of(one) for one in kept.pop("outcomes")]
            return cls(**kept, outcomes=outcomes)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ArgumentError(f"expected the results of a benchmark in {os.fspath(path)!r}: {error}") from error


def _points(kept: Sequence[dict[str, Any]]) -> list[Point]:
    return [Point(**point) for point in kept]
