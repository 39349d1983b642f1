"""What an explanation says of the recall."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import Floats, clusters

N, DIM = 6000, 16
WHY = r"^recall 0\.99 was asked for and 0\.\d+ is said: the query is farther from the vectors than they are from each "


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


def test_of_a_query_unlike_the_vectors_it_says_why_its_recall_is_less_than_was_asked_for(
    index: Index, far: Floats
) -> None:
    said = np.asarray(index.search(far, 1, recall=0.99).recall)
    assert np.any(said < 0.985)
    for query, recall in zip(far, said.tolist(), strict=True):
        explained = index.explain(query, 1, recall=0.99)
        assert (explained.asked, explained.recall) == (0.99, recall)
        assert explained.doubt is not None
        assert re.match(WHY, explained.doubt)
        assert f" {recall:.3f} is said" in explained.doubt
        assert str(explained).endswith(f"\n{explained.doubt}")
    told = str(index.explain(far[0], 1, recall=0.99, id=3)).splitlines()
    assert told[-2].startswith("id 3 is at distance ")
    assert told[-1].endswith("and few such queries were measured; exact=True compares every vector.")


def test_where_the_recall_is_what_was_asked_for_it_says_nothing_of_it(index: Index, far: Floats) -> None:
    for query in (*far[:5], *clusters(5, DIM, seed=2)):
        explained = index.explain(query, 10, recall=0.9)
        assert explained.recall >= 0.9
        assert explained.doubt is None
        assert len(str(explained).splitlines()) == len(explained.stages)


@pytest.mark.parametrize("options", [{"probes": 2}, {"exact": True}, {"recall": 1.0}])
def test_nothing_is_said_where_no_recall_decides(index: Index, far: Floats, options: dict[str, float]) -> None:
    explained = index.explain(far[0], 1, **options)  # type: ignore[arg-type]
    assert (explained.asked, explained.doubt) == (None, None)
    assert explained.recall == index.search(far[0], 1, **options).recall  # type: ignore[arg-type]


def test_under_a_filter_the_recall_of_the_farthest_queries_is_said_of_all(index: Index) -> None:
    query, few = clusters(1, DIM, seed=2)[0], index.filter(lambda ids: ids % 3 > 0)
    assert index.explain(query, 1, recall=0.99).doubt is None
    explained = index.explain(query, 1, recall=0.99, filter=few)
    assert explained.recall == index.search(query, 1, recall=0.99, filter=few).recall
    assert explained.recall < 0.985
    assert explained.doubt is not None
    assert "a filter or removals leave vectors out" in explained.doubt


def test_of_an_index_that_is_empty_or_small(far: Floats) -> None:
    index = Index(DIM, "euclidean")
    assert index.explain(far[0]).doubt is None
    index.add(far)
    assert (index.explain(far[0]).recall, index.explain(far[0]).doubt) == (1.0, None)
