"""What was measured as tables, and in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import log
from typing import NamedTuple

from lookalike.bench.report import few, markdown
from scale.figures import Limited, Phase, Run, Searched, Size
from scale.searching import RECALL
from scale.worker import PAIRS

ORIGINAL = 7e-3
"""Seconds of a comparison in the experiment that this project began from, on another machine: almost two hours for a
query among a million pictures."""


class Table(NamedTuple):
    """`rows` begin with the titles."""

    title: str
    note: str
    rows: Sequence[Sequence[str]]


def document(run: Run) -> str:
    """Everything, in Markdown."""
    parts = [heading(run), *summary(run)]
    for table in tables(run):
        parts += [f"### {table.title}", table.note, markdown(table.rows)]
    return "\n\n".join(parts)


def heading(run: Run) -> str:
    """What was measured, where, and how."""
    clock = ", processor time" if run.processor else ""
    shares = ", ".join("?" if size.others is None else f"{100 * size.others:.0f} %" for size in run.sizes)
    return (
        f"{run.data}: {run.sizes[0].dim} dimensions, {run.distance}, {run.queries:,} queries, recall@{run.k}; "
        f"{run.machine}; builds and batches on all of them, queries on one thread; best of {run.rounds} rounds{clock}; "
        f"lookalike {run.software['lookalike']} {run.software.get('commit', '')}; while a size was measured, other "
        f"processes took this much of the processors: {shares}"
    )


def summary(run: Run) -> list[str]:
    """What became of seven milliseconds a comparison, for each count once."""
    firsts = {size.count: size for size in reversed(run.sizes)}
    return [_now(firsts[count]) for count in sorted(firsts)]


def tables(run: Run) -> list[Table]:
    return [_queries(run), _beside_the_original(run), _builds(run), _files(run), *_limited(run)]


def _now(size: Size) -> str:
    then, pairs, exact, query = ORIGINAL * size.count, size.pair * size.count, size.mapped.exact, size.mapped.query
    text = (
        f"{size.count:,} vectors{' (synthetic)' if size.synthetic else ''}: at 7 ms a comparison a query took "
        f"{_time(then)}. Now, on this machine, one pair at a time in Python takes {_time(pairs)} (extrapolated), "
        f"exact search {_time(exact)}, {_times(then, exact)} as fast"
    )
    if query is None:
        return f"{text}."
    return f"{text}, and finding {RECALL} of the true neighbours {_time(query)}, {_times(then, query)} as fast."


def _queries(run: Run) -> Table:
    titles = ["set", "vectors", "found, asked 0.95", "at 0.95", "exponent", "/ √n", "50, 95, 99 % within"]
    rows = [[*titles, "batch, queries/s", "exact", "in memory: found", "at 0.95", "batch, queries/s", "exact"]]
    for size, grown in _grown(run, lambda size: size.mapped.query, 0.5):
        mapped = [f"{size.mapped.found:.3f}", _time(size.mapped.query), *grown, _percentiles(size.mapped)]
        rows.append([*_name(size), *mapped, *_rates(size.mapped), *_in_memory(size.in_memory)])
    note = (
        "Opened from the file, which is in the system's cache, one query after the other on one thread; *in memory* is "
        "the index as it was built. *At 0.95* lies between the two settings of `recall=` around a found recall of "
        "0.95; percentiles and batches are those of `recall=0.95`. Of exact queries, which all do the same, the "
        "fastest counts. An exponent is that by which a time grew since the row above."
    )
    return Table("A query", note, rows)


def _beside_the_original(run: Run) -> Table:
    rows = [["set", "vectors", "7 ms × n", "a pair now", "pairs now", "×", "exact", "×", "at 0.95", "×"]]
    for size in run.sizes:
        then, pairs, mapped = ORIGINAL * size.count, size.pair * size.count, size.mapped
        cells = [_time(then), _time(size.pair), f"{_time(pairs)} (extrapolated)", _times(then, pairs)]
        for now in (mapped.exact, mapped.query):
            cells += [_time(now), "–" if now is None else _times(then, now)]
        rows.append([*_name(size), *cells])
    note = (
        "7 ms a comparison is the figure of the experiment that this project began from, on another machine. "
        "*A pair now* is one comparison in a loop in Python with NumPy, the best of all rounds over at most "
        f"{PAIRS:,} vectors; *pairs now* is n times that, not measured. *×* is how many times as fast as 7 ms × n."
    )
    return Table("Beside the first experiment", note, rows)


def _builds(run: Run) -> Table:
    rows = [["set", "vectors", "build", "exponent", "/ n√n", "as floats", "memory at most", "of the index", "how"]]
    for size, grown in _grown(run, lambda size: size.built.seconds, 1.5):
        one = size.built
        how = "in memory" if one.parts == 1 else f"{one.parts} parts, brought into one through files"
        memory = [_bytes(size.floats), _bytes(one.peak), _bytes(one.memory), how]
        rows.append([*_name(size), _time(one.seconds), *grown, *memory])
    note = (
        "On all cores. *Memory at most* is that of the process, *of the index* what is left when it is built. Where "
        "building in memory would take more than there is, parts are built and saved, and brought into one file."
    )
    return Table("Building", note, rows)


def _files(run: Run) -> Table:
    rows = [["set", "vectors", "on disk", "saved in", "first answer, cold", "read for it", "first answer, warm"]]
    rows[0] += ["memory of its own", "of files"]
    for size in run.sizes:
        one = size.opened
        answers = [_time(one.cold), _bytes(one.read), _time(one.warm), _bytes(one.anonymous), _bytes(one.mapped)]
        rows.append([*_name(size), _bytes(size.built.disk), _time(size.built.save), *answers])
    note = (
        "A first answer is that of `Index.open` and one search. *Cold*: the system was told to drop the file from its "
        "cache, and *read for it* is what then came from the disk. Memory is that of the process after all searches, "
        "exact ones among them; the system may take back what is of files."
    )
    return Table("Its file", note, rows)


def _limited(run: Run) -> Iterator[Table]:
    for size in run.sizes:
        if size.limited is not None:
            yield _less_memory(size, size.limited)
        elif size.unlimited:
            yield Table("Vectors larger than memory", f"Left out: {size.unlimited}.", [["set", "vectors"], _name(size)])


def _less_memory(size: Size, one: Limited) -> Table:
    rows = [["", "queries", "queries/s", "a query", "found", "read from the disk for each"]]
    phases = [("cold", one.cold), ("then", one.between), ("then", one.later)]
    rows += [[name, *_phase(phase)] for name, phase in phases if phase.queries]
    larger = "larger" if size.floats > one.limit else "not larger"
    used = "" if one.used is None else f", of which it held {_bytes(one.used)} at most"
    note = (
        f"{size.series}, {size.count:,} vectors: the float vectors take {_bytes(size.floats)}, the file "
        f"{_bytes(size.built.disk)}; the process that searches it may have {_bytes(one.limit)} ({one.by}), what it has "
        f"of files included{used}. The vectors are {larger} than that. `recall=0.95`, each query asked once."
    )
    return Table("Vectors larger than memory", note, rows)


def _phase(phase: Phase) -> list[str]:
    each = phase.seconds / phase.queries
    found = "" if phase.found is None else f"{phase.found:.3f}"
    return [f"{phase.queries:,}", few(1 / each), _time(each), found, _bytes(phase.read // phase.queries)]


def _grown(run: Run, what: Callable[[Size], float | None], power: float) -> Iterator[tuple[Size, tuple[str, str]]]:
    """Of each size the exponent since the one before of its series, and the ratio to n^power since the first."""
    firsts = dict[str, Size]()
    for before, size in pairwise([run.sizes[0], *run.sizes]):
        first = firsts.setdefault(size.series, size)
        now, begun, last = what(size), what(first), what(before)
        ratio = f"{now / begun / (size.count / first.count) ** power:.2f}" if now and begun else ""
        exponent = ""
        if before.series == size.series and before.count < size.count and now and last:
            exponent = f"{log(now / last) / log(size.count / before.count):.2f}"
        yield size, (exponent, ratio)


def _name(size: Size) -> list[str]:
    return [size.series, f"{size.count:,}"]


def _in_memory(one: Searched | None) -> list[str]:
    return ["–"] * 4 if one is None else [f"{one.found:.3f}", _time(one.query), *_rates(one)]


def _rates(one: Searched) -> list[str]:
    return [few(one.batch), _time(one.exact)]


def _percentiles(one: Searched) -> str:
    return f"{', '.join(few(time) for time in one.each)} µs"


def _times(then: float, now: float) -> str:
    """With two digits that count: the first of the two is known to one."""
    ratio = then / now
    digits = max(0, len(f"{ratio:.0f}") - 2)
    return f"{round(ratio, -digits):,.0f} ×"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    units = (("h", 3600.0, 1), ("min", 60.0, 2), ("s", 1.0, 1), ("ms", 1e-3, 1), ("µs", 1e-6, 0))
    unit, size = next((unit, size) for unit, size, least in units if seconds >= least * size)
    return f"{seconds / size:,.1f} {unit}"


def _bytes(count: int | None) -> str:
    if count is None:
        return "–"
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
