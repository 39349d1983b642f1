"""What an explanation says of the recall."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError
from lookalike.index.explanation import Explanation
from lookalike.metric import Metric
from tests.index.brute_force import Floats, clusters

N, DIM = 6000, 16


@pytest.fixture(scope="module")
def index() -> Index:
    index = Index(DIM, "euclidean")
    index.add(clusters(N, DIM, seed=1))
    index.optimize()
    return index


@pytest.fixture(scope="module")
def far() -> Floats:
    """Queries far from all vectors."""
    vectors = clusters(N, DIM, seed=1)
    dice = np.random.default_rng(0)
    made: Floats = vectors.mean(axis=0) + 3 * vectors.std(axis=0) * dice.standard_normal((100, DIM), np.float32)
    return made


def test_of_a_query_unlike_the_vectors_it_says_why_every_vector_was_compared(index: Index, far: Floats) -> None:
    found = index.search(far, 1, recall=0.99)
    assert np.min(found.recall) >= 0.99
    assert np.any(found.candidates > N)
    for query, compared in zip(far, found.candidates.tolist(), strict=True):
        explained = index.explain(query, 1, recall=0.99)
        assert (explained.asked, explained.stages[-1].count) == (0.99, N if compared > N else 0)
        if compared > N:
            assert explained.why is not None
            assert explained.why.startswith("every vector was compared, for a recall of 0.99: the query is farther ")
            assert str(explained).endswith(f"\n{explained.why}")
    many = far[np.argmax(found.candidates)]
    nearest = index.search(many, 2, exact=True).ids[1]
    told = str(index.explain(many, 1, recall=0.99, id=nearest)).splitlines()
    assert "compared exactly, but 1 others are nearer" in told[-2]
    assert told[-1].endswith("and few such queries were measured.")


def test_where_comparing_takes_too_long_it_says_why_the_recall_is_less() -> None:
    """An index so large is not built here: what the engine tells of it is."""
    told = (0, 0), (0, 0, 0, 0), (0.0,) * 6, (0, 0, 0, 0, 0, 0.0)
    less = Explanation.of(1, None, 0.99, *told, (0.97, False, False, False))
    assert less.why is not None
    assert less.why.startswith("recall 0.99 was asked for and 0.970 is said: the query is farther from the vectors ")
    assert less.why.endswith("To compare every vector takes more than 20 ms here; exact=True does.")


def test_where_the_recall_is_what_was_asked_for_it_says_nothing_of_it(index: Index) -> None:
    for query in clusters(10, DIM, seed=2):
        explained = index.explain(query, 10, recall=0.9)
        assert explained.recall >= 0.9
        assert explained.why is None
        assert len(str(explained).splitlines()) == len(explained.stages)


@pytest.mark.parametrize("options", [{"probes": 2}, {"exact": True}, {"recall": 1.0}])
def test_nothing_is_said_where_no_recall_decides(index: Index, far: Floats, options: dict[str, float]) -> None:
    explained = index.explain(far[0], 1, **options)  # type: ignore[arg-type]
    assert (explained.asked, explained.why) == (None, None)
    assert explained.recall == index.search(far[0], 1, **options).recall  # type: ignore[arg-type]


def test_under_a_filter_every_vector_is_compared_where_queries_far_from_all_would_need_it() -> None:
    index = Index(DIM, "euclidean")
    index.add(clusters(20_000, DIM, seed=1))
    index.optimize()
    query, few = clusters(1, DIM, seed=2)[0], index.filter(lambda ids: ids % 3 > 0)
    assert index.explain(query, 1, recall=0.99).why is None
    explained = index.explain(query, 1, recall=0.99, filter=few)
    assert explained.recall == index.search(query, 1, recall=0.99, filter=few).recall == 1.0
    assert explained.why is not None
    assert "a filter or removals leave vectors out" in explained.why


def test_where_visiting_would_take_longer_every_vector_is_compared() -> None:
    """What may be found are those that are farthest from the queries: they lie in the last buckets."""
    vectors, queries = clusters(16_000, 16, seed=1), clusters(500, 16, seed=2)
    index = Index(16, "euclidean")
    index.add(vectors)
    index.optimize()
    middle = queries[0]
    near = queries[np.argsort(np.linalg.norm(queries - middle, axis=1))[:20]]
    far = index.filter(np.argsort(-np.linalg.norm(vectors - middle, axis=1))[:1600])
    why = [index.explain(query, 10, recall=0.9, filter=far).why or "" for query in near]
    assert sum("to visit as many buckets as it takes would have taken longer" in each for each in why) > 10
    found, true = index.search(near, 10, recall=0.9, filter=far), index.search(near, 10, exact=True, filter=far)
    compared = np.flatnonzero([each.startswith("every vector was compared") for each in why])
    assert np.array_equal(found.ids[compared], true.ids[compared])
    assert np.all(np.asarray(found.recall)[compared] == 1.0)


def test_of_an_index_that_is_empty_or_small(far: Floats) -> None:
    index = Index(DIM, "euclidean")
    assert index.explain(far[0]).why is None
    index.add(far)
    assert (index.explain(far[0]).recall, index.explain(far[0]).why) == (1.0, None)


def test_a_search_by_radius_is_explained_as_range_search_does_it(index: Index) -> None:
    query = clusters(1, DIM, seed=2)[0]
    radius = float(index.search(query, 20, exact=True).distances[-1])
    counts = {stage.name: stage.count for stage in index.explain(query, radius=radius).stages}
    assert 0 < counts["scan"] <= N
    assert 20 <= counts["rerank"] <= N
    assert counts["compare"] == 0
    exact = index.explain(query, radius=radius, exact=True)
    assert (exact.recall, {stage.name: stage.count for stage in exact.stages}["compare"]) == (1.0, N)
    with pytest.raises(ArgumentError, match="only filter and exact beside it"):
        index.explain(query, radius=radius, recall=0.9)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "dot"])
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_where_sketches_tell_little_a_radius_still_finds_all_and_reads_no_row_twice(dim: int, metric: Metric) -> None:
    dice = np.random.default_rng(dim)
    index = Index(dim, metric)
    index.add(dice.standard_normal((N, dim), np.float32))
    index.optimize()
    queries = dice.standard_normal((20, dim), np.float32)
    for k in (1, 30, 1000):
        radius = float(np.median(index.search(queries, k, exact=True).distances[:, -1]))
        found, exact = index.range_search(queries, radius), index.range_search(queries, radius, exact=True)
        assert found.starts.tolist() == exact.starts.tolist()
        counts = {stage.name: stage.count for stage in index.explain(queries[0], radius=radius).stages}
        assert counts["rerank"] <= N


def test_a_radius_under_a_filter_that_leaves_few_compares_only_these(index: Index) -> None:
    query = clusters(1, DIM, seed=2)[0]
    radius = float(index.search(query, 1000, exact=True).distances[-1])
    few = index.filter(np.arange(0, N, 500))
    for exact in (False, True):
        (found,) = index.range_search(query[None], radius, filter=few, exact=exact)
        nearer = index.search(query, 1000, exact=True).ids
        assert sorted(found[0].tolist()) == sorted(set(nearer.tolist()) & set(range(0, N, 500)))
        counts = {stage.name: stage.count for stage in index.explain(query, radius=radius, filter=few).stages}
        assert (counts["scan"], counts["rerank"], counts["compare"]) == (0, 0, 12)
