"""The rows of files of vectors as a collection takes them: with names, in float32, of norms that can be compared."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, MissingExtraError, ReadError, VectorFileError
from lookalike.vectors import VectorFile

Vectors = NDArray[np.float32]

UNREADABLE = (VectorFileError, ReadError, ArgumentError, MissingExtraError)
"""What it may raise to open a file again: it may be away, damaged, or of a kind that its options do not fit."""

ZERO = "a zero vector, or one of a norm below 1e-15, has no direction, which cosine compares"

_LARGEST = 3e18  # norm, as an index takes them
_SMALLEST = 1.001e-15  # under cosine; an index may round a little


def require(opened: VectorFile, dim: int) -> None:
    """Read all of some files of vectors once, so that nothing is taken of what is damaged.

    Raises:
        VectorFileError: other dimensions, NaN or inf, too large a norm, names that are none, an end too early.
        ReadError: one cannot be read now.
    """
    if opened.dim != dim:
        raise VectorFileError(
            f"{', '.join(opened.paths)}: expected vectors of {dim:,} dimensions, as in this collection, received "
            f"{opened.dim:,}; name another place for them"
        )
    for _ in rows_of(opened):
        pass


def rows_of(opened: VectorFile) -> Iterator[tuple[list[str], Vectors]]:
    """Names and vectors, some at a time; where a file has no names, a vector is called by the file and its row."""
    start, file = 0, os.path.basename(opened.paths[0])
    for names, vectors in opened.chunks():
        with np.errstate(over="ignore", under="ignore"):
            floats = vectors.astype(np.float32, copy=False)
        if not _largest(floats).max() * math.sqrt(opened.dim) <= _LARGEST:
            _require_moderate(opened, floats, start)
        yield names or [f"{file}:{row}" for row in range(start, start + len(vectors))], floats
        start += len(vectors)


def have_direction(vectors: Vectors) -> NDArray[np.bool_]:
    """Of each of some vectors (n, dim) whether cosine can compare it."""
    found: NDArray[np.bool_] = _largest(vectors) > _SMALLEST
    rest = np.flatnonzero(~found)
    found[rest] = _norms(vectors[rest]) > _SMALLEST
    return found


def _require_moderate(opened: VectorFile, vectors: Vectors, start: int) -> None:
    with np.errstate(over="ignore"):
        wrong = ~(_norms(vectors) <= _LARGEST)
    if wrong.any():
        path, row = opened.place(start + int(np.argmax(wrong)))
        raise VectorFileError(
            f"{path}: expected vectors of a norm of at most {_LARGEST:g}, which float32 can compare, received a larger "
            f"one in row {row:,} (from 0); scale the vectors down"
        )


def _largest(vectors: Vectors) -> Vectors:
    """The largest magnitude in each; NaN where there is one."""
    largest: Vectors = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
    return largest


def _norms(vectors: Vectors) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return norms
