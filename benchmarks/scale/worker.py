"""A process of its own: takes a Work as JSON, does the task that it was started for, and prints what it measured."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from lookalike import Index
from lookalike.bench import memory
from lookalike.bench.competitors.brute import Pairs
from lookalike.bench.truth import Vectors
from lookalike.metric import Metric
from making import say
from scale.figures import Built, Opened
from scale.limited import most_used
from scale.searching import Work, bytes_read, forget, phase, searched

BUILDING = 3.5
"""Bytes that building takes at most for each byte of the vectors: 3.4 of 500,000 × 128, where most is beside them."""
PAIRS = 20_000
COLD, BETWEEN = 200, 3000
"""Queries of the first phase with limited memory, or a fifth of them, and of the second."""
PHASE = 90.0
"""Seconds of such a phase, after which no further query is asked."""


def pair(work: Work) -> dict[str, Any]:
    """Seconds to compare a query with one vector, one pair at a time in Python, as one would write it first."""
    pairs, rows = Pairs(), np.array(work.vectors[:PAIRS])
    pairs.build(rows, work.distance, threads=1)
    times = []
    for query in work.asked[: work.rounds]:
        begin = work.plan.clock()
        pairs.query(query, work.k)
        times.append(work.plan.clock() - begin)
    return {"pair": min(times) / len(rows)}


def build(work: Work) -> dict[str, Any]:
    """One index in memory, which is searched and saved; or, where that would take too much, parts brought into one."""
    parts = math.ceil(BUILDING * 4 * work.vectors.size / work.memory)
    memory.begin_peak()
    if parts > 1:
        return {"built": asdict(_in_parts(work, parts)), "in_memory": None}
    begin = work.plan.clock()
    index = _sealed(work, 0, work.count)
    seconds, most, after = work.plan.clock() - begin, memory.peak(), memory.resident()
    say(f"  built in {seconds:,.1f} s")
    begin = work.plan.clock()
    index.save(work.index)
    built = Built(seconds, most, after, 1, work.plan.clock() - begin, os.path.getsize(work.index))
    return {"built": asdict(built), "in_memory": asdict(searched(index, work))}


def opened(work: Work) -> dict[str, Any]:
    """The file opened when it is not in memory, and when it is; then searched."""
    query = work.asked[0]
    forget(work.index)
    before = bytes_read()
    cold, _ = _first_answer(work, query)
    read = bytes_read() - before
    warm, index = _first_answer(work, query)
    mapped = searched(index, work)
    figures = Opened(cold, read, warm, memory.resident(), memory.mapped())
    return {"opened": asdict(figures), "mapped": asdict(mapped)}


def limited(work: Work) -> dict[str, Any]:
    """The file searched, which is not in memory at first; what is found is handed over."""
    queries, asked = np.load(work.queries), len(work.asked)
    some = min(COLD, max(1, asked // 5))
    forget(work.index)
    index = Index.open(work.index)
    cold, cold_ids = phase(index, queries[:some], work.k, PHASE)
    between, _ = phase(index, queries[asked : asked + BETWEEN], work.k, PHASE)
    later, later_ids = phase(index, queries[some:asked], work.k, PHASE)
    phases = {"cold": asdict(cold), "between": asdict(between), "later": asdict(later)}
    return {"used": most_used(), "ids": {"cold": [0, cold_ids.tolist()], "later": [some, later_ids.tolist()]}, **phases}


def _sealed(work: Work, first: int, end: int) -> Index:
    """Added in one call: in several, some would be sealed twice, which takes a third more of the processor's time."""
    index = Index(work.vectors.shape[1], cast(Metric, work.distance))
    index.add(work.vectors[first:end], np.arange(first, end))
    index.optimize()
    return index


def _in_parts(work: Work, parts: int) -> Built:
    """Each part is sealed and saved alone; what brings them into one passes through files."""
    begin, step = work.plan.clock(), math.ceil(work.count / parts)
    paths = []
    for first in range(0, work.count, step):
        paths.append(f"{work.index}.{first}")
        _sealed(work, first, min(first + step, work.count)).save(paths[-1])
        say(f"  part {len(paths)} of {parts} was built after {work.plan.clock() - begin:,.0f} s")
    Index.open(*paths).save(work.index, little_memory=True)
    seconds = work.plan.clock() - begin
    for path in paths:
        os.unlink(path)
    return Built(seconds, memory.peak(), None, len(paths), None, os.path.getsize(work.index))


def _first_answer(work: Work, query: Vectors) -> tuple[float, Index]:
    begin = time.perf_counter()
    index = Index.open(work.index)
    index.search(query, work.k)
    return time.perf_counter() - begin, index


TASKS: dict[str, Callable[[Work], dict[str, Any]]] = {
    "pair": pair,
    "build": build,
    "opened": opened,
    "limited": limited,
}

if __name__ == "__main__":
    json.dump(TASKS[sys.argv[1]](Work(**json.load(sys.stdin))), sys.stdout)
