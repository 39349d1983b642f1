"""Ids that alone may be found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core


class Filter:
    """What `Index.filter` made of ids, a mask or a function: for any number of searches, from many threads.

    It names ids, whatever becomes of their vectors: those that are removed are not found, and found again where they
    are added again. Where a search finds them is kept from the first search on, a bit for each vector of the index.
    """

    __slots__ = ("_core",)

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self._core = _core.Filter(ids)


Which = Filter | ArrayLike | Callable[[NDArray[np.int64]], ArrayLike]
"""What a search takes for its filter."""
