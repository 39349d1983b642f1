"""A whole run on a tiny set: ours, and those of the peers that are installed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.bench import child
from lookalike.bench.__main__ import main
from lookalike.bench.child import Work, as_ids
from lookalike.bench.competitors import NAMES, Competitor, Setting, create
from lookalike.bench.datasets import Dataset, Queries, save
from lookalike.bench.process import Process
from lookalike.bench.results import Point, Results
from lookalike.bench.runner import Plan, needless, run, settled
from lookalike.bench.truth import Distance, exact_neighbors
from lookalike.errors import ArgumentError

LIBRARIES = {"faiss-ivfpq": "faiss", "faiss-hnsw": "faiss", "faiss-rabitq": "faiss"}
LIBRARIES |= {"symphonyqg": "rabitqlib", "rabitq-ivf": "rabitqlib", "svs-lvq": "svs"}
DIM = 64  # the least that rabitqlib takes
PLAN = Plan(k=5, rounds=2, threads=1, single=20)


def installed(name: str) -> bool:
    if find_spec(LIBRARIES.get(name, name)) is None:
        return False
    # On processors that are not Intel's the library of this one ends the process.
    return name != "svs-lvq" or "GenuineIntel" in Path("/proc/cpuinfo").read_text()


def tiny(distance: Distance, count: int = 1000) -> Dataset:
    random = np.random.default_rng(1)
    base, queries = (random.standard_normal((n, DIM)).astype(np.float32) for n in (count, 40))
    data = Dataset("tiny", distance, base, Queries(queries, *exact_neighbors(base, queries, distance, 10)))
    return data.unit()


TAKING_PART = [name for name in NAMES if "svs" not in name or installed(name)]  # its licence keeps it out of [bench]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("peer", ["hnswlib", "annoy"])
def test_ours_and_a_peer(distance: Distance, peer: str) -> None:
    if not installed(peer):
        pytest.skip(f"needs {peer}: pip install 'lookalike[bench]'")
    data, said = tiny(distance), list[str]()
    before = os.environ.get("OMP_NUM_THREADS")
    results = run(data, data.test, ["lookalike", peer], PLAN, said.append)
    assert os.environ.get("OMP_NUM_THREADS") == before
    assert [outcome.name for outcome in results.outcomes] == ["lookalike", peer]
    assert (results.count, results.dim, results.queries, results.k) == (1000, DIM, 40, 5)
    for outcome in results.outcomes:
        assert outcome.error == ""
        assert outcome.parameters
        assert outcome.build_seconds > 0
        for points in (outcome.single, outcome.batch):
            assert max(point.recall for point in points) > 0.98  # the same neighbours by both calls
            assert all(len(point.rates) == len(point.busy) <= PLAN.rounds for point in points)
            assert any(len(point.rates) == PLAN.rounds for point in points)


@pytest.mark.parametrize("name", TAKING_PART)
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_every_competitor_finds_neighbours(name: str, distance: Distance, tmp_path: Path) -> None:
    if not installed(name):
        pytest.skip(f"needs {name}: pip install 'lookalike[bench]'")
    data = tiny(distance)
    np.save(tmp_path / "base.npy", data.base)
    np.save(tmp_path / "queries.npy", data.test.vectors)
    work = Work(str(tmp_path / "base.npy"), str(tmp_path / "queries.npy"), distance, 10, threads=1)
    process = Process(name, work)
    try:
        built = process.build()
        assert not isinstance(built, str), built
        for mode in ("single", "batch"):
            timed = process.measure(mode, built.sweep[-1], 40)
            assert not isinstance(timed, str), timed
            found = np.mean([len({*a} & {*b}) / 10 for a, b in zip(timed.found, data.test.neighbors, strict=True)])
            assert found > 0.9
    finally:
        process.stop()


def test_one_that_is_not_installed_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "annoy.py").write_text("raise ImportError('not here')")
    monkeypatch.syspath_prepend(str(tmp_path))  # the processes look where we do
    data = tiny("cosine", 200)
    results = run(data, data.test, ["annoy", "lookalike"], PLAN, lambda text: None)
    missing, ours = results.outcomes
    assert missing.error == "ImportError: not here"
    assert missing.single == missing.batch == []
    assert ours.error == ""


def test_a_process_that_dies_is_reported(tmp_path: Path) -> None:
    process = Process("lookalike", Work(str(tmp_path), "", "cosine", 5, 1))
    try:
        answer = process.build()
        assert isinstance(answer, str)
        assert "IsADirectoryError" in answer
        gone = process.measure("single", {"recall": 0.9}, 1)
        assert isinstance(gone, str)
        assert "exit code 0" in gone
    finally:
        process.stop()


def test_an_unknown_competitor_is_refused() -> None:
    with pytest.raises(ArgumentError, match="expected competitors among lookalike, hnswlib"):
        create("bogus")


def test_what_was_not_found_is_minus_one() -> None:
    assert as_ids([[1, 2], np.array([3], np.uint64)], 2).tolist() == [[1, 2], [3, -1]]
    assert as_ids(np.array([[4, 5, 6]], np.uint32), 2).tolist() == [[4, 5]]


def test_settled_and_needless_settings() -> None:
    fast, slow = Point({"ef": 10}, 0.9, [900.0], [1.0]), Point({"ef": 20}, 0.9, [500.0], [1.0])
    assert settled(slow, [fast, slow], 1000)
    assert not settled(fast, [fast, slow], 1000)
    assert not settled(Point({"ef": 20}, 0.91, [500.0], [1.0]), [fast], 1000)
    assert not settled(Point({"ef": 20}, 0.9, [500.0], [0.5]), [fast], 1000)  # it had only half a core
    assert settled(fast, [fast], 30_000)  # takes long enough
    assert not settled(fast, [fast], 10_000)
    good = Point({"probes": 8, "factor": 2}, 0.999, [1.0], [1.0])
    assert needless({"probes": 8, "factor": 4}, [good])
    assert not needless({"probes": 4, "factor": 4}, [good])
    assert not needless({"ef": 20}, [fast])


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
    assert child.measure(spy, work, queries, 50, "single", {}).found.shape == (50, 1)
    assert spy.asked == [(1, 1)] * 350  # all 300 once to warm up
    spy.asked.clear()
    assert child.measure(spy, work, queries, 300, "batch", {}).found.shape == (300, 1)
    assert spy.asked == [(3, 200), (3, 100), (3, 300)]


def test_warming_up_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "WARM", 0.0)
    spy = Spy()
    child.measure(spy, Work("", "", "cosine", 1, threads=3), np.zeros((300, 2), np.float32), 50, "single", {})
    assert spy.asked == [(1, 1)] * 51


def test_the_command_measures_keeps_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    data, kept = str(tmp_path / "tiny.hdf5"), str(tmp_path / "kept")
    save(data, tiny("euclidean", 300))
    words = ["--competitors", "lookalike", "--rounds", "1", "--single", "10", "--k", "3", "--results", kept]
    assert main([data, *words]) == 0
    printed = capsys.readouterr().out
    assert "| lookalike" in printed
    assert (tmp_path / "kept" / "tiny.png").read_bytes().startswith(b"\x89PNG")
    results = Results.load(tmp_path / "kept" / "tiny.json")
    assert results.outcomes[0].batch[-1].recall == 1.0
    assert main(["--report", str(tmp_path / "kept" / "tiny.json")]) == 0
    assert capsys.readouterr().out == printed
    assert main([data, *words, "--tune"]) == 2
    assert "expected a dataset called tune" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere.hdf5")]) == 2


@pytest.mark.parametrize("words", [["x", "--competitors", "bogus"], ["x", "--rounds", "0"], ["x", "--k", "-1"], []])
def test_bad_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(words)
    assert refusal.value.code == 2
    assert "expected" in capsys.readouterr().err or not words
