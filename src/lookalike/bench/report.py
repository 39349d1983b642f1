"""Results as tables: queries/s at given recalls, beside what it took to get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, prod

from lookalike.bench.competitors import OURS
from lookalike.bench.results import MODES, Mode, Outcome, Point, Results
from lookalike.names import visible

TARGETS = (0.90, 0.95, 0.99)
LATENCY = 0.95
"""The recall at which the table tells latencies."""


@dataclass(frozen=True)
class Rate:
    """Queries/s at a recall.

    Attributes:
        spread: how far the worst round was behind, as a share of the best; 0 where there was only one.
        least: even the fastest setting found more, so it may be faster still.
    """

    value: float
    spread: float
    least: bool = False

    def __str__(self) -> str:
        rate = f"{'≥ ' if self.least else ''}{few(self.value)}"
        return f"{rate} ± {100 * self.spread:.0f} %" if self.spread else rate


def few(value: float) -> str:
    """With as many digits as somebody reads."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


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
    stands for itself: it may be faster still at the target, unless it has no parameters that could be lowered.
    """
    line = frontier(points)
    above = [point for point in line if point.recall >= target]
    below = [point for point in line if point.recall < target]
    if not above:
        return None
    right = above[0]
    if not below or right.recall == target:
        return Rate(right.rate, right.spread, least=not below and right.recall > target and bool(right.setting))
    left = below[-1]
    part = (target - left.recall) / (right.recall - left.recall)
    between = exp((1 - part) * log(left.rate) + part * log(right.rate))
    return Rate(between, max(left.spread, right.spread))


def setting_at(points: Sequence[Point], target: float) -> Point | None:
    """The fastest setting that was measured and finds so much; None where none does."""
    return next((point for point in frontier(points) if point.recall >= target), None)


@dataclass(frozen=True)
class Ratio:
    """How many times as many queries/s. `sign`: "≥" or "≤" where one of the two may be faster still, "≈" where both."""

    value: float
    sign: str = ""

    def __str__(self) -> str:
        return f"{self.sign} {few(self.value) if self.value >= 100 else f'{self.value:.2f}'}".strip()


@dataclass(frozen=True)
class Against:
    """Ours beside one peer at one recall; None of those that do not get there.

    Attributes:
        ours: measured in turns with this peer, where it was, since a machine is not equally fast all the time.
    """

    peer: str
    ours: Rate | None
    theirs: Rate | None

    @property
    def ratio(self) -> Ratio | None:
        """Ours to theirs; None unless both get there."""
        if self.ours is None or self.theirs is None:
            return None
        sign = {(True, False): "≥", (False, True): "≤", (True, True): "≈"}.get((self.ours.least, self.theirs.least), "")
        return Ratio(self.ours.value / self.theirs.value, sign)


def against(results: Results, mode: Mode, target: float) -> list[Against]:
    """Ours beside every peer, in their order."""
    pairs = []
    for outcome in results.outcomes:
        if outcome.name != OURS:
            own = rate_at(outcome.pace[mode], target) or rate_at(ours(results, mode), target)
            pairs.append(Against(outcome.name, own, rate_at(outcome.points(mode), target)))
    return pairs


def best(pairs: Sequence[Against]) -> Against | None:
    """The peer that ours has the smallest ratio to; where ours does not get there, the fastest; None if none does."""
    reached = [pair for pair in pairs if pair.theirs is not None]
    return min(reached, key=_standing, default=None)


def ours(results: Results, mode: Mode) -> list[Point]:
    """Our own points; none where we did not take part."""
    return next((one.points(mode) for one in results.outcomes if one.name == OURS), [])


def table(results: Results) -> str:
    """Queries/s of every competitor, and how long a query takes it."""
    titles = [f"{mode} {target:.2f}" for mode in MODES for target in TARGETS]
    rows = [["competitor", *titles, f"p50, p95, p99 at {LATENCY:.2f}"]]
    for outcome in results.outcomes:
        if not outcome.single and not outcome.batch:
            rows.append([_name(outcome), outcome.error or "nothing measured", *[""] * (len(rows[0]) - 2)])
            continue
        rates = [rate_at(outcome.points(mode), target) for mode in MODES for target in TARGETS]
        at = setting_at(outcome.single, LATENCY)
        times = ", ".join(map(few, at.latencies)) if at else ""
        rows.append([_name(outcome), *(str(rate or "–") for rate in rates), f"{times} µs" if times else "–"])
    return markdown(rows)


def costs(results: Results) -> str:
    """What every competitor takes beside the time of queries."""
    titles = ["build", "peak", "memory", "peak of searches", "on disk", "load", "adds/s", "deletes/s", "call"]
    measured = [one for one in results.outcomes if one.single or one.batch]
    return markdown([["competitor", *titles], *([_name(one), *_costs(one)] for one in measured)])


def against_the_best(every: Sequence[Results]) -> str:
    """Ours beside the best peer at every point, and the geometric mean of the ratios."""
    rows = [["set", "queries", "recall", "lookalike", "best peer", "its name", "ratio"]]
    ratios = []
    for results, mode, target in ((one, mode, target) for one in every for mode in MODES for target in TARGETS):
        pair = best(against(results, mode, target)) or Against("–", rate_at(ours(results, mode), target), None)
        ratio = pair.ratio
        ratios += [ratio.value] if ratio else []
        cells = (pair.ours, pair.theirs, pair.peer, ratio)
        rows.append([results.dataset, mode, f"{target:.2f}", *(str(cell or "–") for cell in cells)])
    mean = f"{prod(ratios) ** (1 / len(ratios)):.2f}" if ratios else "–"
    return f"{markdown(rows)}\n\nGeometric mean of {len(ratios)} ratios: {mean}"


def size(results: Results) -> str:
    """Of what was compared."""
    sets = results.distance == "jaccard"
    return f"{results.count:,} sets over {results.dim:,} items" if sets else f"{results.count:,} × {results.dim}"


def heading(results: Results) -> str:
    """What was measured, where, and how."""
    return (
        f"{results.dataset}: {size(results)}, {results.distance}, {results.queries:,} queries, "
        f"recall@{results.k}; {results.machine}, batches and builds on {results.threads} threads; "
        f"best of {results.rounds} rounds ± how far the worst was behind"
    )


def parameters(results: Results) -> str:
    """What each competitor was built with, and what went wrong on the way."""
    return "\n".join(f"- {one.name}: {_described(one)}" for one in results.outcomes)


def document(every: Sequence[Results]) -> str:
    """Everything, in Markdown."""
    parts = []
    for one in every:
        parts += [f"### {one.dataset}", heading(one), table(one), costs(one), parameters(one)]
    return "\n\n".join([*parts, "### Against the best peer", against_the_best(every)])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them the titles; a cell may hold anything."""
    lines = [f"| {' | '.join(visible(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def _standing(pair: Against) -> tuple[bool, float]:
    ratio, theirs = pair.ratio, pair.theirs
    return (ratio is None, ratio.value if ratio else -theirs.value if theirs else 0)


def _costs(one: Outcome) -> list[str]:
    sizes = (one.build_peak or None, one.memory, one.search_peak or None, one.disk)
    return [
        f"{one.build_seconds:,.1f} s",
        *("–" if size is None else f"{size / 1e6:,.0f} MB" for size in sizes),
        "–" if one.load is None else f"{one.load:,.2f} s",
        *("–" if rate is None else few(rate) for rate in (one.added, one.removed)),
        "–" if one.overhead is None else f"{one.overhead:.1f} µs",
    ]


def _name(outcome: Outcome) -> str:
    return f"{outcome.name} {outcome.version}".strip()


def _described(outcome: Outcome) -> str:
    return "; ".join(text for text in (outcome.parameters, outcome.error, *outcome.notes) if text)
