"""Hyperplanes collide as their theory says: 1 − θ/π for each bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike import errors
from lookalike.hashing import Hyperplanes

ANGLES = [0.05, 0.3, math.pi / 4, 1.2, math.pi / 2, 2.5, 3.1]  # radians


def pairs(count: int, dim: int, angle: float, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Random pairs of vectors at this angle, of random lengths."""
    random = np.random.default_rng(seed)
    a = random.normal(size=(count, dim))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    across = random.normal(size=(count, dim))
    across -= (across * a).sum(axis=1, keepdims=True) * a
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    b = math.cos(angle) * a + math.sin(angle) * across
    return a * random.uniform(0.1, 10, (count, 1)), b * random.uniform(0.1, 10, (count, 1))


def within(measured: float, expected: float, trials: int) -> bool:
    """Within 5 standard errors of a share of independent trials."""
    return abs(measured - expected) <= 5 * math.sqrt(expected * (1 - expected) / trials) + 1e-12


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("dim", [2, 3, 50])
def test_a_bit_collides_with_probability_1_minus_angle_over_pi(dim: int, angle: float) -> None:
    # One fixed pair: what is random is the hyperplanes, and each of them is an independent trial.
    a, b = (x[0] for x in pairs(1, dim, angle, seed=dim))
    family = Hyperplanes(dim, tables=256, bits=24, seed=11)
    different = family.codes(a) ^ family.codes(b)
    differing = sum(int(code).bit_count() for code in different)
    assert within(1 - differing / (256 * 24), 1 - angle / math.pi, 256 * 24)


@pytest.mark.parametrize("angle", ANGLES)
def test_a_code_collides_as_the_family_says(angle: float) -> None:
    same = 0
    for seed in range(40):
        family = Hyperplanes(24, tables=256, bits=4, seed=seed)
        a, b = (x[0] for x in pairs(1, 24, angle, seed=seed))
        same += int((family.codes(a) == family.codes(b)).sum())
    expected = float(Hyperplanes(24, bits=4).collision_probability(angle))
    assert expected == pytest.approx((1 - angle / math.pi) ** 4)
    assert within(same / (40 * 256), expected, 40 * 256)


def test_normals_are_uniform_on_the_sphere() -> None:
    normals = Hyperplanes(3, tables=256, bits=24, seed=3).normals.astype(np.float64)
    assert normals.shape == (256 * 24, 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)
    count = len(normals)
    assert (np.abs(normals.mean(axis=0)) < 5 * math.sqrt(1 / 3 / count)).all()
    # On a sphere in three dimensions each coordinate is uniform in [-1, 1] (Archimedes).
    for coordinate in normals.T:
        gap = np.abs(np.sort(coordinate) - np.linspace(-1, 1, count)).max() / 2
        assert gap < 2.2 / math.sqrt(count)  # Kolmogorov: exceeded once in 8,000


def test_codes_are_the_signs_of_the_margins() -> None:
    family = Hyperplanes(5, tables=3, bits=7, seed=2)
    vectors = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    margins = vectors.astype(np.float64) @ family.normals.astype(np.float64).T
    assert np.abs(margins).min() > 1e-5
    weights = 1 << np.arange(7)
    expected = ((margins > 0).reshape(40, 3, 7) * weights).sum(axis=2)
    codes = family.codes(vectors)
    assert codes.dtype == np.uint32
    np.testing.assert_array_equal(codes, expected)
    np.testing.assert_array_equal(family.codes(vectors * 1000), expected)
    np.testing.assert_array_equal(family.codes(vectors[3]), expected[3])
    assert family.codes([]).shape == (0, 3)


def test_the_seed_decides() -> None:
    one, same, other = (Hyperplanes(8, 2, 9, seed).normals for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.isin(one, other).any()
    assert np.abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.5
    np.testing.assert_array_equal(Hyperplanes(8, 1, 9, 1).normals, one[:9])  # more tables change none before them


def test_normals_are_read_only_and_outlive_the_family() -> None:
    normals = Hyperplanes(4).normals
    assert normals.shape == (16, 4)
    with pytest.raises(ValueError, match="read-only"):
        normals[0, 0] = 1
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"tables": 0}, "tables is 0"),
        ({"tables": 257}, "at most 256"),
        ({"bits": 0}, "bits"),
        ({"bits": 25}, "at most 24"),
        ({"seed": -1}, "seed is -1"),
        ({"bits": 2.0}, "whole number"),
    ],
)
def test_families_that_cannot_be_made(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ArgumentError, match=words):
        Hyperplanes(**{"dim": 3, **arguments})


@pytest.mark.parametrize(
    ("vectors", "words"),
    [
        ([1.0, 2.0], "3 dimensions"),
        ([1.0, float("nan"), 2.0], "NaN or inf"),
        ([1.0, float("inf"), 2.0], "NaN or inf"),
        (["a", "b", "c"], "dtype"),
    ],
)
def test_vectors_without_a_code(vectors: Any, words: str) -> None:
    with pytest.raises(errors.VectorError, match=words):
        Hyperplanes(3).codes(vectors)
