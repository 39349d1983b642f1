"""Copies of a vector: all are found, the others are found as well as without them, and they cost no work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import Index
from tests.index.brute_force import Floats, Ids, Metric, check_neighbors, clusters, distances, recall_of

pytestmark = pytest.mark.thorough

N, DIM = 20_000, 24
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"family": "hyperplanes", "tables": 3},
    {"family": "cross_polytope", "tables": 2},
    {"store": "float16"},
)


def sealed(vectors: Floats, metric: Metric, **way: Any) -> Index:
    index = Index(vectors.shape[1], metric, **way)
    index.add(vectors)
    index.optimize()
    return index


def half_equal() -> tuple[Floats, NDArray[np.bool_]]:
    """Vectors of which every other one is the same; and which are not."""
    vectors = clusters(N, DIM, seed=1)
    other = np.arange(N) % 2 == 1
    vectors[~other] = vectors[0] / 2
    return vectors, other


def few_different(n: int, different: int, seed: int) -> Floats:
    """n vectors, of which so many are different: of small integers, whose distances are exact and often equal."""
    random = np.random.default_rng(seed)
    return random.integers(1, 5, (different, 4)).astype(np.float32)[random.integers(different, size=n)]


def nearest_ids(query: Floats, ids: Ids, vectors: Floats, k: int) -> list[int]:
    """By the squared distance, ties by id; padded with -1."""
    order = np.lexsort((ids, distances("sqeuclidean", query, vectors)))[:k]
    return [*ids[order].tolist(), *[-1] * (k - len(order))]


@pytest.mark.parametrize(
    ("metric", "way"),
    [
        ("cosine", {}),
        ("euclidean", {}),
        ("dot", {}),
        ("euclidean", {"store": "none"}),
        ("cosine", {"family": "hyperplanes", "tables": 2}),
    ],
)
def test_half_of_all_equal_and_the_others_keep_their_recall_and_their_work(metric: Metric, way: dict[str, Any]) -> None:
    vectors, other = half_equal()
    alone, among = sealed(vectors[other], metric, **way), sealed(vectors, metric, **way)
    queries = clusters(2000, DIM, seed=2)
    true = among.search(queries, 10, exact=True).ids
    queries = queries[other[true].all(axis=1)]  # those whose neighbours are others
    true = true[other[true].all(axis=1)]
    assert len(true) > 1000
    for probes, rerank in ((3, 50), (10, 100), (30, 300)):
        expected = alone.search(queries, 10, probes=probes, rerank=rerank).ids * 2 + 1  # their ids among the copies
        found = among.search(queries, 10, probes=probes, rerank=rerank).ids
        assert recall_of(found, true) >= recall_of(expected, true) - 0.01
    for recall in (0.9, 0.95, 0.99):
        fewer, more = alone.search(queries, 10, recall=recall), among.search(queries, 10, recall=recall)
        assert recall_of(more.ids, true) >= recall - 0.015  # as in test_recall.py
        assert more.candidates.mean() <= 2 * fewer.candidates.mean()


def test_half_of_all_equal_and_a_query_at_them_scans_no_more_than_others() -> None:
    vectors, other = half_equal()
    index = sealed(vectors, "euclidean")
    copy = int(np.flatnonzero(~other)[700])
    counts = {stage.name: stage.count for stage in index.explain(vectors[copy], 10, probes=5, id=copy).stages}
    assert counts["probe"] == 5
    assert counts["scan"] < 5 * 500  # a bucket holds about a hundred
    assert counts["rerank"] <= 30
    assert counts["compare"] == 0
    for k in (1, 10, 100, 3000, 12_000):
        found = index.search(vectors[copy], k)
        assert found.ids[: N // 2].tolist() == np.flatnonzero(~other)[:k].tolist()
        assert (found.distances[: N // 2] == 0).all()


def test_all_of_one_vector() -> None:
    vector = np.arange(1, DIM + 1, dtype=np.float32)
    index = sealed(np.tile(vector, (N, 1)), "cosine")
    for options in ({}, {"exact": True}, {"probes": 1}):
        found = index.search(vector, 7, **options)
        assert found.ids.tolist() == list(range(7))
        assert found.candidates == 1  # compared once
    index.remove(range(0, N, 2))
    assert index.search(-vector, 5).ids.tolist() == [1, 3, 5, 7, 9]
    assert index.search(vector, 5, filter=[0, 4, 9, N - 1]).ids.tolist() == [9, N - 1, -1, -1, -1]
    assert len(index.range_search(vector, 1e-6).ids) == N // 2


@pytest.mark.parametrize("way", WAYS)
def test_most_are_copies_of_ten(way: dict[str, Any]) -> None:
    vectors = clusters(N * 3, DIM, seed=4)  # 6,000 different ones
    copy = np.arange(N * 3) % 10 > 0
    vectors[copy] = vectors[:100:10][np.random.default_rng(5).integers(10, size=int(copy.sum()))]
    index = sealed(vectors, "euclidean", **way)
    queries = clusters(300, DIM, seed=6)
    true = index.search(queries, 10, exact=True)
    found = index.search(queries, 10, recall=0.95)
    assert (found.distances <= true.distances[:, -1:]).mean() >= 0.93
    assert true.candidates.max() == 6000
    assert found.candidates.max() <= 6000
    for row in range(0, 100, 10):
        equal = np.flatnonzero((vectors == vectors[row]).all(axis=1))
        np.testing.assert_array_equal(index.search(vectors[row], 50).ids, equal[:50])
        assert "among the neighbours" in str(index.explain(vectors[row], 50, id=int(equal[49])))
        assert "50 others are nearer" in str(index.explain(vectors[row], 50, id=int(equal[50])))


@pytest.mark.parametrize("hashed", [False, True])
def test_every_answer_is_that_of_brute_force_while_copies_come_and_go(hashed: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    for seed in range(6):
        index = Index(4, "sqeuclidean", buckets=8 if hashed else None)
        vectors, ids = few_different(600, 40, seed), np.arange(600)
        index.add(vectors)
        for step in range(12):
            action = random.integers(5)
            if action == 0:
                index.optimize()
            elif action == 1:
                index.save(tmp_path / "index")
                index = Index.open(tmp_path / "index")
            elif action == 2:
                gone = random.random(len(ids)) < random.choice([0.02, 0.5])
                index.remove(ids[gone])
                vectors, ids = vectors[~gone], ids[~gone]
            elif action == 3:  # some that are there get another's vector
                which = random.random(len(ids)) < 0.2
                vectors[which] = few_different(int(which.sum()), 40, seed)
                index.add(vectors[which], ids[which], overwrite=True)
            else:
                new = few_different(50, 45, seed)
                ids = np.append(ids, index.add(new))
                vectors = np.append(vectors, new, axis=0)
            check_everything(index, random, ids, vectors, step)


def check_everything(index: Index, random: np.random.Generator, ids: Ids, vectors: Floats, step: int) -> None:
    query = few_different(1, 1, 100 + step)[0]
    some = ids[random.random(len(ids)) < random.choice([0.01, 0.2, 0.9])]
    for only in (None, some, ids[(vectors == vectors[0]).all(axis=1)]):
        kept = np.isin(ids, ids if only is None else only)
        for k in (1, 10, len(ids) + 5):
            ways: list[dict[str, Any]] = [{"exact": True}, {"probes": 2**20}]
            ways += [{"probes": 1}, {"recall": 0.5}] if k > len(ids) else []  # then all must be found
            for way in ways:
                found = index.search(query, k, filter=only, **way)
                assert found.ids.tolist() == nearest_ids(query, ids[kept], vectors[kept], k)
                check_neighbors(found, "sqeuclidean", query, ids[kept], vectors[kept], k)
        away = distances("sqeuclidean", query, vectors[kept])
        near = index.range_search(query, 3.0, filter=only, exact=True).ids
        assert sorted(near.tolist()) == sorted(ids[kept][away <= 3.0].tolist())


@pytest.mark.parametrize("way", WAYS)
def test_a_filter_may_leave_any_of_the_copies(way: dict[str, Any]) -> None:
    vectors, other = half_equal()
    index = sealed(vectors, "euclidean", **way)
    copies = np.flatnonzero(~other)
    for some in (copies[1:], copies[5:6], copies[-30:], copies[1::2]):
        only = np.union1d(some, np.flatnonzero(other))
        found = index.search(vectors[0], 20, filter=only)
        assert found.ids[: len(some)].tolist() == some[:20].tolist()
        assert (found.distances[: len(some)] < 1e-3).all()  # the query is not rounded, where the vectors are
        within = index.range_search(vectors[0], 1e-3, filter=only)
        assert sorted(within.ids.tolist()) == some.tolist()
        assert "the filter leaves it out" in str(index.explain(vectors[0], 20, filter=only, id=0))
        assert "among the neighbours" in str(index.explain(vectors[0], 20, filter=only, id=int(some[0])))
    index.remove(copies[:-1])  # the original too
    assert index.search(vectors[0], 2).ids[0] == copies[-1]
    index.remove(copies[-1:])
    found = index.search(vectors[0], 20, recall=0.99)
    assert (found.ids >= 0).all()
    assert other[found.ids].all()


def test_copies_of_bits() -> None:
    random = np.random.default_rng(8)
    bits = random.integers(0, 256, (12_000, 8), np.uint8)
    bits[::2] = bits[0]
    index = Index(64, "hamming")
    index.add(bits)
    index.optimize()
    found = index.search(bits[0], 3000)
    assert found.ids.tolist() == list(range(0, 6000, 2))
    few = index.search(bits[0], 10, probes=3)
    assert few.ids.tolist() == list(range(0, 20, 2))
    assert few.candidates < 6000


def test_copies_stay_copies_when_segments_are_merged_and_opened(tmp_path: Path) -> None:
    vectors, other = half_equal()
    index = Index(DIM, "euclidean")
    for part in np.array_split(vectors, 5):
        index.add(part)
        index.optimize()
    index.save(tmp_path / "index")
    sealed(vectors, "euclidean").save(tmp_path / "at_once")
    assert (tmp_path / "index").read_bytes() == (tmp_path / "at_once").read_bytes()
    opened = Index.open(tmp_path / "index")
    for query in vectors[[0, 1, 2, 77]]:
        found, again = index.search(query, 200), opened.search(query, 200)
        np.testing.assert_array_equal(found.ids, again.ids)
        assert found.candidates == again.candidates
    np.testing.assert_array_equal(opened[int(np.flatnonzero(~other)[-1])], vectors[0])
