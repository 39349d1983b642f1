"""Searching among some of the vectors: only those are found, and as many of the true ones as were asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lookalike import Index, errors
from tests.index.brute_force import Metric, check_neighbors, clusters, recall_of

N, DIM, QUERIES, K = 20_000, 16, 1000, 10


class World:
    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.vectors = clusters(N, DIM, seed=1)
        self.queries = clusters(QUERIES, DIM, seed=2)
        self.index = Index(DIM, metric)
        self.index.add(self.vectors)
        self.index.optimize()


@pytest.fixture(scope="module", params=["cosine", "euclidean", "dot"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


Choice = Callable[[World], Any]


def at_random(share: float) -> Choice:
    return lambda world: np.random.default_rng(3).random(N) < share


def half_of_space(world: World) -> Any:
    return world.vectors[:, 0] > np.median(world.vectors[:, 0])


def slice_of_space(world: World) -> Any:
    along = world.vectors @ np.random.default_rng(4).normal(size=DIM)
    return along > np.quantile(along, 0.9)


def far_from_the_queries(world: World) -> Any:
    """The tenth that lies farthest from what most queries ask for."""
    from_middle = np.linalg.norm(world.vectors - world.queries.mean(axis=0), axis=1)
    return from_middle > np.quantile(from_middle, 0.9)


CHOICES: dict[str, Choice] = {
    "50 %": at_random(0.5),
    "20 %": at_random(0.2),
    "10 %": at_random(0.1),
    "1 %": at_random(0.01),
    "0.1 %": at_random(0.001),
    "half of space": half_of_space,
    "slice of space": slice_of_space,
    "far": far_from_the_queries,
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_recall_is_kept_among_those_allowed(world: World, choice: Choice) -> None:
    mask = choice(world)
    exact = world.index.search(world.queries, K, filter=mask, exact=True)
    for recall in (0.8, 0.95):
        found = world.index.search(world.queries, K, filter=mask, recall=recall)
        assert mask[found.ids].all()
        assert recall_of(found.ids, exact.ids) >= recall - 0.02
        assert np.all(found.recall >= recall)
    for query in world.queries[:3]:
        one = world.index.search(query, K, filter=mask, exact=True)
        check_neighbors(one, world.metric, query, np.flatnonzero(mask), world.vectors[mask], K)


@pytest.mark.parametrize("share", [0.2, 0.09])
def test_a_tenth_is_not_compared_one_by_one(world: World, share: float) -> None:
    mask = at_random(share)(world)
    exact = world.index.search(world.queries, K, filter=mask, exact=True)
    found = world.index.search(world.queries, K, filter=mask)
    # a few would visit so many buckets that comparing takes less
    assert np.mean(found.candidates < mask.sum() / 4) > 0.97
    assert recall_of(found.ids, exact.ids) >= 0.95


@pytest.mark.parametrize("share", [0.015, 0.01])
def test_fewer_are_compared_one_by_one(world: World, share: float) -> None:
    """That takes less time than the buckets that they are spread over."""
    mask = at_random(share)(world)
    found = world.index.search(world.queries, K, filter=mask)
    assert (found.candidates == mask.sum()).all()
    assert np.all(found.recall == 1.0)


@pytest.mark.parametrize(
    ("n", "dim", "count", "spread"), [(12_000, 32, 50, 0.3), (20_000, 96, 200, 0.3), (20_000, 48, 100, 0.6)]
)
def test_recall_is_kept_where_a_filter_leaves_out_what_is_near(n: int, dim: int, count: int, spread: float) -> None:
    random = np.random.default_rng(0)
    centres = random.standard_normal((count, dim))
    vectors, queries = (
        (centres[random.integers(count, size=m)] + spread * random.standard_normal((m, dim))).astype(np.float32)
        for m in (n, 500)
    )
    index = Index(dim, "euclidean")
    index.add(vectors)
    index.optimize()
    away = np.linalg.norm(vectors - vectors[0], axis=1)
    for share in (0.5, 0.25, 0.1):
        ball = index.filter(away <= np.quantile(away, share))
        exact = index.search(queries, K, filter=ball, exact=True)
        found = index.search(queries, K, filter=ball)
        assert recall_of(found.ids, exact.ids) >= 0.94
        np.testing.assert_array_equal(index.search(queries[3], K, filter=ball).ids, found.ids[3])


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_no_place_is_left_empty_that_could_be_filled(world: World, choice: Choice) -> None:
    mask = choice(world)
    for k in (1, 10, 300):
        found = world.index.search(world.queries[:20], k, filter=mask, probes=1)
        assert ((found.ids >= 0).sum(axis=1) == min(k, mask.sum())).all()
        assert mask[found.ids[found.ids >= 0]].all()


def test_ids_masks_and_functions_say_the_same(world: World) -> None:
    mask = at_random(0.3)(world)
    forms: list[Any] = [
        mask,
        mask.tolist(),
        np.flatnonzero(mask),
        np.random.default_rng(5).permutation(np.flatnonzero(mask)),
        np.flatnonzero(mask).tolist() * 2,
        [*np.flatnonzero(mask), -7, 2**60, N],
        lambda ids: mask[ids],
        lambda ids: mask.tolist(),
    ]
    expected = world.index.search(world.queries[:50], K, filter=mask)
    for form in forms:
        found = world.index.search(world.queries[:50], K, filter=form)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.distances, expected.distances)


def test_a_batch_answers_as_each_query_alone(world: World) -> None:
    for name in ("50 %", "1 %", "slice of space"):
        mask = CHOICES[name](world)
        batch = world.index.search(world.queries[:40], K, filter=mask)
        for i in range(40):
            one = world.index.search(world.queries[i], K, filter=mask)
            np.testing.assert_array_equal(one.ids, batch.ids[i])
            np.testing.assert_array_equal(one.distances, batch.distances[i])


@pytest.mark.parametrize("nothing", [[], [N, N + 1], np.zeros(N, bool)], ids=["no ids", "ids not there", "mask"])
def test_nothing_allowed_is_nothing_found(world: World, nothing: Any) -> None:
    for options in ({}, {"exact": True}, {"probes": 1}):
        found = world.index.search(world.queries[:3], K, filter=nothing, **options)
        assert (found.ids == -1).all()
        assert np.all(found.recall == 1.0)


def test_a_mask_follows_the_ids_in_order() -> None:
    index = Index(2, "euclidean")
    index.add(np.arange(10.0).reshape(5, 2), [9, 2, 7, 4, 0])
    index.optimize()
    index.remove(7)
    index.add([[9.0, 9.0], [0.0, 0.0]], [5, 2], overwrite=True)
    assert index.ids.tolist() == [0, 2, 4, 5, 9]
    found = index.search([0.0, 0.0], 5, filter=index.ids % 2 == 0)
    assert sorted(found.ids.tolist()) == [-1, -1, 0, 2, 4]
    assert index.search([0.0, 0.0], 5, filter=lambda ids: ids > 4).ids.tolist() == [9, 5, -1, -1, -1]
    assert index.search([0.0, 0.0], 5, filter=5).ids.tolist() == [5, -1, -1, -1, -1]
    assert index.search([0.0, 0.0], 5, filter=[9, 7, 2], max_distance=1.0).ids.tolist() == [2, 9, -1, -1, -1]


def test_fresh_vectors_and_removed_ones() -> None:
    vectors = clusters(6000, DIM, seed=6)
    index = Index(DIM)
    index.add(vectors[:5000])
    index.optimize()
    index.add(vectors[5000:])
    index.remove(np.arange(0, 6000, 2))
    allowed = np.arange(0, 6000, 3)  # of which each second was removed
    left = np.arange(3, 6000, 6)
    for options in ({"probes": 2}, {"recall": 0.9}, {"exact": True}):
        found = index.search(vectors[left][::10], 5, filter=allowed, **options)
        np.testing.assert_array_equal(found.ids[:, 0], left[::10])
        assert np.isin(found.ids, left).all()
    assert index.neighbors_of(3, 5, filter=allowed).ids.tolist() != []


def test_a_filter_made_once_says_what_it_was_made_of(world: World) -> None:
    mask = at_random(0.3)(world)
    made = [world.index.filter(which) for which in (mask, np.flatnonzero(mask)[::-1], lambda ids: mask[ids])]
    for query in (world.queries[:50], world.queries[0]):
        expected = world.index.search(query, K, filter=mask)
        within = world.index.range_search(query, expected.distances.max(), filter=mask)
        for only in [*made, world.index.filter(made[0])]:
            for _ in range(2):
                found = world.index.search(query, K, filter=only)
                np.testing.assert_array_equal(found.ids, expected.ids)
                np.testing.assert_array_equal(found.candidates, expected.candidates)
                np.testing.assert_array_equal(found.recall, expected.recall)
            again = world.index.range_search(query, expected.distances.max(), filter=only)
            np.testing.assert_array_equal(again.ids, within.ids)
    out = int(np.flatnonzero(~mask)[0])
    assert "the filter leaves it out" in str(world.index.explain(world.queries[0], K, filter=made[0], id=out))
    if world.metric != "dot":
        assert world.index.neighbors_of(out, K, filter=made[0]).ids.tolist() == (
            world.index.neighbors_of(out, K, filter=mask).ids.tolist()
        )


def test_a_filter_holds_through_the_life_of_its_ids() -> None:
    vectors = clusters(9000, DIM, seed=6)
    index = Index(DIM, "euclidean")
    index.add(vectors[:5000])
    even = index.filter(lambda ids: ids % 2 == 0)
    some = index.filter(range(4000, 8000, 2))

    def check(of_even: set[int], of_some: set[int]) -> None:
        for only, ids in ((even, of_even), (some, of_some)):
            expected = sorted(ids & set(index.ids.tolist()))
            for options in ({"exact": True}, {"probes": 2}):
                assert sorted(index.search(vectors[0], 9000, filter=only, **options).ids.tolist())[-len(ids) :] == (
                    sorted([-1] * (len(ids) - len(expected)) + expected)
                )

    evens, those = set(range(0, 5000, 2)), set(range(4000, 8000, 2))
    check(evens, those)
    index.optimize()
    check(evens, those)
    index.add(vectors[5000:])  # later ones are in no filter but that which names them
    check(evens, those)
    index.remove(range(0, 9000, 3))
    check(evens, those)
    index.remove([2, 4, 4400])
    check(evens, those)
    index.optimize()
    check(evens, those)
    index.add(vectors[0:9000:3], range(0, 9000, 3))
    index.add(-vectors[:4], [2, 3, 4, 5000], overwrite=True)
    check(evens, those)
    assert index.search(-vectors[0], 1, filter=even).ids.tolist() == [2]


def test_a_filter_holds_for_copies_that_come_and_go() -> None:
    vectors = np.repeat(clusters(5000, DIM, seed=7), 2, axis=0)
    index = Index(DIM, "euclidean")
    index.add(vectors)
    index.optimize()
    odd = index.filter(np.arange(1, 10_000, 2))
    thirds = index.filter(lambda ids: ids % 3 == 0)
    asked = vectors[::200]
    assert index.search(asked, 1, filter=odd).ids[:, 0].tolist() == list(range(1, 10_000, 200))
    index.remove(range(0, 10_000, 3))
    assert (index.search(asked, 1, filter=thirds).ids == -1).all()
    left = np.arange(0, 10_000, 200) + 1
    found = index.search(asked, 1, filter=odd).ids[:, 0]
    np.testing.assert_array_equal(found[left % 3 != 0], left[left % 3 != 0])
    assert (found[left % 3 == 0] != left[left % 3 == 0]).all()


@pytest.mark.parametrize(
    ("filter", "error", "words"),
    [
        ([0.5], errors.IdError, "dtype float64"),
        ("even", errors.IdError, "dtype <U4"),
        ([[1, 2]], errors.IdError, "one dimension"),
        (True, errors.ArgumentError, r"shape \(\)"),
        ([True], errors.ArgumentError, r"shape \(1,\); expected ids, or one bool for each of the 3 ids"),
        ([[True, True, False]], errors.ArgumentError, r"shape \(1, 3\)"),
        (lambda ids: ids, errors.ArgumentError, "dtype int64"),
        (lambda ids: [True], errors.ArgumentError, r"shape \(1,\)"),
        (lambda ids: None, errors.ArgumentError, "dtype object"),
        (np.ma.masked_array([True, True, False], mask=True), errors.ArgumentError, "masked array"),
        (np.ma.masked_array([1, 2], mask=[False, True]), errors.IdError, "masked array"),
        (lambda ids: np.ma.masked_array(ids < 2, mask=True), errors.ArgumentError, "masked array"),
    ],
)
def test_what_is_no_filter(filter: Any, error: type[Exception], words: str) -> None:
    index = Index(2, "euclidean")
    index.add(np.ones((3, 2)))
    with pytest.raises(error, match=words):
        index.search([1.0, 2.0], filter=filter)
    with pytest.raises(error, match=words):
        index.filter(filter)


def test_an_error_of_a_function_is_the_users_to_see() -> None:
    index = Index(2, "euclidean")
    index.add(np.ones((3, 2)))
    with pytest.raises(ZeroDivisionError):
        index.search([1.0, 2.0], filter=lambda ids: 1 / 0)


def test_a_function_is_asked_once_about_the_ids_there_are() -> None:
    index = Index(2, "euclidean")
    index.add(np.ones((3, 2)), [8, 3, 5])
    asked: list[list[int]] = []

    def odd_and_busy(ids: Any) -> Any:
        asked.append(ids.tolist())
        index.remove(5)  # as another thread might
        index.add([1.0, 1.0], 4)
        return ids % 2 == 1

    found = index.search([1.0, 2.0], 3, filter=odd_and_busy)
    assert asked == [[3, 5, 8]]
    assert found.ids.tolist() == [3, -1, -1]  # not 4, about which nobody was asked
