"""As it grows: time of a query at recall 0.95, and of building, for growing parts of one data set.

    python benchmarks/scaling.py data/sift.hdf5
    python benchmarks/scaling.py data/sift.hdf5 --mixture 1000000 2000000 4000000

A part is the first rows of the set, whose order must be random; its exact neighbours are computed anew. Beyond what is
real, rows are drawn from a mixture fitted to the set (mixture.py), and the queries with them. A query's time is that
between two settings of `recall=` around a found recall of 0.95 (report.py), the indexes of a series taking turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, nan, sqrt
from pathlib import Path

import numpy as np

import mixture
from lookalike.bench.competitors.ours import Lookalike
from lookalike.bench.plot import wide_figure
from lookalike.bench.report import markdown, rate_at
from lookalike.bench.truth import Distance, Vectors
from making import say
from sweeping import Entry, Plan, arguments, heading, opened, recall_of, sweep

RECALL = 0.95


@dataclass(frozen=True)
class Row:
    """Of one index: seconds to build, what `recall=0.95` finds, and seconds of a query that finds 0.95."""

    series: str
    count: int
    build: float
    found: float
    query: float


def measure(
    series: str, base: Vectors, counts: Sequence[int], queries: Vectors, distance: Distance, plan: Plan
) -> list[Row]:
    """One index for each count of the first rows of `base`."""
    entries, seconds = dict[str, Entry](), list[float]()
    for count in counts:
        competitor = Lookalike()
        begin = plan.clock()
        competitor.build(base[:count], distance, threads=0)
        seconds.append(plan.clock() - begin)
        say(f"{series}: {count:,} built in {seconds[-1]:.1f} s; their exact neighbours")
        entries[f"{count}"] = Entry(competitor, recall_of(base[:count], queries, distance, plan.k))
    rows = []
    for count, build, points in zip(counts, seconds, sweep(entries, queries, plan).values(), strict=True):
        asked = next(point for point in points if point.setting["recall"] == RECALL)
        rate = rate_at(points, RECALL)
        rows.append(Row(series, count, build, asked.recall, 1 / rate.value if rate else nan))
    return rows


def table(rows: Sequence[Row]) -> str:
    """An exponent is that by which time grew since the row above."""
    lines = [["set", "vectors", "build", "exponent", "/ n√n", "found, asked 0.95", "query at 0.95", "exponent", "/ √n"]]
    firsts = dict[str, Row]()
    for before, row in pairwise([rows[0], *rows]):
        first = firsts.setdefault(row.series, row)
        more = row.count / first.count
        build, query = row.build / first.build / (more * sqrt(more)), row.query / first.query / sqrt(more)
        grown = "", ""
        if before is not row and before.series == row.series:
            step = log(row.count / before.count)
            grown = f"{log(row.build / before.build) / step:.2f}", f"{log(row.query / before.query) / step:.2f}"
        builds = [f"{row.build:.1f} s", grown[0], f"{build:.2f}"]
        queries = [f"{row.found:.3f}", f"{1e6 * row.query:.1f} µs", grown[1], f"{query:.2f}"]
        lines.append([row.series, f"{row.count:,}", *builds, *queries])
    return markdown(lines)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Query and build time against n, both logarithmic, each beside the growth that was asked for."""
    figure = wide_figure()
    panels = [("query", "√n", 0.5, 1e6, f"µs of a query at recall {RECALL}"), ("build", "n√n", 1.5, 1.0, "s to build")]
    for axes, (what, guide, power, unit, title) in zip(figure.subplots(1, 2), panels, strict=True):
        for series in dict.fromkeys(row.series for row in rows):
            counts = [row.count for row in rows if row.series == series]
            times = [unit * getattr(row, what) for row in rows if row.series == series]
            [line] = axes.plot(counts, times, marker="o", label=series)
            grown = [times[0] * (count / counts[0]) ** power for count in counts]
            axes.plot(counts, grown, linestyle="--", color=line.get_color(), alpha=0.5, label=f"{series}: {guide}")
        axes.set(title=title, xlabel="vectors", xscale="log", yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.grid(alpha=0.3, which="both")
        axes.legend()
    figure.savefig(path)
    say(f"drawn in {path}")


def main(words: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    add = parser.add_argument
    add("--counts", type=int, nargs="+", metavar="N", default=[100_000, 200_000, 500_000, 1_000_000], help="first rows")
    add("--mixture", type=int, nargs="+", metavar="N", default=[], help="rows drawn from a mixture, beside these")
    add("--components", type=int, default=1000, help="of the mixture (default 1000)")
    add("--plot", type=Path, default=Path("bench-results/scaling.png"))
    given = parser.parse_args(words)
    data = opened(given)
    plan = Plan(given.k, given.rounds, given.processor)
    counts = sorted({min(count, len(data.base)) for count in given.counts})
    rows = measure(data.name, data.base, counts, data.test.vectors, data.distance, plan)
    if given.mixture:
        most = max(given.mixture)
        say(f"{most:,} vectors of a mixture of {given.components:,} Gaussians")
        drawn = mixture.draw(data.base, most + len(data.test.vectors), given.components)
        if data.distance == "cosine":
            drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        name = f"{data.name} mixture (synthetic)"
        rows += measure(name, drawn[:most], sorted(given.mixture), drawn[most:], data.distance, plan)
    print(f"{heading(data, given)}; builds on all cores\n\n{table(rows)}")
    given.plot.parent.mkdir(parents=True, exist_ok=True)
    draw(rows, given.plot)


if __name__ == "__main__":
    main()
