"""benchmarks/cliffs.py: that a jump is found and brought to 1 %, and that every sweep runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cliffs
from cliffs import Jump, Point, Sweep


def test_a_jump_is_that_of_one_per_cent() -> None:
    doubled = Jump.between(Point(100, 50, 50), Point(200, 100, 100))
    assert doubled.ratio == pytest.approx(1.01)
    assert Jump.between(Point(1000, 5, 5), Point(1001, 20, 20)).ratio == pytest.approx(4)
    quarter = Jump.between(Point(0.01, 0, 40), Point(0.00995, 0, 10))
    assert (quarter.ratio, quarter.times) == (1 / 4, 4)


def test_where_it_jumps_steps_are_small() -> None:
    steep = Sweep("k", 1, 1000, lambda k: Point(k, 0, 10 if k <= 100 else 5000))
    points = steep.points(0.1)
    rise, fall = cliffs.extremes(points)
    assert rise is not None
    assert fall is None
    assert (rise.begin.x, rise.end.x) == (100, 101)
    assert rise.ratio == pytest.approx(500)
    assert len(points) < 70
    down = Sweep("recall", 0.5, 0.001, lambda missed: Point(missed, 10, 1 / missed), whole=False)
    assert len(down.points(0.1)) == 67
    rise, fall = cliffs.extremes(down.points(0.1))
    assert rise is not None
    assert fall is None
    assert rise.ratio == pytest.approx(1.01, abs=2e-4)
    assert down.points(0.1)[0].x > down.points(0.1)[-1].x


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    monkeypatch.setattr(cliffs, "MOST_FRESH", 500)
    monkeypatch.setattr(cliffs, "MOST_N", 2000)
    cliffs.main(["--rows", "12000", "--dim", "16", "--queries", "3", "--step", "3", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines[2:]] == cliffs.NAMES
    sweeps = json.loads((tmp_path / "cliffs.json").read_text())["sweeps"]
    assert sweeps["k"][0]["scanned"] > 0
    assert sweeps["n"][0] == {"x": 1, "scanned": 0, "compared": 1}
    assert all(point["scanned"] + point["compared"] > 0 for points in sweeps.values() for point in points)
    assert (tmp_path / "cliffs.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit):
        cliffs.main(["--step", "0"])


def test_stored_vectors_are_asked_as_neighbors_of_asks(tmp_path: Path) -> None:
    bench = cliffs.Bench(6000, 16, 3, str(tmp_path))
    candidates = [bench.index.neighbors_of(id, 10).candidates for id in bench.order[:3]]
    assert bench.by_k(cliffs.NEIGHBORS_OF, 10).compared == pytest.approx(sum(int(each) for each in candidates) / 3)


def test_a_radius_has_as_many_neighbours_within_it_on_average(tmp_path: Path) -> None:
    bench = cliffs.Bench(6000, 16, 8, str(tmp_path))
    assert len(bench.index.range_search(bench.queries, bench.radius(20), exact=True).ids) == pytest.approx(160, abs=2)
    point = bench.by_k(cliffs.RANGE_SEARCH, 20)
    assert 20 <= point.compared <= 6000
    assert 0 < point.scanned <= 6000


STEADY = ["k", "filter", "removed", "fresh", *(f"range_search {each}" for each in ("k", "fresh"))]


@pytest.mark.parametrize("name", STEADY)
def test_for_one_per_cent_more_no_search_does_a_fifth_more(bench: cliffs.Bench, name: str) -> None:
    """Along the others it does: docs/performance.md, "Whether work rises steadily", has all."""
    (sweep,) = (each for each in bench.sweeps() if each.name == name)
    rise, _ = cliffs.extremes(sweep.points(0.2))
    assert rise is None or rise.ratio <= cliffs.TARGET, rise


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> cliffs.Bench:
    return cliffs.Bench(20_000, 32, 16, str(tmp_path_factory.mktemp("cliffs")))
