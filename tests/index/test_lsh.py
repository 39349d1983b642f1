"""Searching by hash tables: what is looked at, what is found, and whether the recall is what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import METRICS, Floats, Metric, check_neighbors, clusters, nearest, recall_of

N, DIM, QUERIES, K = 20_000, 32, 1000, 10


class World:
    """A large index, queries that are not in it, and their true neighbours."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.vectors = clusters(N, DIM, seed=1)
        self.queries = clusters(QUERIES, DIM, seed=2)
        self.index = Index(DIM, metric)
        self.index.add(self.vectors)
        self.index.optimize()
        self.true = self.index.search(self.queries, K, exact=True).ids


@pytest.fixture(scope="module", params=["cosine", "euclidean", "dot"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def buckets(index: Index) -> int:
    return int(index._core.tables * 2**index._core.bits)


@pytest.mark.parametrize("recall", [0.8, 0.9, 0.95])
def test_recall_is_what_was_asked_for(world: World, recall: float) -> None:
    found = world.index.search(world.queries, K, recall=recall)
    measured = recall_of(found.ids, world.true)
    assert found.recall >= recall
    assert measured >= recall - 0.03
    assert abs(measured - found.recall) < 0.05
    assert found.candidates.mean() < 0.7 * N


def test_the_default_recall_is_095(world: World) -> None:
    default = world.index.search(world.queries, K)
    np.testing.assert_array_equal(default.ids, world.index.search(world.queries, K, recall=0.95).ids)
    assert default.recall == world.index.search(world.queries[0], K, recall=0.95).recall


def test_recall_and_candidates_grow_with_probes(world: World) -> None:
    measured, expected, looked_at = [], [], []
    for probes in (1, 8, 32, 128, 512, 2048, buckets(world.index)):
        found = world.index.search(world.queries[:40], K, probes=probes)
        measured.append(recall_of(found.ids, world.true[:40]))
        expected.append(found.recall)
        looked_at.append(found.candidates)
    assert np.all(np.diff(measured) >= 0)
    assert np.all(np.diff(expected) >= 0)
    assert np.all(np.diff(np.array(looked_at, np.int64), axis=0) >= 0)
    assert measured[0] < 0.5 < 0.99 < measured[-1]
    assert looked_at[0].max() < N / 4


def test_probing_every_bucket_is_brute_force(world: World) -> None:
    found = world.index.search(world.queries[:40], K, probes=buckets(world.index))
    exact = world.index.search(world.queries[:40], K, exact=True)
    np.testing.assert_array_equal(found.ids, exact.ids)
    np.testing.assert_array_equal(found.distances, exact.distances)
    assert (found.candidates == N).all()
    assert found.recall == 1.0


def test_recall_of_one_is_brute_force(world: World) -> None:
    found = world.index.search(world.queries, K, recall=1.0)
    assert found.recall == 1.0
    assert (found.candidates == N).all()
    for i, query in enumerate(world.queries[:20]):
        one = world.index.search(query, K, recall=1)
        np.testing.assert_array_equal(one.ids, found.ids[i])
        check_neighbors(one, world.metric, query, np.arange(N), world.vectors, K)


def test_distances_are_exact_however_few_are_looked_at(world: World) -> None:
    found = world.index.search(world.queries[:20], K, probes=3)
    everything = world.index.search(world.queries[:20], N, exact=True)
    for i in range(20):
        distance_of = dict(zip(everything.ids[i].tolist(), everything.distances[i].tolist(), strict=True))
        got = found.ids[i][found.ids[i] >= 0].tolist()
        assert found.distances[i][: len(got)].tolist() == [distance_of[id] for id in got]
        assert len(got) == min(K, found.candidates[i])


def test_a_batch_answers_as_each_query_alone(world: World) -> None:
    batch = world.index.search(world.queries[:50], K, recall=0.9)
    for i in range(50):
        one = world.index.search(world.queries[i], K, recall=0.9)
        np.testing.assert_array_equal(one.ids, batch.ids[i])
        np.testing.assert_array_equal(one.distances, batch.distances[i])
        assert one.candidates == batch.candidates[i]


@pytest.mark.parametrize("k", [1, 3, 10, 30, 100])
def test_recall_is_kept_for_every_k(world: World, k: int) -> None:
    exact = world.index.search(world.queries, k, exact=True)
    slack = 0.06 if k == 1 else 0.03  # one neighbour each: the sample and the queries say least
    for recall in (0.8, 0.95):
        found = world.index.search(world.queries, k, recall=recall)
        share = np.mean([np.isin(ids, true).mean() for ids, true in zip(found.ids, exact.ids, strict=True)])
        assert share >= recall - slack
        assert recall <= found.recall <= 1.0


def test_beyond_the_measured_k_every_vector_is_compared(world: World) -> None:
    found = world.index.search(world.queries[0], 101)
    assert found.recall == 1.0
    assert found.candidates == N
    assert np.isnan(world.index.search(world.queries[0], 101, probes=5).recall)


def test_no_place_is_left_empty_that_could_be_filled(world: World) -> None:
    for k in (1, 100, 2000):
        assert (world.index.search(world.queries[:20], k, probes=1).ids >= 0).all()


def test_stored_vectors_find_themselves_with_one_probe() -> None:
    vectors = clusters(5000, 16, seed=3)
    index = Index(16, "euclidean")
    index.add(vectors)
    index.optimize()
    np.testing.assert_array_equal(index.search(vectors, 1, probes=1).ids[:, 0], np.arange(5000))


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


def test_features_that_are_never_negative_are_spread_over_buckets() -> None:
    features = np.maximum(clusters(6000, 64, seed=5) - 0.5, 0) + 5.0  # as a CNN's: far from the origin, one side
    index = Index(64)
    index.add(features)
    index.optimize()
    assert index.search(features[:200], 1, probes=8).candidates.mean() < 1000


@pytest.mark.parametrize("metric", METRICS)
def test_many_copies_of_one_vector_do_not_hide_the_others(metric: Metric) -> None:
    vectors = clusters(6000, 16, seed=6)
    other = np.arange(6000) % 4 == 1
    vectors[~other] = vectors[0]
    index = Index(16, metric)
    index.add(vectors)
    index.optimize()
    queries = vectors[other][::2]
    true = index.search(queries, K, exact=True).ids
    assert recall_of(index.search(queries, K).ids, true) > 0.92


@pytest.mark.parametrize(("tables", "bits"), [(1, 1), (1, 12), (256, 1), (7, 5)])
def test_tables_and_bits_that_were_asked_for(tables: int, bits: int) -> None:
    vectors = clusters(300, 8, seed=7)
    index = Index(8, "euclidean", tables=tables, bits=bits)
    index.add(vectors)
    index.optimize()
    assert repr(index) == f"Index(dim=8, metric='euclidean'): 300 vectors, {tables} tables of {bits} bits"
    found = index.search(vectors, 3, probes=tables * 2**bits)
    np.testing.assert_array_equal(found.ids, index.search(vectors, 3, exact=True).ids)
    more = index.search(vectors, 3, probes=2**31 - 1)
    np.testing.assert_array_equal(found.ids, more.ids)


def test_bits_far_beyond_what_the_vectors_fill_still_end_in_an_answer() -> None:
    vectors: Floats = np.random.default_rng(12).normal(size=(4000, 8)).astype(np.float32)
    index = Index(8, "euclidean", tables=1, bits=24)  # 16 million buckets, nearly all of them empty
    index.add(vectors)
    index.optimize()
    for k in (1, 3000):
        for options in ({}, {"probes": 1}):
            found = index.search(vectors[:20], k, **options)  # type: ignore[arg-type]
            assert (found.ids >= 0).all()
            assert (found.candidates <= 4000).all()
    assert index.search(vectors[0], 10, recall=0.99).recall >= 0.99


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
    assert found.candidates == 4


def test_few_vectors_are_compared_one_by_one() -> None:
    index = Index(8)
    index.add(clusters(4095, 8, seed=8))
    index.optimize()
    assert repr(index) == "Index(dim=8, metric='cosine'): 4,095 vectors, scanned exactly"
    found = index.search(np.ones(8), 3, probes=1)
    assert found.recall == 1.0
    assert found.candidates == 4095


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_few_dimensions(dim: int) -> None:
    vectors: Floats = np.random.default_rng(9).normal(size=(5000, dim)).astype(np.float32)
    index = Index(dim, "euclidean")
    index.add(vectors)
    index.optimize()
    found = index.search(vectors[:100], 10)
    true = np.array([nearest("euclidean", query, vectors, 10) for query in vectors[:100]])
    assert recall_of(found.ids, true) > 0.9


def test_answers_and_files_depend_on_nothing_but_input_and_seed(tmp_path: object) -> None:
    vectors, queries = clusters(9000, 24, seed=10), clusters(100, 24, seed=11)
    saved, answers = [], []
    for attempt in range(2):
        index = Index(24, seed=5)
        index.add(vectors)
        index.remove(np.arange(0, 9000, 3))
        index.save(f"{tmp_path}/{attempt}")
        with open(f"{tmp_path}/{attempt}", "rb") as file:
            saved.append(file.read())
        opened = Index.open(f"{tmp_path}/{attempt}")
        for threads in (1, 2, 0):
            answers += [index.search(queries, 10, threads=threads), opened.search(queries, 10, threads=threads)]
    assert saved[0] == saved[1]
    for answer in answers:
        np.testing.assert_array_equal(answer.ids, answers[0].ids)
        np.testing.assert_array_equal(answer.distances, answers[0].distances)
        np.testing.assert_array_equal(answer.candidates, answers[0].candidates)
        assert answer.recall == answers[0].recall

    index, other = Index.open(f"{tmp_path}/0"), Index(24, seed=6)
    other.add(vectors)
    other.remove(np.arange(0, 9000, 3))
    assert (other.search(queries, 10, probes=8).candidates != index.search(queries, 10, probes=8).candidates).any()
