"""benchmarks/any_data.py: that every kind is measured, and how what is found is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

any_data: Any = pytest.importorskip("any_data", reason="needs hnswlib and faiss: pip install 'lookalike[bench]'")


SOME = ("5 %", "50 clusters", "300 clusters", "clusters, 90 %", "numbers of size 1e18, exact")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'lookalike[bench]'")
    monkeypatch.setattr(any_data, "KINDS", [kind for kind in any_data.KINDS if kind.name.startswith(SOME)])
    out = tmp_path / "results"
    any_data.main(["--rows", "1000", "--queries", "20", "--rounds", "1", "--out", str(out)])
    text = capsys.readouterr().out
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == len(SOME) + 2
    assert f"{len(SOME)} kinds, " in text
    kinds = json.loads((out / "any_data.json").read_text())["kinds"]
    for kind in kinds:
        for name, answer in kind["answers"].items():
            assert answer["refused"] or answer["found"] > 0.9, name  # of so few rows
    assert (out / "any_data.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit):
        any_data.main(["--only", "no such kind"])


@pytest.mark.parametrize("kind", any_data.KINDS, ids=lambda kind: kind.name)
def test_what_is_nearest_is_found(kind: Any) -> None:
    made = any_data.Made(kind, 1000, 5)
    assert np.isfinite(made.base).all()
    away = [any_data.promise.distances(kind.metric, query, made.base[made.found]) for query in made.queries]
    order = [np.argsort(each, kind="stable")[: kind.k] for each in away]
    assert made.recall(np.flatnonzero(made.found)[np.array(order)]) == 1


def test_as_near_as_the_last_is_found() -> None:
    kind = any_data.Kind("a line", lambda _random, rows, _dim: np.arange(rows, dtype=np.float32)[:, None] // 2, k=2)
    made = any_data.Made(kind, 1000, 1)
    made.queries = np.zeros((1, 1), np.float32)  # rows 0 and 1 are there, 2 and 3 at distance 1
    made.farthest = np.array([made._farthest(made.queries[0])])
    assert made.recall(np.array([[1, 0]])) == 1
    assert made.recall(np.array([[0, 2]])) == 0.5
    assert made.recall(np.array([[0, 0]])) == 0.5
    assert made.recall(np.array([[-1, -1]])) == 0
    made.kind = any_data.Kind("a line", kind.draw, k=3)
    made.farthest = np.array([made._farthest(made.queries[0])])
    assert made.recall(np.array([[1, 0, 2]])) == made.recall(np.array([[1, 0, 3]])) == 1


def test_what_may_not_be_found_is_no_neighbour() -> None:
    draw = any_data.promise.clusters
    far = any_data.Made(any_data.Kind("far", draw, where="far", share=0.5, removed=0.5), 1000, 20)
    assert far.keep.sum() == 500
    assert far.found.sum() == (far.keep & ~np.isin(np.arange(1000), far.gone)).sum() < 500
    assert len(far.queries) == 20
    assert far.recall(np.tile(np.flatnonzero(~far.found)[:10], (20, 1))) == 0
