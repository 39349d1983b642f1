"""`python -m lookalike.bench DATA...`: measure, keep the results, print the tables."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from lookalike.bench import datasets
from lookalike.bench.competitors import NAMES
from lookalike.bench.plot import draw
from lookalike.bench.report import document
from lookalike.bench.results import Results
from lookalike.bench.runner import Plan, cores, run
from lookalike.errors import ArgumentError, LookalikeError


def main(words: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(words)
    try:
        every = [Results.load(path) if given.report else _measure(path, given) for path in given.data]
    except LookalikeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    shown = [results.by_processor() for results in every] if given.processor else every
    sys.stdout.write(f"{document(shown)}\n")
    return 0


def _measure(path: str, given: argparse.Namespace) -> Results:
    data = _load(path, given).unit()
    queries = data.tune if given.tune else data.test
    if queries is None:
        raise ArgumentError(f"{path}: expected a dataset called tune, since --tune was given")
    plan = Plan(given.k, given.rounds, given.threads or cores(), given.single)
    results = run(data, queries, given.competitors, plan, _say)
    if given.tune:
        results = replace(results, dataset=f"{results.dataset} (tune)")
    os.makedirs(given.results, exist_ok=True)
    kept = os.path.join(given.results, data.name)
    results.save(f"{kept}.json")
    draw(results, f"{kept}.png")
    _say(f"kept in {kept}.json, drawn in {kept}.png")
    return results


def _load(path: str, given: argparse.Namespace) -> datasets.Dataset:
    if given.queries is None:
        return datasets.load(path)
    return datasets.from_arrays(path, given.queries, given.distance)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lookalike.bench",
        description="Measure lookalike beside its peers: recall against queries/s, build time, memory.",
    )
    add = parser.add_argument
    add("data", nargs="+", help="HDF5 files laid out as ann-benchmarks'; or a .npy base, with --queries")
    add("--queries", metavar="NPY", help="the queries, when the data is a .npy file")
    add("--distance", choices=["cosine", "euclidean"], default="cosine", help="the distance, for .npy files")
    add("--competitors", type=_names, default=NAMES, metavar="A,B,...", help=f"from {', '.join(NAMES)} (default: all)")
    add("--k", type=_count, default=10, help="neighbours of a query (default 10)")
    add("--rounds", type=_count, default=3, help="of which the best counts (default 3)")
    add("--threads", type=int, default=0, help="of builds and batches (default: one on each core)")
    add("--single", type=_count, default=2000, help="queries to ask one by one (default: the first 2000)")
    add("--tune", action="store_true", help="use the file's second set of queries, to tune with")
    add("--results", default="bench-results", metavar="FOLDER", help="where to keep NAME.json and NAME.png")
    add("--report", action="store_true", help="measure nothing: the data are NAME.json files; print their tables")
    add("--processor", action="store_true", help="print queries/s of processor time: for a machine that is not idle")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in NAMES]:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(NAMES)}; received {', '.join(unknown)}")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, at least 1; received {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
