"""Results as a CSV: a row for each competitor, mode and setting, with everything that is known of it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

from lookalike.bench.results import MODES, Mode, Outcome, Point, Results
from lookalike.names import visible

COLUMNS = {
    "dataset": "its name",
    "distance": "cosine, euclidean …; jaccard, where they are sets",
    "n": "vectors, or sets, in the index",
    "dim": "numbers in a vector, or different items of all sets",
    "k": "neighbours of a query",
    "competitor": "its name",
    "version": "of its library",
    "parameters": "what its index was built with",
    "mode": "single: one query in each call, on one thread; batch: all in one call, on all threads",
    "setting": "the parameters of the search, as JSON",
    "asked": "queries, the first ones of the set",
    "recall": "share of their true neighbours that were found, 0 to 1",
    "distance_ratio": "how much farther than those what was found is, 1 at best",
    "best_qps": "queries/s in the best round",
    "worst_qps": "queries/s in the worst round",
    "rounds": "how often this setting was measured",
    "p50_us": "µs that half of the queries did not exceed, in the best round; empty for batches",
    "p95_us": "the same for 95 % of them",
    "p99_us": "the same for 99 % of them",
    "touched": "vectors that a query was compared with, in the mean; empty where that is not known",
    "build_s": "seconds to build the index",
    "build_peak_bytes": "of memory while it was built, the given vectors among them",
    "memory_bytes": "that the index takes in memory",
    "search_peak_bytes": "of memory while it was searched, the index among them",
    "call_us": "µs of a call on an index of 100 vectors",
    "disk_bytes": "of its files",
    "load_s": "seconds from its files to a first answer in a new process",
    "adds_per_s": "vectors/s added, one after the other",
    "deletes_per_s": "vectors/s deleted, one after the other",
    "threads": "of builds and batches",
    "machine": "its processor and cores",
    "software": "versions, as JSON, the commit of lookalike among them",
    "seed": "of what was drawn",
    "began": "when this competitor's turn began, ISO 8601",
    "notes": "why one of these is empty, or what else fell short",
    "error": "why there is nothing, or nothing more, of this competitor",
}
"""The columns in their order, and what they mean."""


def write_csv(every: Sequence[Results], path: str | os.PathLike[str]) -> None:
    """Writes all settings of all competitors; one that has none to show for itself has a row with its error.

    UTF-8, a title line, a row a line: line breaks in a text appear as escapes. What is not known is empty.
    OSError where it cannot be written.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for results in every:
            writer.writerows(_shown(row) for row in rows(results))


def rows(results: Results) -> Iterator[dict[str, Any]]:
    """By column, of every setting; None, or no column, for what is not known."""
    for outcome in results.outcomes:
        common = _of_run(results) | _of_competitor(outcome)
        points = [(mode, point) for mode in MODES for point in outcome.points(mode)]
        yield from (common | _of_point(mode, point) for mode, point in points)
        if not points:
            yield {
                name: common[name] for name in (*_of_run(results), "competitor", "version", "began", "notes", "error")
            }


def _of_run(results: Results) -> dict[str, Any]:
    return {
        "dataset": results.dataset,
        "distance": results.distance,
        "n": results.count,
        "dim": results.dim,
        "k": results.k,
        "threads": results.threads,
        "machine": results.machine,
        "software": json.dumps(results.software, ensure_ascii=False),
        "seed": results.seed,
    }


def _of_competitor(outcome: Outcome) -> dict[str, Any]:
    return {
        "competitor": outcome.name,
        "version": outcome.version,
        "parameters": outcome.parameters,
        "build_s": outcome.build_seconds,
        "build_peak_bytes": outcome.build_peak,
        "memory_bytes": outcome.memory,
        "search_peak_bytes": outcome.search_peak,
        "call_us": outcome.overhead,
        "disk_bytes": outcome.disk,
        "load_s": outcome.load,
        "adds_per_s": outcome.added,
        "deletes_per_s": outcome.removed,
        "began": outcome.began,
        "notes": "; ".join(outcome.notes),
        "error": outcome.error,
    }


def _of_point(mode: Mode, point: Point) -> dict[str, Any]:
    return {
        "mode": mode,
        "setting": json.dumps(point.setting),
        "asked": point.asked,
        "recall": point.recall,
        "distance_ratio": None if isnan(point.ratio) else point.ratio,  # where nothing was found
        "best_qps": max(point.rates),
        "worst_qps": min(point.rates),
        "rounds": len(point.rates),
        **dict(zip(("p50_us", "p95_us", "p99_us"), point.latencies, strict=False)),
        "touched": point.touched,
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: visible(value) if isinstance(value, str) else value for name, value in row.items()}
