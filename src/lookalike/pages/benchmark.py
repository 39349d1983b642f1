"""The page of a benchmark: how fast everyone finds how much, and what it takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lookalike.bench.competitors import OURS
from lookalike.bench.report import TARGETS, Against, Rate, Ratio, against, best, few, rate_at, setting_at, size
from lookalike.bench.results import MODES, Mode, Outcome, Point, Results, described
from lookalike.bench.summary import AT, summary
from lookalike.bench.truth import noun
from lookalike.pages.gallery import Tile, environment
from lookalike.pages.plot import MODE_TITLES, charts, names


class Found(NamedTuple):
    """What one method gave for a query.

    Attributes:
        method: its name, perhaps with its setting.
        recall: of that setting, over all queries that were asked.
        ids: those that were found, nearest first.
        true: of each whether it is as near as the true neighbours are: one at the same distance counts.
    """

    method: str
    recall: float
    ids: Sequence[int]
    true: Sequence[bool]


class Lookalikes(NamedTuple):
    """One query: its k true neighbours, nearest first, and what each method found."""

    query: Tile
    exact: Sequence[int]
    found: Sequence[Found]


class Shown(NamedTuple):
    """A row of pictures: (id, whether it is a true neighbour), and the true ones that were missed."""

    method: str
    recall: float
    pictures: Sequence[tuple[int, bool]]
    missed: Sequence[int]


class Speed(NamedTuple):
    """A cell: one competitor at one recall; None where it does not get there.

    Attributes:
        at: its fastest setting that finds so much.
        best: whether no peer is better there.
        most: the recall that it gets to.
    """

    rate: Rate | None
    at: Point | None
    ratio: Ratio | None
    best: bool
    most: float


class Cost(NamedTuple):
    """A cell: a figure, its share of the largest in its column, in per cent, and what is to be said of it."""

    text: str
    share: float
    note: str = ""


class Column(NamedTuple):
    """What is compared.

    Attributes:
        keys: with what notes on it begin, as in "added: its index is built once"; the second if it is not known.
        value: None where it is not known.
        digits: behind the decimal point.
        otherwise: why it is not known, where no note says so.
    """

    title: str
    unit: str
    keys: Sequence[str]
    value: Callable[[Outcome], float | None]
    digits: int = 0
    otherwise: str = ""


UNITS = ((1e6, "s"), (1e3, "ms"), (1, "µs"))  # of µs, where there are at least ten of them

SILENT = "the system does not tell"
COLUMNS = (
    Column("to build", "s", [], lambda one: one.build_seconds, 1),
    Column("memory to build, at most", "MB", [], lambda one: _mega(one.build_peak or None), otherwise=SILENT),
    Column("memory of the index", "MB", [], lambda one: _mega(one.memory)),
    Column("memory to search, at most", "MB", [], lambda one: _mega(one.search_peak or None), otherwise=SILENT),
    Column("on disk", "MB", ["disk"], lambda one: _mega(one.disk)),
    Column("from disk to a first answer", "s", ["load", "disk"], lambda one: one.load, 2),
    Column("added", "a second", ["added"], lambda one: one.added),
    Column("deleted", "a second", ["removed"], lambda one: one.removed),
    Column("a call among only 100", "µs", [], lambda one: one.overhead, 1, "the library wants more than that"),
)


def benchmark_page(
    results: Results, lookalikes: Sequence[Lookalikes] = (), pictures: Mapping[int, Tile] | None = None
) -> str:
    """One HTML page like that of `gallery`: the plots, tables of speed and cost, and how it was measured.

    Args:
        lookalikes: for a collection of pictures, what some queries found.
        pictures: by id, of everything that `lookalikes` names; each is in the page once.

    Raises:
        ArgumentError: a thumbnail is none of JPEG, PNG and WebP.
    """
    costs = _costs([one for one in results.outcomes if one.single or one.batch])
    peers = sum(one.name != OURS for one in results.outcomes)
    tables = [(one.query, [_shown(found, one.exact) for found in _with_exact(one)]) for one in lookalikes]
    return (
        environment()
        .get_template("benchmark.html")
        .render(
            title=f"{results.dataset}: lookalike beside {peers} other{'' if peers == 1 else 's'}",
            results=results,
            summary=summary(results),
            charts=charts(results),
            names=names(results),
            targets=TARGETS,
            speeds=[(MODE_TITLES[mode], mode, _speeds(results, mode)) for mode in MODES],
            columns=COLUMNS,
            costs=costs,
            notes=list(dict.fromkeys(cell.note for _, cells in costs for cell in cells if cell.note)),
            remarks=_remarks,
            swept=_swept,
            setting=described,
            few=few,
            times=_times,
            tables=tables,
            pictures=_used(tables, pictures or {}),
            facts=_facts(results),
            ours=OURS,
            things=noun(results.distance),
        )
    )


def _speeds(results: Results, mode: Mode) -> list[tuple[Outcome, list[Speed]]]:
    """A row for each that was measured: the fastest at recall 0.95 first, who does not get there last."""
    pairs = {target: against(results, mode, target) for target in TARGETS}
    bests = {target: best(pairs[target]) for target in TARGETS}
    rows = [
        (one, [_speed(one.name, one.points(mode), target, pairs[target], bests[target]) for target in TARGETS])
        for one in results.outcomes
        if one.points(mode)
    ]
    return sorted(rows, key=lambda row: _order(row[0].points(mode)))


def _speed(name: str, points: Sequence[Point], target: float, pairs: Sequence[Against], first: Against | None) -> Speed:
    ratio = next((pair.ratio for pair in pairs if pair.peer == name), None)
    most = max(point.recall for point in points)
    is_best = first is not None and first.peer == name
    return Speed(rate_at(points, target), setting_at(points, target), ratio, is_best, most)


def _order(points: Sequence[Point]) -> tuple[float, float]:
    rate = rate_at(points, AT)
    return (-rate.value if rate else 0, -max(point.recall for point in points))


def _costs(measured: Sequence[Outcome]) -> list[tuple[Outcome, list[Cost]]]:
    largest = [max((column.value(one) or 0 for one in measured), default=0) for column in COLUMNS]
    return [(one, [_cost(one, *of_column) for of_column in zip(COLUMNS, largest, strict=True)]) for one in measured]


def _cost(outcome: Outcome, column: Column, most: float) -> Cost:
    value = column.value(outcome)
    if value is None:
        return Cost("–", 0, _noted(outcome, column.keys) or column.otherwise)
    share = 100 * max(0, value) / most if most else 0
    return Cost(f"{value:,.{column.digits}f}", share, _noted(outcome, column.keys[:1]))


def _noted(outcome: Outcome, keys: Sequence[str]) -> str:
    """The first note that begins with one of the keys, without it; "" if there is none."""
    noted = (note.partition(": ") for note in outcome.notes)
    return next((text for key, _, text in noted if key in keys), "")


def _remarks(outcome: Outcome) -> list[str]:
    """The notes that are not about a cell."""
    keys = {key for column in COLUMNS for key in column.keys}
    return [note for note in outcome.notes if note.partition(": ")[0] not in keys]


def _mega(count: int | None) -> float | None:
    return None if count is None else count / 1e6


def _with_exact(one: Lookalikes) -> list[Found]:
    return [Found("the true neighbours", 1.0, one.exact, [True] * len(one.exact)), *one.found]


def _shown(found: Found, exact: Sequence[int]) -> Shown:
    """What is missed: of the true ones that are not there the nearest; others were found in place of the rest."""
    absent = [one for one in exact if one not in found.ids]
    missed = absent[: max(0, len(exact) - sum(found.true))]
    return Shown(found.method, found.recall, list(zip(found.ids, found.true, strict=True)), missed)


def _used(tables: Sequence[tuple[Tile, Sequence[Shown]]], pictures: Mapping[int, Tile]) -> dict[int, Tile]:
    """The pictures that stand on the page, by id."""
    shown = [row for _, rows in tables for row in rows]
    ids = {one for row in shown for one in (*(one for one, _ in row.pictures), *row.missed)}
    return {one: pictures[one] for one in sorted(ids)}


def _times(latencies: Sequence[float]) -> str:
    """All in the unit that suits the least."""
    size, unit = next((pair for pair in UNITS if latencies[0] >= 10 * pair[0]), UNITS[-1])
    return f"{' · '.join(few(time / size) for time in latencies)} {unit}"


def _swept(outcome: Outcome) -> list[tuple[str, str]]:
    """Every parameter of the search, and the values that were measured."""
    settings = [point.setting for point in (*outcome.single, *outcome.batch)]
    parameters = dict.fromkeys(name for setting in settings for name in setting)
    return [
        (name, ", ".join(f"{value:g}" for value in sorted({one[name] for one in settings if name in one})))
        for name in parameters
    ]


def _facts(results: Results) -> list[tuple[str, str]]:
    return [
        ("Data set", results.dataset),
        (noun(results.distance).capitalize(), size(results).replace("sets ", "")),
        ("Distance", results.distance),
        ("Queries", f"{results.queries:,}"),
        ("Neighbours of each", f"{results.k}"),
        ("Rounds", f"{results.rounds}"),
        ("Machine", results.machine),
        ("Threads of builds and batches", f"{results.threads}"),
        ("Seed", f"{results.seed}"),
        *([("Began", results.began)] if results.began else []),
        *results.software.items(),
    ]
