"""What a search by radius answers, as a sequence."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.index.within import Within

FOUND = Within(np.array([0, 2, 2, 3]), np.array([4, 5, 6]), np.array([0.1, 0.2, 0.3], np.float32))


def ids(pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[list[int]]:
    return [ids.tolist() for ids, _ in pairs]


def test_one_pair_for_each_query() -> None:
    assert len(FOUND) == 3
    assert ids(list(FOUND)) == [[4, 5], [], [6]]
    assert FOUND[-1][1].tolist() == FOUND.distances[2:].tolist()
    for beyond in (3, -4):
        with pytest.raises(IndexError):
            FOUND[beyond]


@pytest.mark.parametrize("cut", [slice(0, 1), slice(1, None), slice(-1, None), slice(None, None, -1), slice(5, 9)])
def test_a_slice_is_that_of_a_list(cut: slice) -> None:
    assert ids(FOUND[cut]) == ids(list(FOUND)[cut])
