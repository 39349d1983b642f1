"""Recall against queries/s, as a picture; the only file that imports matplotlib."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lookalike.bench.competitors import OURS
from lookalike.bench.report import frontier
from lookalike.bench.results import MODES, Results
from lookalike.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TICKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
MOST = 0.9995  # a recall of 1 would be infinitely far to the right


def draw(results: Results, path: str | os.PathLike[str]) -> None:
    """Two panels, single and batched: up and to the right is better. Halving the misses is as far everywhere.

    Raises:
        ArgumentError: matplotlib is not installed.
    """
    figure = wide_figure()
    from matplotlib.colors import TABLEAU_COLORS

    for axes, mode in zip(figure.subplots(1, 2), MODES, strict=True):
        axes.set_prop_cycle(linestyle=["-"] * 10 + ["--"] * 10, color=[*TABLEAU_COLORS] * 2)
        for outcome in results.outcomes:
            if line := frontier(outcome.points(mode)):
                recalls = [min(point.recall, MOST) for point in line]
                rates = [point.rate for point in line]
                ours = {"color": "black", "linewidth": 3} if outcome.name == OURS else {}
                axes.plot(recalls, rates, marker=".", label=outcome.name, **ours)
        axes.set(title=f"{results.dataset}, {mode}", xlabel=f"recall@{results.k}", ylabel="queries/s")
        axes.set_xscale("logit", nonpositive="clip")
        axes.set_yscale("log")
        axes.set(xlim=(TICKS[0], MOST), xticks=TICKS, xticklabels=TICKS)
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path)


def wide_figure() -> Figure:
    """For two panels. ArgumentError: matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ArgumentError("drawing needs matplotlib: pip install 'lookalike[bench]'") from error
    return Figure(figsize=(14, 6), layout="constrained")
