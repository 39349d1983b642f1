"""As it grows: time of a query and of building, and memory, for growing numbers of vectors.

    python benchmarks/scale data/sift.hdf5

A size is the first so many rows of the set, whose order must be random, or of vectors drawn from a mixture fitted to
it (mixture.py); its exact neighbours are computed anew. Each size is measured in processes of its own. What is
finished is kept, as are vectors and neighbours: interrupted, the same command goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lookalike.bench import memory
from lookalike.bench.datasets import load
from lookalike.bench.machine import machine, software
from lookalike.bench.plot import wide_figure
from lookalike.durable import draft, put
from lookalike.errors import LookalikeError
from lookalike.pages.write import write_page
from making import say
from scale.figures import Run, Size
from scale.page import page
from scale.plot import draw, svg
from scale.series import Series, real, synthetic
from scale.size import How, WorkerError, measure
from scale.tables import document
from sweeping import arguments

SPARE = 0.9
"""Of the memory that is free at the beginning, building may take so much."""


def main(words: Sequence[str] | None = None) -> None:
    given = _arguments(words)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        wide_figure()  # what cannot be drawn is to be known before it is measured
        series = _series(given)
        how = given.queries, given.k, given.rounds, given.processor
        run = Run(Path(given.data).stem, series[0].distance, *how, machine(), software(), began, [])
        run.sizes.extend(_sizes(series, given, run))
    except (LookalikeError, WorkerError) as error:
        sys.exit(str(error))
    print(document(run))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "scale.json").write_text(json.dumps(asdict(run), indent=1))
    draw(run, given.out / "scale.png")
    write_page(page(run, svg(run)), str(given.out / "scale.html"))
    say(f"{given.out}: scale.json, scale.png, scale.html")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments(__doc__)
    add = parser.add_argument
    add("--counts", type=int, nargs="*", metavar="N", default=[100_000, 1_000_000], help="first rows of the set")
    add("--mixture", type=int, nargs="*", metavar="N", default=[1_000_000, 10_000_000], help="rows of a mixture")
    add("--components", type=int, default=1000, help="of the mixture (default 1000)")
    add("--memory", type=float, metavar="GB", help="what building may take (default 0.9 of what is free)")
    add("--limit", type=float, metavar="MB", help="memory to search the largest size with (default half its vectors)")
    add("--work", type=Path, default=Path("bench-work/scale"), help="folder for vectors and what is finished")
    add("--out", type=Path, default=Path("bench-results"), help="folder for the results")
    parser.set_defaults(queries=1000)
    given = parser.parse_args(words)
    if not given.counts and not given.mixture:
        parser.error("expected sizes; received neither --counts nor --mixture")
    given.work.mkdir(parents=True, exist_ok=True)
    return given


def _series(given: argparse.Namespace) -> list[Series]:
    """As files; the set itself is not held any longer. As many queries are asked as there are."""
    data, folder = load(given.data).unit(), str(given.work)
    given.queries = min(given.queries, len(data.test.vectors))
    series = [real(data, given.counts, folder)] if given.counts else []
    return series + ([synthetic(data, given.mixture, given.components, folder)] if given.mixture else [])


def _sizes(series: Sequence[Series], given: argparse.Namespace, run: Run) -> Iterator[Size]:
    """One after the other, from what is kept or measured; of the largest also with less memory than its vectors."""
    every = [(one, count) for one in series for count in one.counts]
    largest = max(reversed(every), key=lambda pair: pair[1])
    free = int(given.memory * 1e9) if given.memory else int(SPARE * memory.available())
    how = How(given.queries, given.k, given.rounds, given.processor, free)
    asked = {name: value for name, value in asdict(how).items() if name != "memory"} | {"memory": given.memory}
    for one, count in every:
        limit = None
        if (one, count) == largest:
            limit = int(given.limit * 1e6) if given.limit else 4 * count * one.dim // 2
        key = {"vectors": one.key, "count": count, "how": asked, "limit": limit}
        key |= {"machine": run.machine, "software": run.software}
        yield _kept_or_measured(one, count, how, str(given.work), limit, key)


def _kept_or_measured(one: Series, count: int, how: How, folder: str, limit: int | None, key: dict[str, Any]) -> Size:
    path = os.path.join(folder, f"size-{one.key}-{count}.json")
    if (kept := _kept(path, key)) is not None:
        say(f"{one.name}, {count:,}: measured before")
        return kept
    size = measure(one, count, how, folder, limit)
    with draft(path) as beside:
        Path(beside).write_text(json.dumps({"key": key, "size": asdict(size)}, indent=1))
        put(beside, path)
    return size


def _kept(path: str, key: dict[str, Any]) -> Size | None:
    if not os.path.exists(path):
        return None
    kept = json.loads(Path(path).read_text())
    return Size.of(kept["size"]) if kept["key"] == key else None
