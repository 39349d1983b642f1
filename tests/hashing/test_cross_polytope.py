"""Cross-polytope codes collide as their theory says, and as a plain reference of it does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import errors
from lookalike.hashing import CrossPolytope
from tests.hashing.test_hyperplane import pairs, within


def reference(width: int, angle: float, trials: int, last_width: int | None = None) -> float:
    """The share of random rotations (by QR of Gaussian numbers) under which a pair at this angle has one vertex."""
    random = np.random.default_rng(width)
    same = 0
    for _ in range(trials):
        rotation, _r = np.linalg.qr(random.normal(size=(width, 2)))  # two perpendicular directions are enough
        turned = rotation @ np.array([[1.0, math.cos(angle)], [0.0, math.sin(angle)]])
        vertex = []
        for x in turned[:last_width].T:
            largest = int(np.argmax(np.abs(x)))
            vertex.append((largest, x[largest] > 0))
        same += vertex[0] == vertex[1]
    return same / trials


def measured(angle: float, tables: int, seeds: int, **arguments: Any) -> float:
    same = 0
    for seed in range(seeds):
        family = CrossPolytope(tables=tables, seed=seed, **arguments)
        a, b = (x[0] for x in pairs(1, family.dim, angle, seed=seed))
        same += int((family.codes(a) == family.codes(b)).sum())
    return same / (tables * seeds)


@pytest.mark.parametrize("angle", [0.05, 0.3, 0.8, 1.3, math.pi / 2])
@pytest.mark.parametrize("dim", [4, 12, 16])
def test_a_vertex_is_shared_as_often_as_under_true_random_rotations(dim: int, angle: float) -> None:
    trials = 256 * 24
    expected = reference(dim, angle, trials)
    share = measured(angle, 256, 24, dim=dim)
    error = 5 * math.sqrt(2 * expected * (1 - expected) / trials) + 1e-3
    assert abs(share - expected) <= error, (share, expected)


@pytest.mark.parametrize("angle", [0.1, 0.4, 0.8, 1.2])
def test_codes_collide_as_the_family_says(angle: float) -> None:
    shape = {"dim": 64, "digits": 2, "last_width": 6}
    expected = float(CrossPolytope(**shape).collision_probability(angle))
    share = measured(angle, 256, 40, **shape)
    assert abs(share - expected) < 0.01 + 5 * math.sqrt(expected * (1 - expected) / (256 * 40)), (share, expected)


def test_the_probability_of_gaussian_numbers_in_place_of_a_rotation() -> None:
    random = np.random.default_rng(0)
    trials = 40_000
    for width in (1, 2, 8, 40):
        family = CrossPolytope(dim=width, last_width=width)
        for angle in (0.2, 1.0, 2.0):
            a, b = random.normal(size=(2, trials, width))
            b = math.cos(angle) * a + math.sin(angle) * b
            rows, at_a, at_b = np.arange(trials), np.abs(a).argmax(axis=1), np.abs(b).argmax(axis=1)
            same = (at_a == at_b) & (a[rows, at_a] * b[rows, at_a] > 0)
            assert within(float(same.mean()), float(family.collision_probability(angle)), trials)


def test_the_probability_falls_with_the_angle() -> None:
    assert CrossPolytope(16).collision_probability(0.0) == pytest.approx(1, abs=1e-3)
    assert CrossPolytope(16).collision_probability(math.pi) == pytest.approx(0, abs=1e-6)
    family = CrossPolytope(32, digits=2)
    probabilities = family.collision_probability(np.array([[0.1, 0.5], [1.0, 1.5]]))
    assert probabilities.shape == (2, 2)
    assert (np.diff(probabilities.ravel()) < 0).all()


@pytest.mark.parametrize("angle", [0.7, 1.0, 1.3])
def test_the_probability_falls_with_the_dimensions_as_in_equation_1(angle: float) -> None:
    # ln(1/p) = τ² / (4 − τ²) · ln d + O(ln ln d): what the slope against ln d has too much shrinks like 1 / ln d.
    square = 2 - 2 * math.cos(angle)
    excess = []
    for dim in (64, 4096):
        slope = -math.log(_one(8 * dim, angle) / _one(dim, angle)) / math.log(8)
        excess.append(slope - square / (4 - square))
    assert 0 < excess[1] < excess[0]
    assert excess[1] * math.log(4096) < 0.6


def _one(dim: int, angle: float) -> float:
    return float(CrossPolytope(dim).collision_probability(angle))


def test_codes_are_the_nearest_vertices_and_within_their_count() -> None:
    family = CrossPolytope(10, tables=3, digits=2, last_width=5, seed=4)
    assert (family.width, family.count) == (12, 24 * 10)
    vectors = np.random.default_rng(1).normal(size=(500, 10)).astype(np.float32)
    codes = family.codes(vectors)
    assert codes.dtype == np.uint32
    assert codes.shape == (500, 3)
    assert codes.max() < family.count
    np.testing.assert_array_equal(family.codes(vectors * 100), codes)
    np.testing.assert_array_equal(family.codes(vectors[3]), codes[3])
    opposite = family.codes(-vectors).astype(np.int64)
    np.testing.assert_array_equal(opposite % 24, (codes % 24) ^ 1)  # the other sign of the same axis
    np.testing.assert_array_equal(opposite // 24, (codes // 24) ^ 1)
    assert family.codes([]).shape == (0, 3)


def test_every_vertex_is_as_likely() -> None:
    family = CrossPolytope(8, tables=256, seed=3)
    vectors = np.random.default_rng(2).normal(size=(40, 8))
    counts = np.bincount(family.codes(vectors).ravel(), minlength=16)
    expected = counts.sum() / 16
    assert (np.abs(counts - expected) < 6 * math.sqrt(expected)).all(), counts


def test_the_seed_decides() -> None:
    vectors: NDArray[Any] = np.random.default_rng(0).normal(size=(50, 30))
    one, same, other = (CrossPolytope(30, 2, seed=seed).codes(vectors) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one == other).mean() < 0.3
    np.testing.assert_array_equal(CrossPolytope(30, 1, seed=1).codes(vectors), one[:, :1])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"tables": 257}, "at most 256"),
        ({"digits": 0}, "digits is 0"),
        ({"last_width": 0}, "last_width is 0"),
        ({"last_width": 5}, "at most 4"),
        ({"digits": 9}, "fewer digits"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_families_that_cannot_be_made(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ArgumentError, match=words):
        CrossPolytope(**{"dim": 3, **arguments})


@pytest.mark.parametrize("vectors", [[1.0, 2.0], [1.0, float("nan"), 2.0], ["a", "b", "c"]])
def test_vectors_without_a_code(vectors: Any) -> None:
    with pytest.raises(errors.VectorError):
        CrossPolytope(3).codes(vectors)
