"""The process of a competitor: what it answers, and what is said when it cannot."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.bench import child
from lookalike.bench.child import (
    Add,
    Build,
    Built,
    Changed,
    Failed,
    Load,
    Measure,
    Peak,
    Remove,
    Save,
    Timed,
    Touch,
    Work,
    as_ids,
)
from lookalike.bench.competitors import Competitor, Setting, create
from lookalike.bench.process import Process
from lookalike.bench.truth import Distance
from lookalike.errors import ArgumentError

from .tiny import tiny

LONG = 60.0


@pytest.fixture
def work(tmp_path: Path) -> Work:
    data = tiny("euclidean")
    np.save(tmp_path / "base.npy", data.base)
    np.save(tmp_path / "queries.npy", data.test.vectors)
    return Work(str(tmp_path / "base.npy"), str(tmp_path / "queries.npy"), "euclidean", 5, 1)


@pytest.fixture
def process(work: Work) -> Iterator[Process]:
    process = Process("lookalike", work)
    yield process
    process.stop()


def built(process: Process) -> Built:
    answer = process.ask(Build(), LONG)
    assert isinstance(answer, Built), answer
    return answer


def test_ours_answers_all_that_is_asked(process: Process, work: Work, tmp_path: Path) -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    index = built(process)
    assert os.environ.get("OMP_NUM_THREADS") == before
    base = 1000 * 64 * 4
    assert index.seconds > 0
    assert index.peak > base
    assert index.memory < 100 * base
    thorough = index.sweep[-1]
    timed = process.ask(Measure("single", thorough, 20, LONG), LONG)
    assert isinstance(timed, Timed)
    assert timed.found.shape == (20, 5)
    assert len(timed.each) == 20
    assert timed.seconds == pytest.approx(timed.each.sum())
    assert process.ask(Measure("batch", thorough, 20, LONG), LONG).found.tolist() == timed.found.tolist()  # type: ignore[union-attr]
    peak = process.ask(Peak(), LONG)
    assert isinstance(peak, int)
    assert 0 < peak < 1 << 30
    folder = tmp_path / "index"
    folder.mkdir()
    saved = process.ask(Save(str(folder)), LONG)
    assert saved == sum(path.stat().st_size for path in folder.iterdir()) > base
    added, removed = process.ask(Add(10, LONG), LONG), process.ask(Remove(10, LONG), LONG)
    for changed in (added, removed):
        assert isinstance(changed, Changed)
        assert changed.rate > 0
        assert changed.shown == 1
    touched = process.ask(Touch(thorough, 10), LONG)
    assert isinstance(touched, float)
    assert 5 <= touched <= 1010
    loading = Process("lookalike", work)
    try:
        seconds = loading.ask(Load(str(folder), thorough), LONG)
        assert isinstance(seconds, float), seconds
        assert seconds > 0
    finally:
        loading.stop()


def test_an_error_is_its_answer_and_it_goes_on(process: Process) -> None:
    setting = built(process).sweep[0]
    wrong = process.ask(Measure("single", {"recall": 7.0}, 5, LONG), LONG)
    assert isinstance(wrong, Failed)
    assert wrong.reason.startswith("ArgumentError: recall is 7")
    assert not wrong.missing
    assert not process.ended
    assert isinstance(process.ask(Measure("single", setting, 5, LONG), LONG), Timed)


def test_what_is_not_installed_is_missing(work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "annoy.py").write_text("raise ImportError('not here')")
    monkeypatch.syspath_prepend(str(tmp_path))  # the processes look where we do
    process = Process("annoy", work)
    try:
        assert process.ask(Build(), LONG) == Failed("not installed: not here", missing=True)
    finally:
        process.stop()


def test_one_that_is_killed_says_how(process: Process) -> None:
    setting = built(process).sweep[0]
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    for _ in range(2):
        gone = process.ask(Measure("single", setting, 1, LONG), LONG)
        assert isinstance(gone, Failed)
        assert gone.reason.startswith("its process ended by SIGKILL; it was allowed ")
    assert process.ended


def test_one_that_takes_too_long_is_stopped(process: Process) -> None:
    answer = process.ask(Build(), 0.0)
    assert answer == Failed("stopped after 0 s, which is its limit")
    assert process.ask(Peak(), LONG) == answer


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what memory a process takes")
def test_one_that_takes_too_much_memory_costs_only_itself(tmp_path: Path) -> None:
    base = tmp_path / "base.npy"
    np.lib.format.open_memmap(base, mode="w+", dtype=np.float32, shape=(1 << 20, 512)).flush()  # 2 GiB of holes
    np.save(tmp_path / "queries.npy", np.ones((1, 512), np.float32))
    process = Process("lookalike", Work(str(base), str(tmp_path / "queries.npy"), "euclidean", 5, 1, memory=1 << 30))
    try:
        answer = process.ask(Build(), LONG)
        assert isinstance(answer, Failed)
        assert "MemoryError" in answer.reason
    finally:
        process.stop()


def test_an_unknown_competitor_is_refused() -> None:
    with pytest.raises(ArgumentError, match="expected competitors among lookalike, hnswlib"):
        create("bogus")


def test_what_was_not_found_is_minus_one() -> None:
    assert as_ids([[1, 2], np.array([3], np.uint64)], 2).tolist() == [[1, 2], [3, -1]]
    assert as_ids(np.array([[4, 5, 6]], np.uint32), 2).tolist() == [[4, 5]]


class Spy(Competitor):
    """Remembers on how many threads it was asked."""

    distribution = "spy"
    parameters = ""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def build(self, base: Any, distance: Distance, threads: int) -> None: ...

    def sweep(self) -> Sequence[Setting]:
        return [{}]

    def configure(self, setting: Setting, threads: int) -> None:
        self._threads = threads

    def query(self, query: Any, k: int) -> Any:
        self.asked.append((self._threads, 1))
        return [0]

    def query_batch(self, vectors: Any, k: int) -> Any:
        self.asked.append((self._threads, len(vectors)))
        return np.zeros((len(vectors), k), int)


def test_single_queries_have_one_thread_and_batches_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WARM", 60.0)
    spy, queries = Spy(), np.zeros((300, 2), np.float32)
    work = Work("", "", "cosine", 1, threads=3)
    assert child.measure(spy, work, queries, Measure("single", {}, 50, LONG)).found.shape == (50, 1)
    assert spy.asked == [(1, 1)] * 350  # all 300 once to warm up
    spy.asked.clear()
    assert child.measure(spy, work, queries, Measure("batch", {}, 300, LONG)).found.shape == (300, 1)
    assert spy.asked == [(3, 1), (3, 10), (3, 50), (3, 200), (3, 39), (3, 300)]


def test_a_measurement_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WARM", 0.0)
    spy, queries = Spy(), np.zeros((300, 2), np.float32)
    work = Work("", "", "cosine", 1, threads=3)
    assert len(child.measure(spy, work, queries, Measure("single", {}, 50, 0.0)).found) == 1
    assert spy.asked == [(1, 1)] * 2
    spy.asked.clear()
    assert len(child.measure(spy, work, queries, Measure("batch", {}, 50, 0.0)).found) == 1
    assert spy.asked == [(3, 1)] * 2


def test_what_is_slow_is_asked_less(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    """What was added is looked for, and what may be removed is found, by as many queries as the time allows."""
    worker, spy = child.Worker("spy", work), Spy()
    worker._it, worker._queries, worker._count = spy, np.load(work.queries), 1000
    monkeypatch.setattr(spy, "add", lambda ids, vectors: None, raising=False)
    monkeypatch.setattr(spy, "remove", lambda ids: None, raising=False)
    changed = worker.answer(Add(20, LONG))
    assert changed.shown == 0  # it finds row 0, whatever is asked
    assert [asked for _, asked in spy.asked] == [1, 10, 9]
    spy.asked.clear()
    assert worker.answer(Remove(20, 1e-9)).shown == 0
    assert [asked for _, asked in spy.asked] == [1, 1]
