"""What may be written: vectors of one shape and dtype, each name once, facts that can lie beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from lookalike.errors import ArgumentError, VectorError
from lookalike.vectors import facts as knowing
from lookalike.vectors import names as naming
from lookalike.vectors.limits import MOST_DIM
from lookalike.vectors.numbers import EXPECTED, Dtype, Numbers, native, not_finite

Given = tuple[Sequence[str] | None, Any] | tuple[Sequence[str] | None, Any, Sequence[knowing.Facts]]
"""Names, vectors, and perhaps the facts of each."""


class Rows(NamedTuple):
    """Some of what is written.

    Attributes:
        names: one for each, or None.
        vectors: (n, dim), contiguous.
        facts: for each.
    """

    names: list[str] | None
    vectors: Numbers
    facts: Sequence[knowing.Facts]


class Accepted(Iterator[Rows]):
    """Chunks as they may be written: those without vectors are left out, what does not fit the first is refused.

    Attributes:
        count: vectors so far.
    """

    def __init__(self, chunks: Iterable[Given], named: bool | None, with_facts: bool) -> None:
        """For a file in which vectors have names or not (None: as the first has), and may have facts or not."""
        self.count = 0
        self._chunks = iter(chunks)
        self._named = named
        self._with_facts = with_facts
        self._shape: tuple[int, Dtype] | None = None
        self._seen = naming.Seen()

    def __next__(self) -> Rows:
        while True:
            names, given, *facts = next(self._chunks)
            vectors = self._vectors(given)
            if len(vectors):
                break
        if self._named is None:
            self._named = names is not None
        if names is not None:
            names = list(names)
        self._check_names(names, len(vectors))
        known = list(facts[0]) if facts else []
        if facts:
            self._check_facts(known, len(vectors))
        self.count += len(vectors)
        return Rows(names, vectors, known or [{}] * len(vectors))

    def _vectors(self, given: Any) -> Numbers:
        array = np.asarray(given)
        dtype = native(array.dtype)
        if dtype is None or array.ndim != 2 or not 0 < array.shape[1] <= MOST_DIM:
            raise VectorError(
                f"expected vectors of 1 to {MOST_DIM:,} dimensions as a matrix of {EXPECTED}, received {array.dtype} "
                f"of the shape {array.shape}; nothing was written"
            )
        if len(array) and self._shape is None:
            self._shape = array.shape[1], dtype
        if len(array) and (array.shape[1], dtype) != self._shape:
            raise VectorError(
                f"expected vectors like the first, (dimensions, dtype) = {self._shape}, received "
                f"{(array.shape[1], dtype)}, from row {self.count:,} on; nothing was written"
            )
        if bad := not_finite(array):
            raise VectorError(
                f"expected finite numbers, received {bad[1]} in row {self.count + bad[0]:,}; nothing was written"
            )
        return np.ascontiguousarray(array, dtype)

    def _check_names(self, names: list[str] | None, count: int) -> None:
        if (names is not None) != self._named or (names is not None and len(names) != count):
            expected = "a name for each vector" if self._named else "no names, as for the first vectors"
            received = "none" if names is None else f"{len(names):,} for {count:,}"
            raise ArgumentError(
                f"expected {expected}, received {received}, from row {self.count:,} on; nothing was written"
            )
        for row, name in enumerate(names or (), self.count):
            if wrong := naming.what_is_wrong(name):
                raise ArgumentError(
                    f"expected {naming.EXPECTED}, received {wrong}, in row {row:,}; nothing was written"
                )
        if names is not None and (twice := self._seen.add(names)):
            raise ArgumentError(
                f"expected each name once, received {names[twice.again - self.count]!r:.200} in row {twice.again:,} "
                f"as in row {twice.before:,}; nothing was written: rename one of them"
            )

    def _check_facts(self, facts: list[knowing.Facts], count: int) -> None:
        if not (self._with_facts and self._named):
            raise ArgumentError("expected no facts, which only npy has room for, beside names; nothing was written")
        if len(facts) != count:
            raise ArgumentError(
                f"expected facts of each vector, received {len(facts):,} for {count:,}, from row {self.count:,} on; "
                "nothing was written"
            )
        for row, each in enumerate(facts, self.count):
            if wrong := knowing.what_is_wrong(each):
                raise ArgumentError(
                    f"expected {knowing.EXPECTED}, received {wrong}, in row {row:,}; nothing was written"
                )
