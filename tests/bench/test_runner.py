"""A whole run on a tiny set: ours, and peers that are installed; what is kept of it, and what goes wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lookalike.bench import answers
from lookalike.bench.competitors.ours import RECALLS
from lookalike.bench.results import MODES, Outcome, Point, Results
from lookalike.bench.run import FOUND, run
from lookalike.bench.runner import needless, settled
from lookalike.bench.truth import Distance, distances_of
from lookalike.errors import BusyError

from .tiny import DIM, PLAN, installed, tiny


def measured(
    folder: Path, names: list[str], distance: Distance = "cosine", again: bool = False
) -> tuple[Results, list[str]]:
    said: list[str] = []
    data = tiny(distance)
    return run(data, names, PLAN, str(folder), 0, again=again, say=said.append, now=lambda _: None), said


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("peer", ["hnswlib", "annoy"])
def test_ours_and_a_peer(distance: Distance, peer: str, tmp_path: Path) -> None:
    if not installed(peer):
        pytest.skip(f"needs {peer}: pip install 'lookalike[bench]'")
    results, said = measured(tmp_path, [peer], distance)
    assert [line.partition(":")[0] for line in said] == ["lookalike", peer]
    ours, other = results.outcomes
    assert [ours.name, other.name] == ["lookalike", peer]
    assert (results.count, results.dim, results.queries, results.k) == (1000, DIM, 40, 5)
    assert results.software.keys() >= {"lookalike", "python", "numpy", "simd"}
    for outcome in results.outcomes:
        assert outcome.error == ""
        assert outcome.parameters
        assert outcome.build_seconds > 0
        for points in (outcome.single, outcome.batch):
            best = max(points, key=lambda point: point.recall)
            assert best.recall > 0.98  # the same neighbours by both calls
            assert 1 <= best.ratio < 1.001
            assert all(len(point.rates) == len(point.busy) <= PLAN.rounds for point in points)
            assert any(len(point.rates) == PLAN.rounds for point in points)
        assert {point.asked for point in outcome.single} == {PLAN.single}
        assert {point.asked for point in outcome.batch} == {40}
        for point in outcome.single:
            assert point.latencies == sorted(point.latencies)
            assert len(point.latencies) == 3
    assert not any(ours.pace.values())
    ours_sweep = [{"recall": recall} for recall in RECALLS]
    for mode in MODES:
        assert all(point.setting in ours_sweep for point in other.pace[mode])
        assert max(point.recall for point in other.pace[mode]) > 0.98


def test_what_is_kept_is_not_measured_again(tmp_path: Path) -> None:
    first, said = measured(tmp_path, [])
    assert said == [f"lookalike: built in {first.outcomes[0].build_seconds:,.1f} s, measured"]
    second, said = measured(tmp_path, [])
    assert said == []
    assert second.outcomes == first.outcomes
    assert second.began == first.began > "2026"
    third, said = measured(tmp_path, [], again=True)
    assert len(said) == 1
    assert third.outcomes != first.outcomes
    (tmp_path / "competitors" / "lookalike.json").write_text("{")
    assert len(measured(tmp_path, [])[1]) == 1
    assert len(measured(tmp_path, [], "euclidean")[1]) == 1  # other vectors
    assert sorted(path.name for path in tmp_path.iterdir()) == [FOUND, "competitors", "lock"]


def test_answers_are_kept_for_ann_benchmarks(tmp_path: Path) -> None:
    results, _ = measured(tmp_path, [], "euclidean")
    h5py = pytest.importorskip("h5py")
    data = tiny("euclidean")
    for mode, count in zip(MODES, (PLAN.single, 40), strict=True):
        for point in results.outcomes[0].points(mode):
            found = answers.read(str(tmp_path / FOUND), "tiny", 5, "lookalike", mode, point)
            assert found is not None
            assert found.shape == (count, 5)
            with h5py.File(answers.path_of(str(tmp_path / FOUND), "tiny", 5, "lookalike", mode, point)) as file:
                there = distances_of(data.base, data.test.vectors[:count], "euclidean", found)
                np.testing.assert_allclose(file["distances"][()], there, rtol=1e-6)
                assert file["times"].shape == (count,)
                assert dict(file.attrs)["best_search_time"] == pytest.approx(1 / point.rate)
                assert dict(file.attrs)["batch_mode"] == (mode == "batch")
    assert answers.read(str(tmp_path / FOUND), "tiny", 5, "bogus", "single", Point({}, 1.0)) is None


def test_one_that_is_not_installed_costs_a_line_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "annoy.py").write_text("raise ImportError('not here')")
    monkeypatch.syspath_prepend(str(tmp_path))  # the processes look where we do
    measured(tmp_path / "kept", [])
    for _ in range(2):
        results, said = measured(tmp_path / "kept", ["annoy"])
        ours, missing = results.outcomes
        assert missing == Outcome("annoy", error="not installed: not here", missing=True, began=missing.began)
        assert ours.error == ""
        assert said == ["annoy: not installed: not here"]


def test_a_folder_may_be_named_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not installed("scann"):
        pytest.skip("needs scann: pip install 'lookalike[bench]'")
    monkeypatch.chdir(tmp_path)
    _, scann = measured(Path("kept"), ["scann"])[0].outcomes
    assert scann.disk
    assert scann.load


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    def inside(_: str) -> None:
        with pytest.raises(BusyError, match="this run alone"):
            measured(tmp_path, [])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tiny("cosine"), [], PLAN, str(tmp_path), 0, again=False, say=inside, now=lambda _: None)
    assert not (tmp_path / "work").exists()


def test_its_time_over_no_further_setting_is_begun(tmp_path: Path) -> None:
    plan = replace(PLAN, search_limit=1e-9)
    data = tiny("cosine", 6000)
    [outcome] = run(data, [], plan, str(tmp_path), 0, again=False, say=print, now=print).outcomes
    assert [len(outcome.points(mode)) for mode in MODES] == [1, 1]
    assert "single: from recall = 0.5 on nothing, its time was over" in outcome.notes


def test_settled_and_needless_settings() -> None:
    fast, slow = Point({"ef": 10}, 0.9, [900.0], [1.0]), Point({"ef": 20}, 0.9, [500.0], [1.0])
    assert settled(slow, [fast, slow])
    assert not settled(fast, [fast, slow])
    assert not settled(Point({"ef": 20}, 0.91, [500.0], [1.0]), [fast])
    assert not settled(Point({"ef": 20}, 0.9, [500.0], [0.5]), [fast])  # it had only half a core
    good = Point({"probes": 8, "factor": 2}, 0.999, [1.0], [1.0])
    assert needless({"probes": 8, "factor": 4}, [good])
    assert not needless({"probes": 4, "factor": 4}, [good])
    assert not needless({"ef": 20}, [fast])


def test_results_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    results, _ = measured(tmp_path, [])
    results.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == results
