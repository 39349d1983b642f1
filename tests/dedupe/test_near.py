"""Groups of near vectors: what the index finds is what brute force finds by the same rule."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import Index
from lookalike.dedupe.near import NEAREST, Led, near

Vectors = NDArray[np.float32]


def planted(random: np.random.Generator, originals: int, copies: int, dim: int = 64) -> Vectors:
    base = random.standard_normal((originals, dim))
    moved = base[random.integers(originals, size=copies)]
    moved = moved + random.uniform(0.001, 0.3, (copies, 1)) * random.standard_normal((copies, dim))
    return np.concatenate([base, moved]).astype(np.float32)


def brute_force(vectors: Vectors, order: list[int], within: float) -> dict[int, set[int]]:
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    alike = 1 - unit @ unit.T <= within
    free = np.ones(len(unit), np.bool_)
    groups = {}
    for leader in order:
        if free[leader]:
            free[leader] = False
            if others := np.flatnonzero(alike[leader] & free).tolist():
                groups[leader] = set(others)
                free[others] = False
    return groups


def as_sets(groups: list[Led]) -> dict[int, set[int]]:
    return {group.leader: set(group.ids) for group in groups}


def indexed(vectors: Vectors, sealed: bool = False) -> Index:
    index = Index(vectors.shape[1], "cosine")
    index.add(vectors)
    if sealed:
        index.optimize()
    return index


@pytest.mark.parametrize("within", [0.0, 0.005, 0.02, 0.1])
def test_a_few_vectors_as_by_brute_force(within: float) -> None:
    random = np.random.default_rng(0)
    vectors = planted(random, 400, 300)
    order = random.permutation(len(vectors)).tolist()
    assert as_sets(near(indexed(vectors), order, within)) == brute_force(vectors, order, within)


def test_vectors_in_buckets_as_by_brute_force() -> None:
    random = np.random.default_rng(1)
    vectors = planted(random, 4_500, 1_500)
    order = random.permutation(len(vectors)).tolist()
    found, true = as_sets(near(indexed(vectors, sealed=True), order, 0.02)), brute_force(vectors, order, 0.02)
    assert sum(map(len, true.values())) > 500
    lost = sum(len(group - found.get(leader, set())) for leader, group in true.items())
    assert lost <= 0.01 * sum(map(len, true.values()))


def test_nothing_is_chained() -> None:
    """Each step is within the distance, the ends are not."""
    angles = np.arange(40) * 0.1  # 1 − cos 0.1 is 0.005
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    groups = near(indexed(vectors), list(range(40)), 0.006)
    assert as_sets(groups) == {i: {i + 1} for i in range(0, 40, 2)}


def test_who_comes_first_leads() -> None:
    vectors = np.array([[1, 0], [1, 0.01], [1, 0.02], [0, 1]], np.float32)
    for order in ([2, 3, 0, 1], [1, 2, 3, 0]):
        (group,) = near(indexed(vectors), order, 0.01)
        assert group.leader == order[0]
        assert sorted([group.leader, *group.ids]) == [0, 1, 2]
        assert group.distances == sorted(group.distances)


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_crowd_is_one_group(noise: float) -> None:
    """10,000 that are the same, or nearly: more than each asks for, and no pair of them is kept."""
    random = np.random.default_rng(2)
    crowd = random.standard_normal(32) + noise * random.standard_normal((10_000, 32))
    vectors = np.concatenate([random.standard_normal((500, 32)), crowd]).astype(np.float32)
    (group,) = near(indexed(vectors, sealed=True), list(range(len(vectors))), 0.01)
    assert group.leader == 500
    assert len(group.ids) == 9_999 > NEAREST


def test_only_the_given_ids_take_part() -> None:
    random = np.random.default_rng(3)
    vectors = np.repeat(random.standard_normal((50, 32)), 40, axis=0).astype(np.float32)
    given = [i for i in range(2000) if i % 40 in (7, 9, 30)]
    groups = near(indexed(vectors), given, 0.001)
    assert as_sets(groups) == {40 * i + 7: {40 * i + 9, 40 * i + 30} for i in range(50)}


def test_less_than_two_have_no_duplicates() -> None:
    index = indexed(np.ones((3, 8), np.float32))
    assert near(index, [], 1.0) == []
    assert near(index, [1], 1.0) == []


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    random = np.random.default_rng(4)
    near(indexed(planted(random, 2_000, 500)), list(range(2_500)), 0.01, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 2_500)
    assert told[-1] == (2_500, 2_500)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
