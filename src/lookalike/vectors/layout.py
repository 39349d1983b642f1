"""Which way round a matrix lies, and what in a file of many arrays is the matrix.

The original experiment kept `feats` as (dims, n) beside n `filenames`; most others keep (n, dims). The number of names
tells the two apart, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from lookalike.errors import ArgumentError, VectorFileError
from lookalike.vectors.limits import MOST_DIM

Layout = Literal["rows", "columns"]
"""Whether a matrix's rows or its columns are the vectors."""

FEATS = "feats"
NAMES = ("filenames", "names")
VECTORS = (FEATS, "train", "vectors", "embeddings", "features")
"""Names by which arrays of vectors go, the first that is there before others."""


@dataclass(frozen=True)
class Lie:
    """How vectors lie: their number, dimensions, and whether they are the matrix's columns."""

    count: int
    dim: int
    columns: bool


def as_layout(layout: str | None) -> Layout | None:
    """ArgumentError for a text that is no layout."""
    for known in get_args(Layout):
        if layout == known:
            return known  # type: ignore[no-any-return]
    if layout is not None:
        raise ArgumentError(f"layout is {layout!r}; expected rows (vectors are rows: (n, dims)) or columns ((dims, n))")
    return None


def lie(place: str, shape: tuple[int, ...], names: int | None, layout: Layout | None, key: str = "") -> Lie:
    """How vectors lie in a matrix of `shape` that belongs to so many names; `key` is what the matrix is called.

    Raises:
        VectorFileError: no matrix, one without vectors or dimensions, one that fits the names not at all or both ways.
    """
    if len(shape) != 2:
        raise VectorFileError(f"{place}: expected a matrix, one vector a row, received the shape {shape}; reshape it")
    if 0 in shape:
        raise VectorFileError(
            f"{place}: expected at least one vector of one dimension, received the shape {shape}; leave it out"
        )
    if layout is None:
        layout = _told(place, shape, names, key)
    count, dim = shape if layout == "rows" else shape[::-1]
    if names is not None and names != count:
        raise VectorFileError(
            f"{place}: expected a name for each of {count:,} vectors ({layout} of the shape {shape}), received "
            f"{names:,}; write the file again, or give another layout"
        )
    if dim > MOST_DIM:
        raise VectorFileError(
            f"{place}: expected at most {MOST_DIM:,} dimensions, received {dim:,} ({layout} of the shape {shape}); "
            f"if its {'columns' if layout == 'rows' else 'rows'} are the vectors, give that layout"
        )
    return Lie(count, dim, layout == "columns")


def _told(place: str, shape: tuple[int, ...], names: int | None, key: str) -> Layout:
    if names is None:
        if key == FEATS:
            raise VectorFileError(
                f"{place}: expected filenames beside {FEATS}, whose number tells rows from columns, received none; "
                f"give the layout: rows for {shape[0]:,} vectors, columns for {shape[1]:,}"
            )
        return "rows"
    fits = [way for way, size in zip(get_args(Layout), shape, strict=True) if size == names]
    if len(fits) == 1:
        return fits[0]  # type: ignore[no-any-return]
    if fits:
        raise VectorFileError(
            f"{place}: expected the number of names to tell rows from columns, received {names:,} for the shape "
            f"{shape}; give the layout: columns for files of the original experiment, else rows"
        )
    raise VectorFileError(
        f"{place}: expected as many names as rows or columns, received {names:,} for the shape {shape}; "
        "write the file again with a name for each vector"
    )


def which(place: str, there: Iterable[str], matrices: Iterable[str]) -> str:
    """What holds the vectors, where nobody said it: an array of a usual name, or the only matrix.

    Raises:
        VectorFileError: there is none, or there are several.
    """
    names = sorted(there)
    for usual in VECTORS:
        if usual in names:
            return usual
    found = sorted(matrices)
    if len(found) == 1:
        return found[0]
    what = (
        "several: " + ", ".join(map(repr, found[:10])) if found else f"{', '.join(map(repr, names[:10])) or 'nothing'}"
    )
    raise VectorFileError(
        f"{place}: expected one matrix of vectors, received {what:.500}; give the key of the one you mean"
    )
