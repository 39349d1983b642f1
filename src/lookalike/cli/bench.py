"""`lookalike bench DATA...`: the same vectors, searched by everybody."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from lookalike.cli.vectors import FormatOption, KeyOption, LayoutOption

if TYPE_CHECKING:
    from lookalike.bench.given import Given, Split
    from lookalike.bench.results import Results
    from lookalike.bench.runner import Plan, Say
    from lookalike.bench.truth import Distance, Ids

_EFFORT = "Effort"


def bench(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA...",
            help="A file of vectors, a collection, or an HDF5 file of ann-benchmarks' layout, of vectors or sets.",
        ),
    ],
    peers: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,...", help="Which to measure beside lookalike; by default all that are installed."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="Neighbours of a query.")] = 10,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE",
            help="How many; or a file of them. By default the data's own, at most 10,000, or 1,000 that are held out.",
        ),
    ] = None,
    out: Annotated[str, typer.Option(metavar="DIR", help="Where to keep the results, by data set.")] = "bench-results",
    metric: Annotated[
        Literal["cosine", "euclidean"] | None, typer.Option(help="By default what the data say, or cosine.")
    ] = None,
    tune: Annotated[bool, typer.Option("--tune", help="Use the data's second set of queries, to tune with.")] = False,
    seed: Annotated[int, typer.Option(help="Of the queries that are held out.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Measure anew what was measured before.")] = False,
    json: Annotated[bool, typer.Option("--json", help="All that was measured, one JSON object for each set.")] = False,
    rounds: Annotated[
        int, typer.Option(help="How often everything is measured; the best counts.", rich_help_panel=_EFFORT)
    ] = 2,
    threads: Annotated[
        int, typer.Option(help="Of builds and batches; 0 for one on each core.", rich_help_panel=_EFFORT)
    ] = 0,
    single: Annotated[
        int, typer.Option(metavar="N", help="Queries that are asked one by one.", rich_help_panel=_EFFORT)
    ] = 1000,
    build_limit: Annotated[
        float, typer.Option(metavar="SECONDS", help="After which a build is stopped.", rich_help_panel=_EFFORT)
    ] = 300,
    search_limit: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Of a peer's searches, after which no setting is begun.", rich_help_panel=_EFFORT
        ),
    ] = 120,
    layout: LayoutOption = None,
    format: FormatOption = None,
    key: KeyOption = None,
) -> int:
    """Measure lookalike and its peers on your vectors: recall, speed, memory; and make a page of it.

    Each is built once and searched at several settings, in a process of its own. The page, a CSV file, and files for
    ann-benchmarks are kept in DIR; interrupted, the same command goes on. Peers come with the extra called bench.
    """
    from lookalike.arrays import as_count
    from lookalike.bench.competitors import as_names
    from lookalike.bench.machine import cores
    from lookalike.bench.report import document
    from lookalike.bench.runner import Plan
    from lookalike.cli.output import print_json, print_line

    names = as_names(",".join(peers).split(",")) if peers else None
    plan = Plan(
        as_count("k", k, 1, 1000),
        as_count("rounds", rounds, 1, 100),
        as_count("threads", threads, 0, 1024) or cores(),
        as_count("single", single, 1),
        build_limit=_seconds("build-limit", build_limit),
        search_limit=_seconds("search-limit", search_limit),
    )
    how = {"layout": layout, "format": format, "key": key}
    sets = [_opened(path, metric, queries, tune, how) for path in data]
    _require_different([one.given.name for one in sets])
    count = int(queries) if queries is not None and queries.isdecimal() else None
    every = [_measured(one, names, plan, metric, count, seed, os.path.join(out, one.given.name), again) for one in sets]
    for results in every if json else ():
        print_json(asdict(results))
    if not json:
        print_line(document(every))
    return 0


class _Set(NamedTuple):
    """What is measured; of a collection of pictures also where it lies, and the id of every row."""

    given: Given
    place: str = ""
    ids: Ids | None = None


def _opened(path: str, metric: Distance | None, queries: str | None, tune: bool, how: dict[str, Any]) -> _Set:
    from lookalike.bench.given import from_file, with_queries

    opened = _collection(path, metric) if os.path.isdir(path) else _Set(from_file(path, tune=tune, **how))
    if queries is None or queries.isdecimal():
        return opened
    return _Set(with_queries(opened.given, queries))


def _collection(path: str, metric: Distance | None) -> _Set:
    import numpy as np

    from lookalike.bench.datasets import DISTANCES
    from lookalike.bench.given import Given
    from lookalike.collection import Collection
    from lookalike.errors import ArgumentError

    with Collection.open(path) as collection:
        about = collection.info()
        distance = DISTANCES.get(about.metric)
        if distance is None and metric is None:
            raise ArgumentError(f"{path}: its metric is {about.metric}; expected cosine or euclidean: pass --metric")
        ids, vectors = collection.examine(
            lambda index, _: (index.ids, np.stack([index[id] for id in index.ids.tolist()]))
        )
    given = Given(os.path.basename(os.path.abspath(path)), distance, vectors)
    return _Set(given, path, ids) if about.things == "pictures" else _Set(given)


def _measured(
    one: _Set,
    names: Sequence[str] | None,
    plan: Plan,
    metric: Distance | None,
    count: int | None,
    seed: int,
    folder: str,
    again: bool,
) -> Results:
    """Measures, and writes all that is kept."""
    from lookalike.bench.competitors import everyone
    from lookalike.bench.given import split
    from lookalike.bench.run import run
    from lookalike.cli.bar import Bar
    from lookalike.cli.syncing import note

    with _writing_into(folder):
        os.makedirs(folder, exist_ok=True)
        with Bar("exact neighbours", "queries") as bar:
            parted = split(one.given, metric, count, plan.k, seed, os.path.join(folder, "truth.npz"), bar.show)
        data, queries = parted.data, len(parted.data.test.vectors)
        count, dim = data.base.shape
        what = f"sets over {dim:,} items" if data.distance == "jaccard" else f"vectors of {dim}"
        note(f"{data.name}: {count:,} {what}, {queries:,} queries, {data.distance}")
        wanted = everyone(data.distance) if names is None else names
        with _doing() as now:
            results = run(data, wanted, plan, folder, seed, again=again, say=note, now=now)
        _written(results, one, parted, folder)
    note(f"to look at: {os.path.join(folder, 'index.html')}")
    return results


def _written(results: Results, one: _Set, parted: Split, folder: str) -> None:
    from lookalike.bench.csv_file import write_csv
    from lookalike.bench.run import FOUND
    from lookalike.cli.lookalikes import lookalikes
    from lookalike.pages import benchmark_page, charts, plot, write_page

    results.save(os.path.join(folder, "results.json"))
    write_csv([results], os.path.join(folder, "results.csv"))
    for chart in charts(results):
        write_page(plot(results, chart.mode), os.path.join(folder, f"recall-{chart.mode}.svg"))
    found = os.path.join(folder, FOUND)
    shown = ([], {}) if one.ids is None else lookalikes(one.place, one.ids, parted, results, found)
    write_page(benchmark_page(results, *shown), os.path.join(folder, "index.html"))


@contextmanager
def _writing_into(folder: str) -> Iterator[None]:
    """What is said where it ends early."""
    from lookalike.cli.syncing import note
    from lookalike.errors import LookalikeError, WriteError

    try:
        yield
    except KeyboardInterrupt:
        note(f"what is finished is kept in {folder}: the same command goes on")
        raise
    except LookalikeError:
        raise
    except OSError as error:
        reason = error.strerror or error  # NumPy's own tells how much was written
        raise WriteError(f"cannot write into {folder}: {reason}; choose another with --out") from error


@contextmanager
def _doing() -> Iterator[Say]:
    """What is going on, in a line that turns, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update


def _seconds(name: str, value: float) -> float:
    from lookalike.errors import ArgumentError

    if not 0 < value < float("inf"):
        raise ArgumentError(f"{name} is {value:g}; expected a number of seconds above 0")
    return value


def _require_different(names: Sequence[str]) -> None:
    from lookalike.errors import ArgumentError

    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ArgumentError(f"two data sets are called {twice}; expected different names: measure them one by one")
