"""Searching by buckets and sketches: what is looked at, what is found, and that the answers depend on nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import Floats, Metric, clusters, recall_of

N, DIM, K = 10_000, 24, 10
ALL = 2**31 - 1


class World:
    def __init__(self, metric: Metric) -> None:
        self.vectors = clusters(N, DIM, seed=1)
        self.queries = clusters(200, DIM, seed=2)
        self.index = Index(DIM, metric)
        self.index.add(self.vectors)
        self.index.optimize()
        self.exact = self.index.search(self.queries, K, exact=True)


@pytest.fixture(scope="module", params=["cosine", "euclidean", "dot"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def test_recall_and_candidates_grow_with_probes(world: World) -> None:
    measured, expected = [], []
    for probes in (1, 2, 4, 8, 16, 32, world.index._core.buckets):
        found = world.index.search(world.queries, K, probes=probes)
        measured.append(recall_of(found.ids, world.exact.ids))
        expected.append(np.mean(found.recall))
        assert (found.candidates >= K).all()
        assert (found.candidates < N / 4).all() or probes == world.index._core.buckets
    assert np.all(np.diff(measured) >= -0.002)
    assert np.all(np.diff(expected) >= 0)
    assert measured[0] < 0.95 < 0.99 < measured[-2]


def test_probing_every_bucket_is_brute_force(world: World) -> None:
    for probes in (world.index._core.buckets, ALL):
        found = world.index.search(world.queries, K, probes=probes)
        np.testing.assert_array_equal(found.ids, world.exact.ids)
        np.testing.assert_array_equal(found.distances, world.exact.distances)
        assert (found.candidates == N).all()
        assert np.all(found.recall == 1.0)


def test_rerank_is_how_many_are_compared_by_more_than_their_sketch(world: World) -> None:
    measured = []
    for rerank in (K, 2 * K, 10 * K, 100 * K):
        found = world.index.search(world.queries, K, probes=16, rerank=rerank)
        assert (found.candidates <= rerank).all()
        measured.append(recall_of(found.ids, world.exact.ids))
    assert (world.index.search(world.queries, K, probes=16, rerank=25).candidates == 25).all()
    assert np.all(np.diff(measured) >= 0)
    assert measured[0] < measured[-1]
    few = world.index.search(world.queries, K, probes=16, rerank=1)
    assert (few.ids >= 0).all(), "k neighbours need k candidates"


def test_distances_are_exact_however_few_are_looked_at(world: World) -> None:
    found = world.index.search(world.queries[:20], K, probes=1, rerank=20)
    everything = world.index.search(world.queries[:20], N, exact=True)
    for i in range(20):
        distance_of = dict(zip(everything.ids[i].tolist(), everything.distances[i].tolist(), strict=True))
        assert found.distances[i].tolist() == [distance_of[id] for id in found.ids[i].tolist()]
        assert (np.diff(found.distances[i]) >= 0).all()
        assert len(set(found.ids[i].tolist())) == K


@pytest.mark.parametrize("options", [{"recall": 0.9}, {"probes": 3}, {"probes": 9, "rerank": 40}, {"exact": True}])
def test_a_batch_answers_as_each_query_alone(world: World, options: dict[str, float]) -> None:
    batch = world.index.search(world.queries, K, **options)  # type: ignore[arg-type]
    few = world.index.search(world.queries[40:43], K, **options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(few.ids, batch.ids[40:43])
    for i in range(0, 200, 5):
        one = world.index.search(world.queries[i], K, **options)  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.ids, batch.ids[i])
        np.testing.assert_array_equal(one.distances, batch.distances[i])
        assert one.candidates == batch.candidates[i]


def test_no_place_is_left_empty_that_could_be_filled(world: World) -> None:
    for k in (1, 100, 2000):
        assert (world.index.search(world.queries[:20], k, probes=1).ids >= 0).all()
    assert ((world.index.search(world.queries[:2], N + 5, probes=1).ids >= 0).sum(axis=1) == N).all()


def test_max_distance_leaves_out_what_is_farther(world: World) -> None:
    limit = float(np.median(world.exact.distances[:, 4]))
    found = world.index.search(world.queries, K, probes=20, max_distance=limit)
    whole = world.index.search(world.queries, K, probes=20)
    np.testing.assert_array_equal(found.ids, np.where(whole.distances <= limit, whole.ids, -1))


def test_stored_vectors_find_themselves_with_one_probe() -> None:
    vectors = clusters(5000, 16, seed=3)
    index = Index(16, "euclidean")
    index.add(vectors)
    index.optimize()
    assert (index.search(vectors, 1, probes=1).ids[:, 0] == np.arange(5000)).mean() > 0.99


def test_fresh_vectors_are_found_at_once_and_removed_ones_never() -> None:
    vectors = clusters(6000, 16, seed=4)
    index = Index(16)
    index.add(vectors[:5000])
    index.optimize()
    index.add(vectors[5000:])
    assert len(index) == 6000
    np.testing.assert_array_equal(index.search(vectors[5000:], 1, probes=1).ids[:, 0], np.arange(5000, 6000))
    removed = np.arange(0, 6000, 2)
    index.remove(removed)
    for _ in range(2):
        for options in ({"probes": 1}, {"recall": 0.9}, {"exact": True}):
            found = index.search(vectors, 5, **options)
            assert not np.isin(found.ids, removed).any()
        index.optimize()


def test_a_few_that_remain_among_many_removed_are_found() -> None:
    vectors = clusters(5000, 16, seed=13)
    index = Index(16)
    index.add(vectors)
    index.optimize()
    index.remove(np.delete(np.arange(5000), [7, 3000]))
    index.add(vectors[1:3])
    found = index.search(vectors[0], 10, probes=1)
    assert sorted(found.ids[:4].tolist()) == [7, 3000, 5000, 5001]
    assert (found.ids[4:] == -1).all()
    index.remove([5000, 7, 3000, 5001])
    assert (index.search(vectors[0], 10, probes=1).ids == -1).all()


def test_few_vectors_are_compared_one_by_one() -> None:
    index = Index(8)
    index.add(clusters(4095, 8, seed=8))
    index.optimize()
    assert repr(index) == "Index(dim=8, metric='cosine'): 4,095 vectors, compared one by one"
    found = index.search(np.ones(8), 3, probes=1)
    assert np.all(found.recall == 1.0)
    assert found.candidates == 4095
    index.add(np.ones(8))
    index.optimize()
    assert re.fullmatch(r"Index\(dim=8, metric='cosine'\): 4,096 vectors, [345]\d buckets", repr(index))


@pytest.mark.parametrize("buckets", [1, 2, 7, 100, 299, 300, 5000, 2**24])
@pytest.mark.parametrize("rows", [2, 3, 4, 9, 300])
def test_any_number_of_buckets_for_any_number_of_vectors(rows: int, buckets: int) -> None:
    vectors = clusters(rows, 8, seed=7)
    index = Index(8, "euclidean", buckets=buckets)
    index.add(vectors)
    index.optimize()
    assert 1 <= index._core.buckets <= min(2 * buckets, rows)
    exact = index.search(vectors, 3, exact=True)
    for probes in (index._core.buckets, ALL):
        found = index.search(vectors, 3, probes=probes)
        np.testing.assert_array_equal(found.ids, exact.ids)
    for options in ({"probes": 1}, {"recall": 0.9}, {}):
        found = index.search(vectors, 3, **options)
        assert ((found.ids >= 0).sum(axis=1) == min(3, rows)).all()


def test_about_as_many_buckets_as_were_asked_for() -> None:
    vectors = clusters(6000, 8, seed=7)
    for buckets in (10, 60, 300):
        index = Index(8, "euclidean", buckets=buckets)
        index.add(vectors)
        index.optimize()
        assert 0.5 * buckets <= index._core.buckets <= 2 * buckets


@pytest.mark.parametrize(("metric", "dim"), [("cosine", 3), ("euclidean", 3), ("dot", 3), ("cosine", 330)])
def test_vectors_that_are_all_the_same(metric: Metric, dim: int) -> None:
    index = Index(dim, metric)
    index.add(np.ones((5000, dim), np.float32))
    index.optimize()
    for options in ({}, {"probes": 1}, {"exact": True}):
        found = index.search(np.ones(dim), 4, **options)
        assert found.ids.tolist() == [0, 1, 2, 3]


ANY_SIZE = [(m, s) for m in ("euclidean", "dot") for s in (1e-18, 1e-6, 1e6, 1e17)]


@pytest.mark.parametrize(("metric", "size"), [*ANY_SIZE, ("cosine", 1e-6), ("cosine", 1e17)])
def test_vectors_of_any_size_fill_every_place(metric: Metric, size: float) -> None:
    vectors: Floats = (clusters(600, 12, seed=9) * size).astype(np.float32)
    index = Index(12, metric, buckets=20)
    index.add(vectors)
    index.optimize()
    found = index.search(vectors[:50], 5, probes=3)
    assert (found.ids >= 0).all()
    if metric != "dot":
        assert (found.ids[:, 0] == np.arange(50)).mean() > 0.9


@pytest.mark.parametrize("metric", ["euclidean", "dot"])
def test_vectors_too_small_for_float32_distances_beside_others_fill_every_place(metric: Metric) -> None:
    vectors: Floats = (clusters(600, 12, seed=9) * 1e-30).astype(np.float32)
    index = Index(12, metric, buckets=20)
    index.add(np.ones((1, 12), np.float32))
    index.add(vectors)
    index.optimize()
    found = index.search(vectors[:50], 5, probes=3)
    assert (found.ids >= 0).all()


def test_the_largest_admitted_vectors_fill_every_place() -> None:
    vectors: Floats = np.random.default_rng(10).normal(size=(600, 256)).astype(np.float32)
    vectors *= np.float32(2.9e18) / np.linalg.norm(vectors, axis=1, keepdims=True)
    index = Index(256, "euclidean", buckets=4)
    index.add(vectors)
    index.optimize()
    found = index.search(vectors[:50], 5, probes=2)
    assert (found.ids >= 0).all()
    np.testing.assert_array_equal(found.ids[:, 0], np.arange(50))


def test_answers_and_files_depend_on_nothing_but_input_and_seed(tmp_path: object) -> None:
    vectors, queries = clusters(9000, 24, seed=10), clusters(100, 24, seed=11)
    saved, answers = [], []
    for threads in (1, 2, 0):
        index = Index(24, seed=5)
        for begin in range(0, 9000, 3000 + threads):
            index.add(vectors[begin : begin + 3000 + threads])
        index.remove(np.arange(0, 9000, 3))
        index._core.optimize(threads)
        index.save(f"{tmp_path}/{threads}")
        with open(f"{tmp_path}/{threads}", "rb") as file:
            saved.append(file.read())
        opened = Index.open(f"{tmp_path}/{threads}")
        for each in (1, 2, 0):
            answers += [index.search(queries, 10, threads=each), opened.search(queries, 10, threads=each)]
    assert saved[0] == saved[1] == saved[2]
    for answer in answers:
        np.testing.assert_array_equal(answer.ids, answers[0].ids)
        np.testing.assert_array_equal(answer.distances, answers[0].distances)
        np.testing.assert_array_equal(answer.candidates, answers[0].candidates)
        np.testing.assert_array_equal(answer.recall, answers[0].recall)

    other = Index(24, seed=6)
    other.add(vectors)
    other.remove(np.arange(0, 9000, 3))
    assert (other.search(queries, 10, probes=2).ids != answers[0].ids).any()
