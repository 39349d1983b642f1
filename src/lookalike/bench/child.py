"""The process in which one competitor lives: builds its index once, then does whatever it is asked to."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, repeat
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.bench import handed, memory
from lookalike.bench.competitors import CannotError, Competitor, Setting, Shape, create
from lookalike.bench.results import Mode
from lookalike.bench.truth import Distance, Ids, Rows

WARM = 0.1
"""Seconds of asking before the clock starts: the caches hold what another process left there."""
BATCHES = (1, 10, 50, 200)
"""Queries at once, where it is not known how long they take; the last of them again and again."""
CALLS, CALL_SECONDS = 2000, 0.5
SMALL = 100
CHECKED = 100
"""Of what was added or removed, so many are looked for."""


@dataclass(frozen=True)
class Work:
    """What a child needs to know: where vectors or sets lie, how to treat them, and how many bytes it may take."""

    base: str
    queries: str
    distance: Distance
    k: int
    threads: int
    memory: int = 0


@dataclass(frozen=True)
class Build:
    """Index the base. Answered by Built."""


@dataclass(frozen=True)
class Measure:
    """Ask the first `count` queries, or as many as about so many seconds allow. Answered by Timed."""

    mode: Mode
    setting: Setting
    count: int
    seconds: float


@dataclass(frozen=True)
class Touch:
    """With how many vectors is each of the first `count` queries compared? Answered by a float."""

    setting: Setting
    count: int


@dataclass(frozen=True)
class Peak:
    """What memory did searching take at most? Answered by bytes."""


@dataclass(frozen=True)
class Save:
    """Answered by the bytes of the files."""

    folder: str


@dataclass(frozen=True)
class Load:
    """From the files to the first answer. Answered by seconds."""

    folder: str
    setting: Setting


@dataclass(frozen=True)
class Add:
    """The last `count` queries as vectors, one by one, for so many seconds at most. Answered by Changed."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Remove:
    """The nearest of the first `count` queries, one by one, for so many seconds at most. Answered by Changed."""

    count: int
    seconds: float


Request = Build | Measure | Touch | Peak | Save | Load | Add | Remove


@dataclass(frozen=True)
class Built:
    """An index that is ready: seconds to build, bytes as in `Outcome`, µs of a call among 100 vectors."""

    version: str
    parameters: str
    seconds: float
    peak: int
    memory: int
    overhead: float | None
    sweep: Sequence[Setting]


@dataclass(frozen=True)
class Timed:
    """One measurement: wall and processor seconds for all queries, the ids found, (queries, k), and each one's time."""

    seconds: float
    processor: float
    found: Ids
    each: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Changed:
    """Vectors/s, and the share of those looked at of which the next search shows that they are there, or gone."""

    rate: float
    shown: float


@dataclass(frozen=True)
class Failed:
    """Instead of an answer; `missing`, if the library is not installed."""

    reason: str
    missing: bool = False


def live(connection: Connection, name: str, work: Work) -> None:
    """Answers requests until told None."""
    _hush()
    memory.limit(work.memory)
    worker = Worker(name, work)
    try:
        while (request := connection.recv()) is not None:
            connection.send(_answered(worker, request))
    except EOFError:
        return


def _answered(worker: Worker, request: Request) -> Any:
    try:
        return worker.answer(request)
    except CannotError as error:
        return Failed(str(error))
    except ImportError as error:
        return Failed(f"not installed: {error}", missing=True)
    except Exception as error:  # noqa: BLE001  # whatever a library raises is its result
        return Failed(" ".join(f"{type(error).__name__}: {error}".split())[:500])


class Worker:
    """One competitor at work."""

    _it: Competitor
    _queries: Rows
    _before: int  # bytes that the process took before it had vectors
    _count: int  # of what was indexed

    def __init__(self, name: str, work: Work) -> None:
        self._name, self._work = name, work

    def answer(self, request: Request) -> Any:
        match request:
            case Build():
                return self._build()
            case Measure():
                return measure(self._it, self._work, self._queries, request)
            case Touch(setting, count):
                self._it.configure(setting, 1)
                return float(self._it.touched(self._queries[:count], self._work.k))
            case Peak():
                return max(0, memory.peak() - self._before)
            case Save(folder):
                self._it.save(folder)
                return sum(
                    os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names
                )
            case Load(folder, setting):
                return self._load(folder, setting)
            case Add(count, seconds):
                return self._add(count, seconds)
            case Remove(count, seconds):
                return self._remove(count, seconds)

    def _build(self) -> Built:
        """What the index takes is measured when the caller's own copy of the vectors is gone."""
        work, it = self._work, create(self._name, self._work.distance)
        self._before = memory.resident()
        memory.begin_peak()
        base = handed.load(work.base)
        start = time.perf_counter()
        it.build(base, work.distance, work.threads)
        seconds = time.perf_counter() - start
        peak = max(0, memory.peak() - self._before)
        self._count, sample = len(base), base[:SMALL].copy()
        del base
        taken = max(0, memory.resident() - self._before)
        overhead = _overhead(self._name, sample, work)
        self._it, self._queries = it, handed.load(work.queries)
        memory.begin_peak()
        return Built(_version(it), it.parameters, seconds, peak, taken, overhead, it.sweep())

    def _load(self, folder: str, setting: Setting) -> float:
        work = self._work
        base, it = handed.load(work.base, mmap_mode="r"), create(self._name, work.distance)
        queries = it.prepare(handed.load(work.queries)[:1])
        start = time.perf_counter()
        it.load(folder, Shape(len(base), base.shape[1], work.distance))
        it.configure(setting, 1)
        it.query(queries[0], min(work.k, len(base)))
        return time.perf_counter() - start

    def _add(self, count: int, seconds: float) -> Changed:
        vectors = self._queries[-count:]
        ids = np.arange(self._count, self._count + len(vectors))
        done, rate = _one_by_one(
            lambda row: self._it.add(ids[row : row + 1], vectors[row : row + 1]), len(ids), seconds
        )
        some = _some(done)
        found = self._thorough(vectors[some], seconds)
        return Changed(rate, float((found == ids[some, None][: len(found)]).any(axis=1).mean()))

    def _remove(self, count: int, seconds: float) -> Changed:
        nearest = self._thorough(self._queries[:count], seconds)[:, 0]
        ids, rows = np.unique(nearest[nearest >= 0], return_index=True)
        if not len(ids):
            raise CannotError("it found nothing that could be removed")
        queries = self._queries[: len(nearest)][nearest >= 0][rows]
        done, rate = _one_by_one(lambda row: self._it.remove(ids[row : row + 1]), len(ids), seconds)
        some = _some(done)
        found = self._thorough(queries[some], seconds)
        return Changed(rate, float((found != ids[some, None][: len(found)]).all(axis=1).mean()))

    def _thorough(self, queries: Rows, seconds: float) -> Ids:
        """What the first queries find at the last setting of the sweep: as many as about so many seconds allow."""
        self._it.configure(self._it.sweep()[-1], self._work.threads)
        found, end = [], time.perf_counter() + seconds
        for some in _pieces(queries):
            found.append(as_ids(self._it.query_batch(some.copy(), self._work.k), self._work.k))
            if time.perf_counter() > end:
                break
        return np.concatenate(found)


def measure(competitor: Competitor, work: Work, queries: Rows, request: Measure) -> Timed:
    """One setting: each query by its own call on one thread, or all by one call on all threads.

    The last queries warm up the caches.
    """
    last = queries[::-1].copy()  # in one piece
    asked = queries[: request.count]
    if request.mode == "batch":
        competitor.configure(request.setting, work.threads)
        rate = _warm_in_batches(competitor, last, work.k)
        return _in_a_batch(competitor, asked[: max(1, int(rate * request.seconds))], work.k)
    competitor.configure(request.setting, 1)
    _timed(competitor, competitor.prepare(last), work.k, WARM)
    return _timed(competitor, competitor.prepare(asked), work.k, request.seconds)


def _timed(competitor: Competitor, prepared: Sequence[Any], k: int, seconds: float) -> Timed:
    """One by one, until the time is over."""
    gc.disable()
    found, stamps = [], [time.perf_counter()]
    processor, end = time.process_time(), stamps[0] + seconds
    for query in prepared:
        found.append(competitor.query(query, k))
        stamps.append(time.perf_counter())
        if stamps[-1] > end:
            break
    processor = time.process_time() - processor
    gc.enable()
    return Timed(stamps[-1] - stamps[0], processor, as_ids(found, k), np.diff(stamps))


def _in_a_batch(competitor: Competitor, queries: Rows, k: int) -> Timed:
    gc.disable()
    wall, processor = time.perf_counter(), time.process_time()
    found = competitor.query_batch(queries, k)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    gc.enable()
    return Timed(wall, processor, as_ids(found, k), np.full(len(queries), wall / len(queries)))


def _warm_in_batches(competitor: Competitor, queries: Rows, k: int) -> float:
    """Queries/s of the last of some batches."""
    start, rate = time.perf_counter(), 0.0
    for some in _pieces(queries):
        begin = time.perf_counter()
        competitor.query_batch(some, k)
        end = time.perf_counter()
        rate = len(some) / (end - begin)
        if end > start + WARM:
            break
    return rate


def _pieces(queries: Rows) -> Iterator[Rows]:
    """A few at first, since nobody knows how long they take, then more and more."""
    row = 0
    for size in chain(BATCHES, repeat(BATCHES[-1])):
        if row >= len(queries):
            return
        yield queries[row : row + size]
        row += size


def _one_by_one(change: Callable[[int], None], count: int, seconds: float) -> tuple[int, float]:
    """How many were done, and how many a second."""
    start = now = time.perf_counter()
    done = 0
    while done < count and now < start + seconds:
        change(done)
        done, now = done + 1, time.perf_counter()
    return done, done / (now - start)


def _some(count: int) -> npt.NDArray[np.intp]:
    return np.unique(np.linspace(0, count - 1, min(count, CHECKED)).astype(np.intp))


def as_ids(found: Any, k: int) -> Ids:
    """(queries, k), −1 where a library returned fewer."""
    ids = np.full((len(found), k), -1, np.int64)
    for row, of_one in zip(ids, found, strict=True):
        some = np.asarray(of_one).astype(np.int64)[:k]
        row[: len(some)] = some
    return ids


def _hush() -> None:
    """Libraries print about their training; standard output is for the tables."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _overhead(name: str, sample: Rows, work: Work) -> float | None:
    """Microseconds of one call on an index of 100 vectors, best of five; None where a library wants more of them."""
    try:
        small = create(name, work.distance)
        small.build(sample, work.distance, 1)
        small.configure(small.sweep()[0], 1)
        prepared = small.prepare(sample[np.arange(CALLS) % len(sample)])
        timed = [_timed(small, prepared, work.k, CALL_SECONDS) for _ in range(5)]
    except Exception:  # noqa: BLE001  # each library has its own way to say that it was given too few
        return None
    return min(one.seconds / len(one.each) for one in timed) * 1e6


def _version(competitor: Competitor) -> str:
    try:
        return version(competitor.distribution)
    except PackageNotFoundError:
        return "unknown"
