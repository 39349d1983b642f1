"""What a user passes becomes what the engine takes, or a sentence."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lookalike.arrays import as_count, as_ids, as_vectors
from lookalike.errors import ArgumentError, IdError, VectorError


@settings(deadline=None, max_examples=50)
@given(
    arrays.arrays(
        arrays.floating_dtypes() | arrays.integer_dtypes() | arrays.unsigned_integer_dtypes(),
        st.tuples(st.integers(0, 5), st.just(3)),
    )
)
def test_vectors_of_any_real_dtype_become_contiguous_float32(given: Any) -> None:
    array, single = as_vectors(given, 3)
    assert not single
    assert array.dtype == np.float32
    assert array.flags.c_contiguous
    assert array.flags.aligned
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(array, given.astype(np.float32))


def test_float32_is_not_copied() -> None:
    given = np.ones((4, 3), np.float32)
    assert np.shares_memory(as_vectors(given, 3)[0], given)
    assert np.shares_memory(as_vectors(given[0], 3)[0], given)
    ids = np.arange(3)
    assert np.shares_memory(as_ids(ids), ids)


def test_one_vector_is_told_from_many() -> None:
    assert as_vectors([1, 2, 3], 3)[1]
    assert not as_vectors([[1, 2, 3]], 3)[1]
    assert as_vectors([5], 1)[1]
    array, single = as_vectors([], 3)
    assert (array.shape, single) == ((0, 3), False)


@pytest.mark.parametrize(
    "given",
    [
        [[1, 2]],
        [1, 2],
        [[[1, 2, 3]]],
        5,
        [[]],
        np.ones((0, 2)),
        np.ones((3, 0)),
        [[1, 2, 3], [1]],
        [1, 2, "3"],
        [True] * 3,
        [1j, 1, 1],
        [None] * 3,
        object(),
    ],
)
def test_vectors_of_another_shape_or_kind(given: Any) -> None:
    with pytest.raises(VectorError, match="expected"):
        as_vectors(given, 3)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (7, [7]),
        ([7], [7]),
        ([], []),
        ((), []),
        (range(3), [0, 1, 2]),
        (np.array([2**63 - 1], np.uint64), [2**63 - 1]),
        (np.array([], np.float64), []),
        (np.int8(-3), [-3]),
    ],
)
def test_ids(given: Any, expected: list[int]) -> None:
    ids = as_ids(given)
    assert ids.dtype == np.int64
    assert ids.tolist() == expected


@pytest.mark.parametrize(
    "given", [1.5, [1.0], "1", None, [[1]], [[1], [2, 3]], [2**64], [True], {1, 2}, np.array([2**63], np.uint64)]
)
def test_what_is_no_id(given: Any) -> None:
    with pytest.raises(IdError, match="expected"):
        as_ids(given)


def test_ids_are_counted() -> None:
    as_ids([1, 2], 2)
    with pytest.raises(IdError, match="expected 3 ids, one for each vector, got 2"):
        as_ids([1, 2], 3)


def test_counts() -> None:
    assert as_count("k", 3, 1) == 3
    assert type(as_count("k", np.uint8(3), 1)) is int
    assert as_count("k", 1, 1, 1) == 1
    for bad in (0, 5, -1, True, False, np.True_, 2.0, "2", None, [2]):
        with pytest.raises(ArgumentError, match=r"k is .*; expected "):
            as_count("k", bad, 1, 4)  # type: ignore[arg-type]
