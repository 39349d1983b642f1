"""Hamming distance on packed bits, against a plain count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from lookalike import Index
from lookalike.errors import ArgumentError, VectorError

Bits = NDArray[np.uint8]


def random_bits(count: int, dim: int, seed: int = 1) -> Bits:
    return np.random.default_rng(seed).integers(0, 256, (count, dim // 8), np.uint8)


def clustered_bits(count: int, dim: int, seed: int = 1, flips: float = 0.1) -> Bits:
    """Copies of 100 centres, in each of which a share of the bits is flipped."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).integers(0, 2, (100, dim), np.uint8)
    flipped = random.random((count, dim)) < flips
    return np.packbits(centres[random.integers(0, 100, count)] ^ flipped, axis=-1)


def counted(query: Bits, rows: Bits) -> NDArray[np.int64]:
    found: NDArray[np.int64] = np.unpackbits(query ^ rows, axis=-1).sum(axis=-1, dtype=np.int64)
    return found


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([8, 16, 24, 64, 128, 200, 256, 1024, 4096]), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_exact_search_counts_the_bits_that_differ(dim: int, count: int, seed: int) -> None:
    rows, queries = random_bits(count, dim, seed), random_bits(3, dim, seed + 1)
    index = Index(dim, "hamming")
    index.add(rows)
    for query, ids, distances in zip(queries, *index.search(queries, count), strict=True):
        expected = counted(query, rows)
        assert distances.tolist() == np.sort(expected).tolist()
        assert distances.tolist() == expected[ids].tolist()


@pytest.mark.parametrize("dim", [64, 256, 512])
def test_hashed_bits_are_found_at_their_exact_distance(dim: int) -> None:
    rows, queries = clustered_bits(6000, dim), clustered_bits(60, dim, seed=2)
    index = Index(dim, "hamming")
    index.add(rows)
    index.optimize()
    assert "buckets" in repr(index)
    found = index.search(queries, 10, recall=0.9)
    hits = 0
    for query, ids, distances in zip(queries, found.ids, found.distances, strict=True):
        expected = counted(query, rows)
        assert distances.tolist() == expected[ids].tolist()
        hits += int((distances <= np.sort(expected)[9]).sum())
    assert hits / 600 > 0.85
    exact = index.search(queries, 10, exact=True)
    assert exact.distances[0].tolist() == np.sort(counted(queries[0], rows))[:10].tolist()


def test_what_was_added_comes_back_packed() -> None:
    rows = random_bits(5000, 72)
    index = Index(72, "hamming")
    index.add(rows)
    for _ in range(2):
        for id in (0, 4999):
            assert index[id].dtype == np.uint8
            assert index[id].tolist() == rows[id].tolist()
        index.optimize()


def test_life_of_an_index_of_bits(tmp_path: Path) -> None:
    rows = clustered_bits(5000, 128)
    index = Index(128, "hamming", buckets=40)
    index.add(rows)
    index.optimize()
    index.add(rows[:3], ids=[9000, 9001, 9002])
    index.remove([0])
    index.add(~rows[1], ids=[1], overwrite=True)
    assert index.search(rows[0], 1).ids.tolist() == [9000]
    assert index.search(rows[1], 1, filter=[1]).distances.tolist() == [128.0]
    assert index.neighbors_of(9002, 1).ids.tolist() == [2]
    near = index.search(rows[4], 50, exact=True, max_distance=30)
    expected = sorted(d for d in counted(rows[4], rows[2:]).tolist() if d <= 30)[:50]
    assert near.distances[np.isfinite(near.distances)].tolist() == expected
    index.save(tmp_path / "bits")
    opened = Index.open(tmp_path / "bits")
    assert (opened.metric, opened.dim, opened.store, len(opened)) == ("hamming", 128, "bits", 5002)
    np.testing.assert_array_equal(opened.search(rows[:40], 5).distances, index.search(rows[:40], 5).distances)


def test_everything_within_a_radius() -> None:
    rows = clustered_bits(5000, 256)
    index = Index(256, "hamming", buckets=60)
    index.add(rows)
    index.optimize()
    for exact in (True, False):
        for radius in (60, 60.1):  # a number that no float32 is, too
            ((ids, distances),) = index.range_search(rows[5], radius, exact=exact)
            expected = counted(rows[5], rows)
            assert len(ids) >= 0.999 * (expected <= 60).sum()
            assert distances.tolist() == expected[ids].tolist()
            assert distances.max() <= 60


def test_a_largest_distance_that_no_float_is() -> None:
    rows = clustered_bits(500, 64)
    index = Index(64, "hamming")
    index.add(rows)
    found = index.search(rows[3], 3, max_distance=20.1)
    assert found.distances.tolist() == np.sort(counted(rows[3], rows))[:3].tolist()
    assert (
        index.explain(rows[3], max_distance=20.1, id=3).verdict
        == "id 3 is at distance 0, and among the neighbours found."
    )


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((2, 16), np.float32),
        np.zeros((2, 16), np.bool_),
        np.zeros((2, 2), np.int8),
        [[0, 1, 1, 0]],
        np.zeros((2, 16), np.uint8),  # bits that were not packed
        np.ma.masked_array(np.zeros((2, 2), np.uint8)),
    ],
)
def test_what_is_not_packed_is_told_how_to_be(given: Any) -> None:
    index = Index(16, "hamming")
    for call in (index.add, index.search):
        with pytest.raises(VectorError, match="packbits"):
            call(given)
    assert len(index) == 0


def test_forms_of_bits_that_are_taken() -> None:
    rows = random_bits(6, 32)
    index = Index(32, "hamming")
    index.add(np.asfortranarray(rows))
    index.add(np.repeat(rows, 2, axis=0)[::2])
    index.add(rows[0])
    assert index.add([]).tolist() == []
    assert index[3].tolist() == index[9].tolist() == rows[3].tolist()
    assert index.search(rows[2], 2).distances.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("dim", [1, 7, 100])
def test_dimensions_are_whole_bytes(dim: int) -> None:
    with pytest.raises(ArgumentError, match="multiple of 8"):
        Index(dim, "hamming")
