"""Near vectors: what the index finds is what brute force finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import Index
from lookalike.dedupe.near import NEAREST, Pairs, near, pairs_of

Vectors = NDArray[np.float32]


def planted(random: np.random.Generator, originals: int, copies: int, dim: int = 64) -> Vectors:
    base = random.standard_normal((originals, dim))
    moved = base[random.choice(originals, copies, replace=False)]
    moved = moved + random.uniform(0.001, 0.3, (copies, 1)) * random.standard_normal((copies, dim))
    return np.concatenate([base, moved]).astype(np.float32)


def brute_force(vectors: Vectors, within: float) -> set[tuple[int, int]]:
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    one, other = np.nonzero(np.triu(1 - unit @ unit.T <= within, 1))
    return set(zip(one.tolist(), other.tolist(), strict=True))


def found(vectors: Vectors, within: float) -> Pairs:
    index = Index(vectors.shape[1], "cosine")
    index.add(vectors)
    index.optimize()
    return pairs_of(near(index, index.ids, vectors.__getitem__, within))


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    assert (pairs.one < pairs.other).all()
    return set(zip(pairs.one.tolist(), pairs.other.tolist(), strict=True))


@pytest.mark.parametrize("within", [0.005, 0.02, 0.1])
def test_a_few_vectors_as_by_brute_force(within: float) -> None:
    vectors = planted(np.random.default_rng(0), 400, 300)
    pairs = found(vectors, within)
    assert as_set(pairs) == brute_force(vectors, within)
    assert len(pairs.one) == len(as_set(pairs))
    assert (pairs.distance <= within).all()


def test_vectors_in_buckets_as_by_brute_force() -> None:
    vectors = planted(np.random.default_rng(1), 4_500, 1_500)
    true = brute_force(vectors, 0.02)
    assert len(true) > 500
    assert len(true - as_set(found(vectors, 0.02))) <= 0.01 * len(true)


def test_of_a_crowd_each_finds_its_nearest() -> None:
    random = np.random.default_rng(2)
    crowd = random.standard_normal(32) + 0.01 * random.standard_normal((200, 32))
    pairs = found(crowd.astype(np.float32), 0.1)
    assert min(np.bincount(np.concatenate([pairs.one, pairs.other]))) >= NEAREST


def test_only_what_may_be_found() -> None:
    vectors = planted(np.random.default_rng(3), 50, 50)
    index = Index(64, "cosine")
    index.add(vectors)
    (part,) = near(index, [1, 2], vectors[:10].__getitem__, 2.0)
    assert set(part[1].tolist()) == {1, 2}
    assert list(near(index, [], vectors.__getitem__, 2.0)) == []
