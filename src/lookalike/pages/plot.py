"""Recall against queries/s as SVG: a chart whose places are percentages, so that it fits any box."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, log, log10
from typing import NamedTuple

from lookalike.bench.competitors import OURS
from lookalike.bench.report import frontier, size
from lookalike.bench.results import MODES, Mode, Point, Results
from lookalike.errors import ArgumentError
from lookalike.pages.gallery import environment

RECALLS = (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
COARSE = (0.001, 0.1, 0.5, 0.9, 0.99, 0.999)
LEFT = 0.5  # where the axis begins, unless somebody finds less than that with all settings
MOST = 0.9997  # a recall of 1 would be infinitely far to the right
COLOURS, MARKS = 7, 7  # of plot.css, of marks.svg; dashes tell apart those of one colour
LABEL = 3.5  # per cent of a chart's height for each name beside it
MODE_TITLES: dict[Mode, str] = {"single": "One by one, on one thread", "batch": "In batches, on all threads"}


class Tick(NamedTuple):
    """A line of the grid, at so many per cent, and its text, if it has one; `rare`: not where there is little room."""

    at: float
    text: str
    rare: bool = False


class Dot(NamedTuple):
    """A setting: per cent from the left and from the top; `best` where no other beats it in recall and queries/s."""

    x: float
    y: float
    point: Point
    best: bool


class Series(NamedTuple):
    """A competitor.

    Attributes:
        number: among all competitors; the same on both charts.
        dots: those on the frontier last, by growing recall.
        label: per cent from the top where its name stands, on the right.
    """

    number: int
    name: str
    dots: Sequence[Dot]
    label: float = 0.0

    @property
    def ours(self) -> bool:
        return self.name == OURS

    @property
    def look(self) -> str:
        """Classes of plot.css."""
        return "ours" if self.ours else f"colour{self.number % COLOURS} dash{self.number // COLOURS % 3}"

    @property
    def mark(self) -> int:
        """Which shape of marks.svg: another one when the colours begin anew."""
        return 0 if self.ours else (self.number + 3 * (self.number // COLOURS)) % MARKS

    @property
    def line(self) -> str:
        """The points of a polyline through the frontier."""
        return " ".join(f"{dot.x:.2f},{dot.y:.2f}" for dot in self.dots if dot.best)


class Chart(NamedTuple):
    """One mode: ours is the last of the series, so that it lies on top."""

    mode: Mode
    title: str
    series: Sequence[Series]
    across: Sequence[Tick]
    up: Sequence[Tick]


def charts(results: Results) -> list[Chart]:
    """One for each mode that was measured, both on the same scales."""
    of_all = [one.points(mode) for one in results.outcomes for mode in MODES if one.points(mode)]
    if not of_all:
        return []
    left = _left(max(point.recall for point in points) for points in of_all)
    rates = [point.rate for points in of_all for point in points if point.recall >= left]
    if not rates:
        return []
    scales = _Scales(left, min(rates) / 1.3, max(rates) * 1.3)
    return [
        Chart(mode, MODE_TITLES[mode], drawn, scales.across(), scales.up())
        for mode in MODES
        if (drawn := _series(results, mode, scales))
    ]


def names(results: Results) -> list[Series]:
    """Whoever is on a chart, ours first: for the legend, without dots."""
    return sorted(
        (Series(number, name, ()) for name, number in _numbers(results).items()),
        key=lambda one: (not one.ours, one.number),
    )


def plot(results: Results, mode: Mode) -> str:
    """The chart of one mode as an SVG file of its own, light or dark as its reader prefers.

    ArgumentError where nothing was measured.
    """
    for chart in charts(results):
        if chart.mode == mode:
            return environment().get_template("plot.svg").render(chart=chart, results=results, size=size)
    raise ArgumentError(f"{results.dataset}: expected something measured, {mode}, to draw; received nothing")


class _Scales(NamedTuple):
    """Recall on a logit scale: halving the misses is as far everywhere. Queries/s on a logarithmic one."""

    left: float
    least: float
    most: float

    def x(self, recall: float) -> float:
        return 100 * (_logit(recall) - _logit(self.left)) / (_logit(MOST) - _logit(self.left))

    def y(self, rate: float) -> float:
        return 100 * log(self.most / rate) / log(self.most / self.least)

    def across(self) -> list[Tick]:
        shown = [recall for recall in RECALLS if recall >= self.left]
        return [*(Tick(self.x(recall), f"{recall:g}", recall not in COARSE) for recall in shown), Tick(100, "1")]

    def up(self) -> list[Tick]:
        """1, 2 and 5 of every power of ten; with many of these, only the powers have a text."""
        powers = range(floor(log10(self.least)), ceil(log10(self.most)) + 1)
        every = [(digit, digit * 10.0**power) for power in powers for digit in (1, 2, 5)]
        shown = [(digit, rate) for digit, rate in every if self.least <= rate <= self.most]
        few = len(shown) <= 9
        return [Tick(self.y(rate), f"{rate:,.10g}" if few or digit == 1 else "") for digit, rate in shown]


def _logit(recall: float) -> float:
    held = min(max(recall, 1e-4), MOST)
    return log(held / (1 - held))


def _left(most_found: Iterable[float]) -> float:
    """A tick that somebody's best setting is right of, and LEFT or less."""
    least = min(most_found)
    return max((recall for recall in RECALLS if recall <= min(LEFT, least)), default=RECALLS[0])


def _numbers(results: Results) -> dict[str, int]:
    drawn = [one for one in results.outcomes if one.single or one.batch]
    peers = [one.name for one in drawn if one.name != OURS]
    return {name: number for number, name in enumerate([*peers, *(one.name for one in drawn if one.name == OURS)])}


def _series(results: Results, mode: Mode, scales: _Scales) -> list[Series]:
    """Those that have dots right of the left edge, with places for their names."""
    found = []
    for outcome in results.outcomes:
        line = frontier(outcome.points(mode))
        beaten = [point for point in outcome.points(mode) if point not in line]
        dots = [Dot(scales.x(one.recall), scales.y(one.rate), one, one in line) for one in [*beaten, *line]]
        if any(dot.x >= 0 for dot in dots):
            found.append(Series(_numbers(results)[outcome.name], outcome.name, dots))
    found.sort(key=lambda one: (one.ours, one.number))
    places = spread([one.dots[-1].y for one in found])
    return [one._replace(label=place) for one, place in zip(found, places, strict=True)]


def spread(wanted: Sequence[float]) -> list[float]:
    """Places near those, within 0 and 100 and so far apart that names do not overlap."""
    gap = min(LABEL, 100 / max(1, len(wanted)))
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    places = list(wanted)
    floor_ = 0.0
    for index in order:
        places[index] = floor_ = max(places[index], floor_)
        floor_ += gap
    ceiling = 100.0
    for index in reversed(order):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    return places
