"""Time of a query, of building, and memory against n, all logarithmic, as a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.bench.plot import wide_figure
from scale.figures import Run, Size
from scale.tables import ORIGINAL

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Line(NamedTuple):
    """A quantity of every size; `power` is that of n beside which it is drawn as well."""

    label: str
    value: Callable[[Size], float | None]
    colour: str
    power: float | None = None


QUERY = [
    Line("7 ms a comparison (the first experiment)", lambda size: ORIGINAL * size.count, "tab:gray"),
    Line("one pair at a time (extrapolated)", lambda size: size.pair * size.count, "tab:brown"),
    Line("exact", lambda size: size.mapped.exact, "tab:orange"),
    Line("at recall 0.95", lambda size: size.mapped.query, "black", 0.5),
]
BUILD = [Line("to build", lambda size: size.built.seconds, "black", 1.5)]
MEMORY = [
    Line("to build, at most", lambda size: size.built.peak / 1e9, "tab:red"),
    Line("of the index", lambda size: size.built.memory and size.built.memory / 1e9, "black"),
    Line("its file", lambda size: size.built.disk / 1e9, "tab:blue"),
    Line("the float vectors", lambda size: size.floats / 1e9, "tab:gray"),
]
PANELS = (("s of a query", QUERY), ("s to build", BUILD), ("GB", MEMORY))
GUIDES = {0.5: "√n", 1.5: "n√n"}


def draw(run: Run, path: str | os.PathLike[str]) -> None:
    """ArgumentError: matplotlib is not installed."""
    _figure(run).savefig(path)


def svg(run: Run) -> str:
    """For the middle of a page. ArgumentError: matplotlib is not installed."""
    into = BytesIO()
    _figure(run).savefig(into, format="svg", metadata={"Date": None})
    text = into.getvalue().decode()
    return text[text.index("<svg") :]


def _figure(run: Run) -> Figure:
    figure = wide_figure()
    figure.set_size_inches(18, 6)
    dashed = "; dashed: drawn from a mixture" if any(size.synthetic for size in run.sizes) else ""
    for axes, (title, lines) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
        for line in lines:
            for number, series in enumerate(dict.fromkeys(size.series for size in run.sizes)):
                _draw(axes, line, [size for size in run.sizes if size.series == series], labelled=number == 0)
        axes.set(title=title, xlabel=f"vectors{dashed}", xscale="log", yscale="log")
        axes.margins(y=0.2)  # room for the names
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    return figure


def _draw(axes: Any, line: Line, sizes: Sequence[Size], *, labelled: bool) -> None:
    points = [(size.count, value) for size in sizes if (value := line.value(size)) is not None]
    if not points:
        return
    counts, values = zip(*points, strict=True)
    style = {"linestyle": "--", "markerfacecolor": "none"} if sizes[0].synthetic else {}
    axes.plot(counts, values, marker="o", color=line.colour, label=line.label if labelled else None, **style)
    if line.power is not None:
        grown = [values[0] * (count / counts[0]) ** line.power for count in counts]
        label = f"growing as {GUIDES[line.power]}" if labelled else None
        axes.plot(counts, grown, ":", color=line.colour, alpha=0.5, label=label)
