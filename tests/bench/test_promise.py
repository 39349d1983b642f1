"""benchmarks/promise.py: what it draws, what it counts, and that it goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import promise
from lookalike import Index
from lookalike.metric import Metric

SMALL = ["--part", "tuning", "--rows", "6000", "--queries", "40"]


def answer(found: float, **changed: object) -> promise.Answer:
    way = promise.Way("stored", "", 1.0, int(str(changed.pop("k", 10))), 0.9)
    return replace(promise.Answer(0, "some, sealed", way, found, 0.003, 0.9, 1.0, 100), **changed)  # type: ignore[arg-type]


def test_shares_are_of_the_neighbours_that_there_are() -> None:
    inf = np.inf
    true = np.array([[1, 2, 3], [1, 2, 2], [1, 2, inf], [inf, inf, inf], [1, 2, 3]], np.float32)
    true_ids = np.array([[1, 2, 3], [1, 2, 3], [1, 2, -1], [-1, -1, -1], [1, 2, 3]])
    found = np.array([[1, 3, 4], [2, 2, 2], [1, inf, inf], [inf, inf, inf], [1, 2, 3.001]], np.float32)
    ids = np.array([[1, 3, 4], [2, 4, 5], [1, -1, -1], [-1, -1, -1], [1, 2, 3]])
    assert promise.shares(true_ids, true, ids, found) == pytest.approx([2 / 3, 1, 1 / 2, 1, 1])
    ids[4, 2] = 4  # another, and farther
    assert promise.shares(true_ids, true, ids, found)[4] == pytest.approx(2 / 3)


def test_the_same_number_is_the_same_index_and_ways() -> None:
    one, again, other = (promise.Made("test", number, 3000, 100) for number in (3, 3, 4))
    assert one.name == again.name != other.name
    assert np.array_equal(one.base, again.base)
    assert list(promise.ways(one.random)) == list(promise.ways(again.random))


@pytest.mark.parametrize("kind", sorted({kind for kinds in promise.KINDS.values() for kind in kinds}, key=str))
def test_vectors_of_every_kind_and_queries_of_every_origin_are_finite(kind: promise.Kind) -> None:
    random = np.random.default_rng(5)
    drawn = kind(random, 300, 2 if kind is promise.cities else 24)
    base, more = drawn[:200], drawn[200:]
    for vectors in [base, *(origin(random, base, more) for origin in promise.ORIGINS)]:
        assert vectors.dtype == np.float32
        assert np.isfinite(vectors).all()
        assert vectors.shape[1] == base.shape[1]


def test_singles_are_judged_together() -> None:
    low, high, ten = answer(0.8, k=1), answer(1.0, k=1, queries=300), answer(0.85)
    first, pool = promise.pooled([low, ten, high])
    assert first is ten
    assert pool.found == pytest.approx(0.9)
    assert (pool.queries, pool.way.k) == (400, 1)
    assert [promise.holds(each) for each in (low, ten, pool)] == [False, False, True]
    assert len(promise.pooled([low, answer(0.9, k=1, made="other, sealed")])) == 2
    text = promise.report([low, ten, high, answer(1.0, said=1.0), answer(0.95, exact=0.9)])
    assert "of 4 3 hold (75.0 %), of the 3 that say less than 1 2 (66.7 %); the other 1 say that all" in text
    assert "\n1 find less than they say" in text
    assert "\n1 have a neighbour in double precision" in text


def test_exact_is_checked_in_double_precision() -> None:
    made = promise.Made("tuning", 0, 3000, 100)
    ids = made.ids[:200]
    only = made.index.filter(ids)
    assert made._exact(made.more[0], 10, ids, only) == 1
    assert made._exact(made.more[0], 10, made.ids[200:], only) == 0
    assert made._exact(made.more[0], 300, ids, only) == 1  # of 200


@pytest.mark.parametrize("metric", promise.METRICS)
def test_distances_order_as_the_engine_does(metric: Metric) -> None:
    random = np.random.default_rng(1)
    vectors, query = random.standard_normal((300, 8), np.float32), random.standard_normal(8, np.float32)
    index = Index(8, metric)
    index.add(vectors)
    nearest = np.argsort(promise.distances(metric, query, vectors))[:5]
    assert index.search(query, 5, exact=True).ids.tolist() == nearest.tolist()


def test_it_goes_on_behind_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "WAYS", 6)
    to = tmp_path / "results" / "some.jsonl"
    promise.main([*SMALL, "--count", "12", "--to", str(to)])
    whole, said = to.read_text(), capsys.readouterr()
    assert [line.partition(":")[0] for line in said.err.splitlines() if line[0] != " "] == ["0", "1"]
    assert said.out.startswith("12 combinations")
    to.write_text(whole[: len(whole) * 2 // 3])  # ended while it wrote those of the second
    promise.main([*SMALL, "--count", "12", "--to", str(to)])
    assert to.read_text() == whole
    assert capsys.readouterr().out == said.out
    promise.main([*SMALL, "--only", "1", "--to", str(to)])
    assert to.read_text() == whole
    with pytest.raises(SystemExit, match="with other arguments; remove it"):
        promise.main([*SMALL, "--queries", "41", "--count", "12", "--to", str(to)])


def test_wrong_numbers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        promise.main(["--part", "test", "--queries", "0"])
    assert "expected at least 1" in capsys.readouterr().err
