"""Every competitor that compares sets, with its real library; and those that do not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.bench.competitors import NAMES, CannotError, Competitor, Shape, create, everyone
from lookalike.bench.competitors.minhash import BITS, codes
from lookalike.bench.csv_file import write_csv
from lookalike.bench.datasets import Dataset
from lookalike.bench.report import document
from lookalike.bench.results import Outcome, Results
from lookalike.bench.run import run
from lookalike.bench.sets import Sets, as_sets
from lookalike.bench.truth import recall
from lookalike.pages import benchmark_page, plot

from .test_competitors import batch, shared, single
from .tiny import PLAN, installed, tiny_sets

K, COUNT = 10, 600
EXACT = {"inverted-index", "brute-pairs"}
CANNOT = {
    "datasketch-forest": {"save", "remove"},
    "datasketch-lsh": {"save"},
    "inverted-index": {"add", "remove"},
    "brute-pairs": {"save"},
}
"""What a method does not do, which its competitor says."""

each = pytest.mark.parametrize("name", everyone("jaccard"))


def built(name: str, base: Sets) -> Competitor:
    """At its most thorough setting."""
    if name.startswith("datasketch") and not installed(name):
        pytest.skip(f"needs {name}: pip install 'lookalike[bench]'")
    competitor = create(name, "jaccard")
    competitor.build(base, "jaccard", 1)
    competitor.configure(competitor.sweep()[-1], 1)
    return competitor


def able(name: str, what: str) -> bool:
    return what not in CANNOT.get(name, set())


def unlike(data: Dataset, count: int) -> Any:
    """Sets that are not in the base: every third item of the universe, then every fourth."""
    items = [np.arange(0, data.base.universe, 3 + row) for row in range(count)]
    [sets] = as_sets(
        (np.concatenate([*items, np.arange(data.base.universe)]), np.array([*map(len, items), data.base.universe]))
    )
    return sets[:count]


@each
def test_its_most_thorough_setting_finds_the_neighbours(name: str) -> None:
    data = tiny_sets()
    competitor, queries = built(name, data.base), data.test.vectors
    for found in (single(competitor, queries), batch(competitor, queries)):
        least = 1 if name in EXACT else 0.95
        assert recall(data.base, queries, "jaccard", data.test.neighbors, found) >= least
    assert np.array_equal(single(competitor, queries), batch(competitor, queries))
    assert competitor.parameters


@each
def test_a_thorough_setting_finds_no_less_than_a_fast_one(name: str) -> None:
    data = tiny_sets()
    competitor, found, met = built(name, data.base), [], []
    for setting in competitor.sweep()[:: max(1, len(competitor.sweep()) - 1)]:
        competitor.configure(setting, 2)
        found.append(shared(batch(competitor, data.test.vectors), data.test.neighbors))
        met.append(competitor.touched(data.test.vectors, K))
    assert found == sorted(found)
    assert met == sorted(met)
    assert 0 < met[0] <= met[-1] <= COUNT
    assert (found[0] < found[-1]) == (name not in EXACT)


@each
def test_what_is_saved_is_loaded(name: str, tmp_path: Path) -> None:
    data = tiny_sets()
    competitor, shape = built(name, data.base), Shape(COUNT, data.base.shape[1], "jaccard")
    if not able(name, "save"):
        with pytest.raises(CannotError, match="by pickle only"):
            competitor.save(str(tmp_path))
        with pytest.raises(CannotError, match="by pickle only"):
            create(name, "jaccard").load(str(tmp_path), shape)
        return
    competitor.save(str(tmp_path))
    loaded = create(name, "jaccard")
    loaded.load(str(tmp_path), shape)
    loaded.configure(loaded.sweep()[-1], 1)
    assert np.array_equal(single(loaded, data.test.vectors), single(competitor, data.test.vectors))


@each
def test_what_is_added_is_found_and_what_is_removed_is_not(name: str) -> None:
    data = tiny_sets()
    competitor, new, ids = built(name, data.base), unlike(data, 3), np.arange(COUNT, COUNT + 3)
    if able(name, "add"):
        competitor.add(ids[:1], new[:1])
        competitor.add(ids[1:], new[1:])
        competitor.configure(competitor.sweep()[-1], 1)
        assert single(competitor, new)[:, 0].tolist() == ids.tolist()
    else:
        with pytest.raises(CannotError, match="its index is built once"):
            competitor.add(ids, new)
    assert single(competitor, data.base[:3])[:, 0].tolist() == [0, 1, 2]
    if able(name, "remove"):
        competitor.remove(np.array([1]))
        competitor.remove(ids[2:])
        for search in (single, batch):
            assert not np.isin(search(competitor, data.base[:20]), [1, ids[2]]).any()
            assert search(competitor, data.base[:3])[[0, 2], 0].tolist() == [0, 2]
            assert search(competitor, new[:2])[:, 0].tolist() == ids[:2].tolist()
    else:
        with pytest.raises(CannotError, match=r"built once|does not delete"):
            competitor.remove(np.array([1]))


@each
def test_it_takes_few_sets_also_empty_ones(name: str) -> None:
    [sets] = as_sets((np.array([3, 4, 3]), np.array([2, 0, 1])))
    competitor = built(name, sets)
    assert single(competitor, sets[:1], 3)[0, 0] == 0
    assert batch(competitor, sets, 1)[[0, 2], 0].tolist() == [0, 2]


def test_a_bit_is_equal_with_half_the_probability_that_similarity_leaves() -> None:
    random = np.random.default_rng(1)
    for shared_items in (0, 30, 60, 90, 100):
        pairs = [random.choice(1 << 30, 200 - shared_items, replace=False) for _ in range(30)]
        flat = [part for items in pairs for part in (items[:100], items[-100:])]
        [sets] = as_sets((np.concatenate(flat), np.full(60, 100)))
        bits = np.unpackbits(codes(sets), axis=1)
        equal = (bits[::2] == bits[1::2]).mean()
        similarity = shared_items / (200 - shared_items)
        assert equal == pytest.approx((1 + similarity) / 2, abs=4 * 0.5 / np.sqrt(30 * BITS))


def test_a_set_of_any_size_has_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    [sets] = as_sets((np.arange(500), np.array([500])))
    whole = codes(sets)
    monkeypatch.setattr("lookalike.bench.competitors.minhash.BLOCK", 7)
    assert np.array_equal(codes(sets), whole)
    assert whole.shape == (1, BITS // 8)


def test_who_compares_vectors_takes_no_part() -> None:
    assert {*everyone("jaccard"), *everyone("cosine")} == {*NAMES}
    for name in set(NAMES) - set(everyone("jaccard")):
        with pytest.raises(CannotError, match="it does not compare sets"):
            create(name, "jaccard")
    with pytest.raises(CannotError, match="it does not compare vectors"):
        create("inverted-index", "euclidean")


@pytest.mark.parametrize("name", ["datasketch-forest", "datasketch-lsh"])
def test_a_library_that_is_missing_costs_only_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ["datasketch", *(one for one in sys.modules if one.startswith("datasketch."))]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "lookalike.bench.competitors.datasketch", raising=False)
    with pytest.raises(ImportError, match="datasketch"):
        create(name, "jaccard")
    assert create("lookalike", "jaccard").distribution == "lookalike"


def measured(folder: Path) -> Results:
    names = ["inverted-index", "brute-pairs", "hnswlib"]
    return run(tiny_sets(), names, PLAN, str(folder), 0, again=False, say=lambda _: None, now=lambda _: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run has left its results."""
    folder = tmp_path_factory.mktemp("sets")
    measured(folder).save(folder / "results.json")
    return folder


def test_a_whole_run(folder: Path) -> None:
    results = Results.load(folder / "results.json")
    ours, inverted, pairs, absent = results.outcomes
    assert (results.distance, results.count, results.dim) == ("jaccard", COUNT, tiny_sets().base.universe)
    assert absent.error == "it does not compare sets"
    for outcome in (ours, inverted, pairs):
        assert outcome.error == ""
        for points in (outcome.single, outcome.batch):
            assert max(point.recall for point in points) > 0.99
        assert outcome.single[0].touched
    assert any(inverted.pace["single"])
    assert measured(folder).outcomes[:3] == [ours, inverted, pairs]  # which were kept
    page = benchmark_page(results)
    for text in (f"same {COUNT} sets", f"over {results.dim:,} items", "every query with every set in 64-bit"):
        assert text in page
    assert "Methods that compare vectors take no part" in page
    assert "By exact search, which finds all" in page


def test_a_run_without_ours(folder: Path, tmp_path: Path) -> None:
    results = Results.load(folder / "results.json")
    results.outcomes[0] = Outcome("lookalike", error="gone")
    for outcome in results.outcomes:
        outcome.pace = {"single": [], "batch": []}
    assert "lookalike was not measured one by one; at 95 % inverted-index is the fastest" in benchmark_page(results)
    assert "| lookalike | gone |" in document([results])
    write_csv([results], tmp_path / "results.csv")
    assert plot(results, "single").count("<polyline") == 2
