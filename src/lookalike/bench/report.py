"""Results as tables: queries/s at given recalls, beside what it took to get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, prod
from statistics import median

from lookalike.bench.competitors import OURS
from lookalike.bench.results import MODES, Mode, Outcome, Point, Results

TARGETS = (0.90, 0.95, 0.99)


@dataclass(frozen=True)
class Rate:
    """Queries/s at a recall. `least`: even the fastest setting found more, so it may be faster still."""

    value: float
    spread: float
    least: bool = False

    def __str__(self) -> str:
        return f"{'≥ ' if self.least else ''}{self.value:,.0f} ± {100 * self.spread:.0f} %"


def frontier(points: Sequence[Point]) -> list[Point]:
    """The settings that no other beats in both recall and queries/s, by growing recall."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (-point.recall, -point.rate)):
        if not best or point.rate > best[-1].rate:
            best.append(point)
    return best[::-1]


def rate_at(points: Sequence[Point], target: float) -> Rate | None:
    """Queries/s at a recall: between the two settings around it, log(queries/s) being linear in recall.

    Never beyond what was measured: None where no setting reaches the target. Where all of them exceed it, the fastest
    stands for itself.
    """
    line = frontier(points)
    above = [point for point in line if point.recall >= target]
    below = [point for point in line if point.recall < target]
    if not above:
        return None
    right = above[0]
    if not below or right.recall == target:
        return Rate(right.rate, right.spread, least=not below and right.recall > target)
    left = below[-1]
    part = (target - left.recall) / (right.recall - left.recall)
    between = exp((1 - part) * log(left.rate) + part * log(right.rate))
    return Rate(between, max(left.spread, right.spread))


def table(results: Results) -> str:
    """One row for each competitor."""
    titles = [f"{mode} {target:.2f}" for mode in MODES for target in TARGETS]
    rows = [["competitor", "build", "memory", "call", *titles]]
    for outcome in results.outcomes:
        name = f"{outcome.name} {outcome.version}".strip()
        if not outcome.single and not outcome.batch:
            rows.append([name, outcome.error or "nothing measured", *[""] * (len(rows[0]) - 2)])
            continue
        rates = [rate_at(outcome.points(mode), target) for mode in MODES for target in TARGETS]
        rows.append(
            [
                name,
                f"{outcome.build_seconds:,.1f} s",
                f"{outcome.memory / 1e6:,.0f} MB",
                "–" if outcome.overhead is None else f"{outcome.overhead:.1f} µs",
                *("–" if rate is None else str(rate) for rate in rates),
            ]
        )
    return markdown(rows)


@dataclass(frozen=True)
class Duel:
    """Ours and the best peer at one point; a ratio only where both get there."""

    mode: Mode
    target: float
    ours: Rate | None
    best: Rate | None
    peer: str

    @property
    def ratio(self) -> float | None:
        return self.ours.value / self.best.value if self.ours and self.best else None


def duels(results: Results) -> list[Duel]:
    """The six points of one data set."""
    found = []
    for mode in MODES:
        for target in TARGETS:
            rates = {outcome.name: rate_at(outcome.points(mode), target) for outcome in results.outcomes}
            ours = rates.pop(OURS, None)
            reached = {name: rate for name, rate in rates.items() if rate is not None}
            peer = max(reached, key=lambda name: reached[name].value, default="")
            found.append(Duel(mode, target, ours, reached.get(peer), peer))
    return found


def against_the_best(every: Sequence[Results]) -> str:
    """Ours beside the best peer at every point, and the geometric mean of the ratios."""
    rows = [["set", "queries", "recall", "lookalike", "best peer", "its name", "ratio"]]
    ratios = []
    for results in every:
        for duel in duels(results):
            rate = duel.ratio
            ratios += [rate] if rate else []
            rows.append(
                [
                    results.dataset,
                    duel.mode,
                    f"{duel.target:.2f}",
                    str(duel.ours or "–"),
                    str(duel.best or "–"),
                    duel.peer or "–",
                    f"{rate:.2f}" if rate else "–",
                ]
            )
    mean = f"{prod(ratios) ** (1 / len(ratios)):.2f}" if ratios else "–"
    return f"{markdown(rows)}\n\nGeometric mean of {len(ratios)} ratios: {mean}"


def heading(results: Results) -> str:
    """What was measured, where, and how."""
    return (
        f"{results.dataset}: {results.count:,} × {results.dim}, {results.distance}, {results.queries:,} queries, "
        f"recall@{results.k}; {results.machine}, batches and builds on {results.threads} threads; "
        f"best of {results.rounds} rounds ± how far the worst was behind; "
        f"cores kept busy by single queries: {busy(results)}"
    )


def busy(results: Results) -> str:
    """The median over all single measurements; much less than 1 tells of other processes on the machine."""
    every = [value for outcome in results.outcomes for point in outcome.single for value in point.busy]
    return f"{median(every):.2f}" if every else "–"


def parameters(results: Results) -> str:
    """What each competitor was built with, and what went wrong on the way."""
    return "\n".join(f"- {one.name}: {_described(one)}" for one in results.outcomes)


def document(every: Sequence[Results]) -> str:
    """Everything, in Markdown."""
    parts = [part for one in every for part in (f"### {one.dataset}", heading(one), table(one), parameters(one))]
    return "\n\n".join([*parts, "### Against the best peer", against_the_best(every)])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them the titles."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _described(outcome: Outcome) -> str:
    return "; ".join(text for text in (outcome.parameters, outcome.error) if text)
