"""What an opened file of vectors is: a description, and its vectors in chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal, NamedTuple

import numpy as np

from lookalike.arrays import as_count
from lookalike.errors import VectorFileError
from lookalike.metric import Metric
from lookalike.vectors import names as naming
from lookalike.vectors.limits import ROWS
from lookalike.vectors.numbers import Dtype, Numbers, not_finite

Format = Literal[
    "npy",
    "npz",
    "hdf5",
    "parquet",
    "arrow",
    "word2vec",
    "word2vec-binary",
    "glove",
    "fvecs",
    "bvecs",
    "ivecs",
    "fbin",
    "u8bin",
    "i8bin",
]


class Chunk(NamedTuple):
    """Some vectors in a row.

    Attributes:
        names: one for each, or None where the file has none.
        vectors: (n, dim), contiguous, of the file's dtype in the machine's byte order, and nobody else's.
    """

    names: list[str] | None
    vectors: Numbers


@dataclass(frozen=True)
class Part:
    """One file. `read(rows)` gives its vectors, at most so many at a time; values and names are not checked yet."""

    path: str
    format: Format
    count: int
    dim: int
    dtype: Dtype
    named: bool
    distance: Metric | None
    read: Callable[[int], Iterator[Chunk]] = field(repr=False, compare=False)


@dataclass(frozen=True)
class VectorFile:
    """One file of vectors, or several that make one set.

    Made by `open_vectors`. Nothing is held open: each walk through the chunks opens the files anew, and refuses
    one that has changed meanwhile.

    Attributes:
        parts: the files, in order.
    """

    parts: tuple[Part, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(part.path for part in self.parts)

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return sum(part.count for part in self.parts)

    @property
    def dim(self) -> int:
        return self.parts[0].dim

    @property
    def dtype(self) -> Dtype:
        """Of all chunks, in the machine's byte order: the file's own, or the widest float of several files."""
        return np.result_type(*(part.dtype for part in self.parts))

    @property
    def named(self) -> bool:
        """Whether each vector has a name."""
        return self.parts[0].named

    @property
    def distance(self) -> Metric | None:
        """What the file says its vectors are compared by; None where it says nothing."""
        return self.parts[0].distance

    def chunks(self, rows: int | None = None) -> Iterator[Chunk]:
        """All vectors in order, at most `rows` at a time, 16,384 and 32 MiB (but one vector at least).

        Besides the chunk, reading takes 24 bytes for each name, and for a while: 128 MiB where vectors lie across
        the file (HDF5 with vectors as columns, .npy in Fortran's order), one piece (at most 128 MiB) of an HDF5 file
        written in pieces, one page of a Parquet column, one record batch of an Arrow file (if it is compressed).

        Raises:
            VectorFileError: NaN or inf, a name that is none or comes twice, an end too early, a file that has changed.
            ReadError: it cannot be read now.
            ArgumentError: `rows` is below 1.
        """
        return self._checked(ROWS if rows is None else as_count("rows", rows, 1))

    def _checked(self, rows: int) -> Iterator[Chunk]:
        seen, dtype = naming.Seen(), self.dtype
        for part in self.parts:
            start = 0
            for names, vectors in part.read(rows):
                if bad := not_finite(vectors):
                    raise VectorFileError(
                        f"{part.path}: expected finite numbers, received {bad[1]} in row {start + bad[0]:,} (from 0); "
                        "leave that vector out"
                    )
                if names is not None:
                    self._check_names(part, names, start, seen)
                start += len(vectors)
                yield Chunk(names, np.ascontiguousarray(vectors, dtype))

    def _check_names(self, part: Part, names: list[str], start: int, seen: naming.Seen) -> None:
        for row, name in enumerate(names, start):
            if wrong := naming.what_is_wrong(name):
                raise VectorFileError(
                    f"{part.path}: expected {naming.EXPECTED}, received {wrong}, in row {row:,} (from 0); rename it"
                )
        if twice := seen.add(names):
            path, row = self.place(twice.again)
            before, at = self.place(twice.before)
            where = f"row {at:,}" if before == path else f"row {at:,} of {before}"
            raise VectorFileError(
                f"{path}: expected each name once, received {names[row - start]!r:.200} in row {row:,} (from 0) as in "
                f"{where}; rename or leave out one of them"
            )

    def place(self, number: int) -> tuple[str, int]:
        """The file that holds vector `number` of all, and its row there; both from 0."""
        ends = list(accumulate(part.count for part in self.parts))
        which = bisect_right(ends, number)
        return self.parts[which].path, number - (ends[which] - self.parts[which].count)
