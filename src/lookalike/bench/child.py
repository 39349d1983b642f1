"""The process in which one competitor lives: builds its index once, then answers whatever it is asked to measure."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from typing import Any, Literal

import numpy as np

from lookalike.bench.competitors import Competitor, Setting, create
from lookalike.bench.truth import Distance, Ids, Vectors

Mode = Literal["single", "batch"]

WARM = 0.1
"""Seconds of asking before the clock starts: the caches hold what another process left there."""
WARM_BATCH = 200
"""Queries at once while a batch warms up."""
CALLS = 2000
SMALL = 100


@dataclass(frozen=True)
class Work:
    """What a child needs to know: where the vectors lie (.npy), and how to treat them."""

    base: str
    queries: str
    distance: Distance
    k: int
    threads: int


@dataclass(frozen=True)
class Built:
    """An index that is ready: seconds to build, bytes it added to the process, µs of a call among 100 vectors."""

    version: str
    parameters: str
    seconds: float
    memory: int
    overhead: float | None
    sweep: Sequence[Setting]


@dataclass(frozen=True)
class Timed:
    """One measurement: wall and processor seconds for all queries, and the ids found, (queries, k)."""

    seconds: float
    processor: float
    found: Ids


def live(connection: Connection, name: str, work: Work) -> None:
    """Builds, then answers (mode, setting, number of queries) with what was measured, until told None."""
    _hush()
    try:
        competitor = create(name)
        connection.send(build(competitor, work))
        queries = np.load(work.queries)
        while (request := connection.recv()) is not None:
            mode, setting, count = request
            connection.send(measure(competitor, work, queries, count, mode, setting))
    except (EOFError, KeyboardInterrupt):
        return
    except Exception as error:  # noqa: BLE001  # whatever a library raises is its result
        connection.send(f"{type(error).__name__}: {error}")


def build(competitor: Competitor, work: Work) -> Built:
    """The index; what it takes is measured when the caller's own copy of the vectors is gone."""
    before = _resident()
    base = np.load(work.base)
    start = time.perf_counter()
    competitor.build(base, work.distance, work.threads)
    seconds = time.perf_counter() - start
    sample = base[:SMALL].copy()
    del base
    memory = _resident() - before
    overhead = _overhead(type(competitor), sample, work)
    return Built(_version(competitor), competitor.parameters, seconds, memory, overhead, competitor.sweep())


def measure(competitor: Competitor, work: Work, queries: Vectors, count: int, mode: Mode, setting: Setting) -> Timed:
    """One setting: each of the first `count` queries by its own call on one thread, or all by one call on all threads.

    The last queries warm up the caches, at most all of them.
    """
    asked, last = queries[:count], np.ascontiguousarray(queries[::-1])
    if mode == "batch":
        competitor.configure(setting, work.threads)
        batches = [last[row : row + WARM_BATCH] for row in range(0, len(last), WARM_BATCH)]
        _warm(lambda some: competitor.query_batch(some, work.k), batches)
        return _timed(lambda: competitor.query_batch(asked, work.k), work.k)
    competitor.configure(setting, 1)
    _warm(lambda query: competitor.query(query, work.k), competitor.prepare(last))
    prepared = competitor.prepare(asked)
    return _timed(lambda: [competitor.query(query, work.k) for query in prepared], work.k)


def _warm(ask: Callable[[Any], Any], queries: Sequence[Any]) -> None:
    end = time.perf_counter() + WARM
    for query in queries:
        ask(query)
        if time.perf_counter() > end:
            return


def _timed(search: Callable[[], Any], k: int) -> Timed:
    gc.disable()
    wall, processor = time.perf_counter(), time.process_time()
    found = search()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    gc.enable()
    return Timed(wall, processor, as_ids(found, k))


def as_ids(found: Any, k: int) -> Ids:
    """(queries, k), −1 where a library returned fewer."""
    ids = np.full((len(found), k), -1, np.int64)
    for row, of_one in zip(ids, found, strict=True):
        row[: len(of_one)] = np.asarray(of_one).astype(np.int64)[:k]
    return ids


def _hush() -> None:
    """Libraries print about their training; standard output is for the tables."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _overhead(kind: type[Competitor], sample: Any, work: Work) -> float | None:
    """Microseconds of one call on an index of 100 vectors, best of five; None where a library wants more of them."""
    try:
        small = kind()
        small.build(sample, work.distance, 1)
        small.configure(small.sweep()[0], 1)
        prepared = small.prepare(np.ascontiguousarray(np.resize(sample, (CALLS, sample.shape[1]))))
        seconds = [_timed(lambda: [small.query(query, work.k) for query in prepared], work.k).seconds for _ in range(5)]
    except Exception:  # noqa: BLE001  # each library has its own way to say that it was given too few
        return None
    return min(seconds) / CALLS * 1e6


def _resident() -> int:
    """Bytes of memory that only this process uses, after what is free was given back; 0 where Linux does not say."""
    gc.collect()
    if not os.path.exists("/proc/self/statm"):
        return 0
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as file:
        _, resident, shared, *_ = map(int, file.read().split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def _version(competitor: Competitor) -> str:
    try:
        return version(competitor.distribution)
    except PackageNotFoundError:
        return "unknown"
