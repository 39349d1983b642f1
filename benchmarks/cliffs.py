"""Whether the work of a query jumps anywhere: along k, rows, recall, filters, removals and fresh rows, in small steps.

    python benchmarks/cliffs.py                                # 60,000 × 64, 32 queries, steps of 5 %
    python benchmarks/cliffs.py --only k recall

Work is counted, not timed: sketches scanned, and rows compared in 8 bits or in full, on average over the queries. A
search is for k = 10 at recall 0.95, of heavy-tailed clusters, but for what is swept; `range_search` has a radius with k
neighbours within it, on average. A jump is the ratio of the work of two neighbouring points, brought to a step of 1 %:
of k, n, fresh rows, 1 − recall, or the rows that may be found or are left. Where a step makes more than 1.1 times the
work, or less than 1 / 1.1, smaller ones are taken, down to 1 %. A table is printed; `cliffs.json` and `cliffs.png` lie
in --out.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import promise
from lookalike import Index
from lookalike.bench.machine import machine, software
from lookalike.bench.plot import wide_figure
from lookalike.bench.report import few, markdown
from lookalike.index.arguments import DEFAULT_RECALL, recall_with_itself
from lookalike.index.filter import Filter
from making import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Vectors = NDArray[np.float32]

K, TARGET, FINE = 10, 1.2, 1.01
"""The usual k; the largest ratio of work that a step should make, and that step."""
FLAT, STEEP = 1.0005, 1.1
"""Ratios of work: what is not worth telling; beyond what a step is parted."""
MOST_N, MOST_K, MOST_FRESH = 20_000, 10_000, 16_000
"""Fresh rows: from 16,384 on they are sealed in the background."""


@dataclass(frozen=True)
class Point:
    """What a query takes on average: sketches scanned, rows compared in 8 bits or in full."""

    x: float
    scanned: float
    compared: float

    @property
    def work(self) -> float:
        return self.scanned + self.compared


@dataclass(frozen=True)
class Jump:
    """From one point to the next; `ratio` of their work for a step of 1 %, where the step is longer."""

    ratio: float
    begin: Point
    end: Point

    @classmethod
    def between(cls, begin: Point, end: Point) -> Jump:
        step = abs(math.log(end.x / begin.x))
        return cls((end.work / begin.work) ** min(1.0, math.log(FINE) / step), begin, end)

    @property
    def times(self) -> float:
        """So many times as much, or as little."""
        return max(self.ratio, 1 / self.ratio)


def extremes(points: Sequence[Point]) -> tuple[Jump | None, Jump | None]:
    """The steepest rise, and the steepest fall; None where there is none to speak of."""
    jumps = [jump for jump in (Jump.between(*pair) for pair in pairwise(points)) if jump.times > FLAT]
    rises, falls = ([jump for jump in jumps if (jump.ratio > 1) is up] for up in (True, False))
    return max(rises, key=lambda jump: jump.times, default=None), max(falls, key=lambda jump: jump.times, default=None)


@dataclass(frozen=True)
class Sweep:
    """From `begin` to `end`, in steps of one ratio; in whole numbers, or not."""

    name: str
    begin: float
    end: float
    work: Callable[[float], Point]
    whole: bool = True

    def points(self, step: float) -> list[Point]:
        """In its direction; where the work jumps, the steps are halved until they are 1 %."""
        count = max(1, math.ceil(abs(math.log(self.end / self.begin)) / math.log(1 + step)))
        at = {x: self.work(x) for x in self._rounded(np.geomspace(self.begin, self.end, count + 1))}
        while True:
            order = sorted(at, reverse=self.end < self.begin)
            middles = [math.sqrt(a * b) for a, b in pairwise(order) if self._jumps(at[a], at[b])]
            new = [x for x in self._rounded(middles) if x not in at]
            if not new:
                return [at[x] for x in order]
            at |= {x: self.work(x) for x in new}

    def _jumps(self, one: Point, other: Point) -> bool:
        """Whether somewhere between them 1 % may make much of a difference."""
        wide = abs(math.log(other.x / one.x)) > math.log(FINE) * 1.001
        return wide and abs(math.log(other.work / one.work)) > math.log(STEEP)

    def _rounded(self, xs: Sequence[float] | NDArray[np.float64]) -> list[float]:
        return list(dict.fromkeys(float(round(x)) if self.whole else float(x) for x in xs))


class Bench:
    """Vectors, queries, and the index of all vectors that most sweeps begin with."""

    def __init__(self, rows: int, dim: int, queries: int, folder: str) -> None:
        random = np.random.default_rng(7)
        drawn = promise.heavy_clusters(random, rows + MOST_FRESH + queries, dim)
        self.base, self.fresh, self.queries = np.split(drawn, [rows, rows + MOST_FRESH])
        self.order = random.permutation(rows)
        self.stored = self.base[self.order[:queries]]
        self.path = str(Path(folder, "index"))
        self.index = sealed(self.base)
        self.index.save(self.path)
        self.distances = np.sort(
            self.index.search(self.queries, min(2 * MOST_K, rows), exact=True).distances, axis=None
        )
        self.first = functools.cache(lambda n: sealed(self.base[:n]))
        self.left = functools.cache(lambda count: self._changed(lambda index: index.remove(self.order[count:])))
        self.beside = functools.cache(lambda count: self._changed(lambda index: index.add(self.fresh[:count])))

    def by_k(self, ask: str, k: float) -> Point:
        return self._mean(ask, k, self.index, k=int(k))

    def by_n(self, ask: str, n: float) -> Point:
        return self._mean(ask, n, self.first(int(n)))

    def by_missed(self, ask: str, missed: float) -> Point:
        return self._mean(ask, missed, self.index, recall=1 - missed)

    def by_filter(self, ask: str, count: float) -> Point:
        return self._mean(ask, count, self.index, filter=self.index.filter(self.order[: int(count)]))

    def by_left(self, ask: str, count: float) -> Point:
        return self._mean(ask, count, self.left(int(count)))

    def by_fresh(self, ask: str, count: float) -> Point:
        return self._mean(ask, count, self.beside(int(count)))

    def radius(self, k: int) -> float:
        """That has k neighbours of a query within it, on average."""
        return float(self.distances[min(k * len(self.queries), len(self.distances)) - 1])

    def _changed(self, change: Callable[[Index], object]) -> Index:
        index = Index.open(self.path)
        change(index)
        return index

    def _mean(
        self,
        ask: str,
        x: float,
        index: Index,
        *,
        k: int = K,
        recall: float = DEFAULT_RECALL,
        filter: Filter | None = None,
    ) -> Point:
        asked, options = self.queries, {"k": k, "recall": recall}
        if ask == NEIGHBORS_OF:  # one more, as the vector finds itself
            asked, options = self.stored, {"k": k + 1, "recall": recall_with_itself(recall, k)}
        elif ask == RANGE_SEARCH:
            options = {"radius": self.radius(k)}
        every = [index.explain(query, filter=filter, **options).stages for query in asked]  # type: ignore[arg-type]
        counts = [{stage.name: stage.count for stage in stages} for stages in every]
        compared = np.mean([each["narrow"] + each["compare"] for each in counts])  # rerank takes some of these again
        if ask == RANGE_SEARCH:
            compared += np.mean([each["rerank"] for each in counts])
        return Point(x, float(np.mean([each["scan"] for each in counts])), float(compared))

    def sweeps(self) -> list[Sweep]:
        rows = len(self.base)
        ends: dict[str, tuple[float, float, Callable[[str, float], Point]]] = {
            "k": (1, min(MOST_K, rows - 1), self.by_k),
            "n": (1, min(MOST_N, rows), self.by_n),
            "recall": (0.5, 0.0005, self.by_missed),
            "filter": (rows, max(1, round(rows / 10_000)), self.by_filter),
            "removed": (rows, max(1, round(rows / 100)), self.by_left),
            "fresh": (1, MOST_FRESH, self.by_fresh),
        }
        sweeps = []
        for name in NAMES:
            ask, along = asked(name)
            begin, end, work = ends[along]
            sweeps.append(Sweep(name, begin, end, functools.partial(work, ask), whole=along != "recall"))
        return sweeps


ALONG = ["k", "n", "recall", "filter", "removed", "fresh"]
NEIGHBORS_OF, RANGE_SEARCH = "neighbors_of", "range_search"
NAMES = (
    ALONG
    + [f"{NEIGHBORS_OF} {each}" for each in ALONG]
    + [f"{RANGE_SEARCH} {each}" for each in ALONG if each != "recall"]
)
"""Of sweeps: how it is asked, where that is not by `search`, and what is swept."""


def asked(name: str) -> tuple[str, str]:
    ask, _, along = name.rpartition(" ")
    return ask or "search", along


def sealed(vectors: Vectors) -> Index:
    index = Index(vectors.shape[1], "euclidean")
    index.add(vectors)
    index.optimize()
    return index


def shown(name: str, x: float, rows: int) -> str:
    """A place along a sweep, as one would say it."""
    along = asked(name)[1]
    if along == "recall":
        return f"{1 - x:.5g}"
    if along == "filter":
        return f"{x / rows:.3%} ({x:,.0f})"
    if along == "removed":
        return f"{1 - x / rows:.2%} ({x:,.0f} left)"
    return f"{x:,.0f}"


def steepness(name: str, jump: Jump | None, rows: int) -> tuple[str, str]:
    """Two cells: how steep, in bold where it should not be, and where."""
    if jump is None:
        return "none", ""
    begin, end = (f"{shown(name, at.x, rows)}: {few(at.work)}" for at in (jump.begin, jump.end))
    bold = "**" if jump.times > TARGET else ""
    return f"{bold}{jump.times:.3f} ×{bold}", f"{begin} → {end}"


def table(swept: dict[str, list[Point]], rows: int) -> str:
    cells = [["along", "from, to", "points", "work there", "steepest rise", "where", "steepest fall", "where"]]
    for name, points in swept.items():
        ends = [shown(name, points[at].x, rows) for at in (0, -1)]
        work = f"{few(points[0].work)}, {few(points[-1].work)}"
        told = [cell for jump in extremes(points) for cell in steepness(name, jump, rows)]
        cells.append([name, ", ".join(ends), str(len(points)), work, *told])
    return markdown(cells)


def draw(swept: dict[str, list[Point]], rows: int, path: Path) -> None:
    """A panel for each sweep of `search`, what else was asked beside it; harder is to the right."""
    along = list(dict.fromkeys(asked(name)[1] for name in swept))
    figure = wide_figure()
    figure.set_size_inches(16, 4.8 * math.ceil(len(along) / 3))
    places = figure.subplots(math.ceil(len(along) / 3), 3, squeeze=False).flat
    for axes, each in zip(places, along, strict=False):
        if each in swept:
            lines(axes, swept[each])
            marked(axes, each, swept[each], rows)
        for ask, colour in ((NEIGHBORS_OF, "tab:green"), (RANGE_SEARCH, "tab:purple")):
            points = swept.get(f"{ask} {each}", [])
            axes.plot([p.x for p in points], [p.work for p in points], "--", color=colour, label=ask)
        labelled(axes, each, rows)
        axes.legend(fontsize=9)
    for axes in figure.axes[len(along) :]:
        axes.set_axis_off()
    figure.savefig(path, dpi=110)


def lines(axes: Axes, points: Sequence[Point]) -> None:
    xs = [point.x for point in points]
    axes.plot(xs, [point.work for point in points], color="black", linewidth=2.5, label="both")
    for what, colour in (("scanned", "tab:blue"), ("compared", "tab:orange")):
        counts = [getattr(point, what) or np.nan for point in points]
        axes.plot(xs, counts, color=colour, linewidth=1.2, marker=".", markersize=3, label=what)


def labelled(axes: Axes, name: str, rows: int) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

    axes.set(xscale="log", yscale="log", ylabel="rows of a query")
    axes.set_xlabel(
        {
            "k": "k, or neighbours within the radius",
            "n": "n, rows in the index",
            "recall": "recall asked for",
            "filter": "share that the filter keeps",
            "removed": "share removed",
            "fresh": "fresh rows beside the sealed ones",
        }[name]
    )
    ticks: dict[str, list[tuple[float, str]]] = {
        "recall": [(1 - recall, f"{recall:g}") for recall in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.9995)],
        "filter": [(share * rows, f"{share:.4g}") for share in (1, 0.1, 0.01, 0.001, 0.0001)],
        "removed": [((1 - share) * rows, f"{share:g}") for share in (0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)],
    }
    if name in ticks:
        axes.set_xticks(*zip(*ticks[name], strict=True))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.invert_xaxis()
    else:
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)


def marked(axes: Axes, name: str, points: Sequence[Point], rows: int) -> None:
    """The title, and rings where the work jumps more than it should."""
    told = []
    for jump, word in zip(extremes(points), ("rise", "fall"), strict=True):
        if jump is None:
            told.append(f"no {word}")
            continue
        told.append(f"{word} {jump.times:.3f} × at {shown(name, jump.end.x, rows)}")
        if jump.times > TARGET:
            ends = ([jump.begin.x, jump.end.x], [jump.begin.work, jump.end.work])
            axes.plot(*ends, "o", color="tab:red", fillstyle="none", markersize=9)
    axes.set_title(f"{name}\n{'; '.join(told)}", fontsize=10)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--queries", type=int, default=32)
    parser.add_argument("--step", type=float, default=0.05, help="between points, as a share (default 0.05)")
    parser.add_argument("--only", choices=NAMES, nargs="+", default=NAMES, help="sweeps (default: all)")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    given = parser.parse_args(words)
    if min(given.queries, given.dim) < 1 or given.rows < max(1000, given.queries) or not 0 < given.step <= 10:
        parser.error("--queries, --dim: expected at least 1, --rows 1,000 and as many as queries, --step 0 to 10")
    swept = {}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given.rows, given.dim, given.queries, folder)
        for sweep in bench.sweeps():
            if sweep.name in given.only:
                swept[sweep.name] = sweep.points(given.step)
                say(f"{sweep.name}: {len(swept[sweep.name])} points")
    given.out.mkdir(parents=True, exist_ok=True)
    kept = {
        "machine": machine(),
        "software": software(),
        "rows": given.rows,
        "dim": given.dim,
        "queries": given.queries,
    }
    kept["sweeps"] = {name: [asdict(point) for point in points] for name, points in swept.items()}
    (given.out / "cliffs.json").write_text(json.dumps(kept, indent=1))
    draw(swept, given.rows, given.out / "cliffs.png")
    print(f"Heavy-tailed clusters, {given.rows:,} × {given.dim}, euclidean, {given.queries} queries; of 1 % more\n")
    print(table(swept, given.rows))


if __name__ == "__main__":
    main()
