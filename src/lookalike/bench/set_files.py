"""Sets as files hold them: HDF5 of ann-benchmarks' layout, and text.

    train       (items,)  int   of one set after the other
    size_train  (n,)      int   how many items each set has
    test, size_test             the queries, likewise
    attribute `distance`: "jaccard"

ann-benchmarks sorts the items of a set, but leaves those in that it has twice; here they count once.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np

from lookalike.bench.sets import Sets, as_sets
from lookalike.errors import ArgumentError
from lookalike.vectors.source import find

KEYS = ("train", "size_train", "test", "size_test", "tune", "size_tune")


def from_arrays(path: str, arrays: Mapping[str, Any], which: str) -> tuple[Sets, Sets | None]:
    """The sets of such a file, and the queries called `which`, if there are some.

    ArgumentError: something is missing, or no whole numbers, or the sizes do not fit.
    """
    names = ["train", *([which] if which in arrays else [])]
    base, *queries = as_sets(*((_items(path, arrays, name), _sizes(path, arrays, name)) for name in names))
    return base, queries[0] if queries else None


def from_text(path: str) -> Sets:
    """One set a line, of the words between its blanks; empty lines are none.

    Raises:
        VectorFileError, ReadError: no such file, or it cannot be read.
        ArgumentError: no text in UTF-8, or none at all.
    """
    numbers: dict[str, int] = {}
    items, sizes = array("q"), array("q")
    with find(path).open() as stream:
        for number, line in enumerate(stream, 1):
            try:
                words = line.decode().split()
            except UnicodeDecodeError as error:
                raise ArgumentError(
                    f"{path}: expected words in UTF-8; received other bytes in line {number:,}"
                ) from error
            if words:
                items.extend(numbers.setdefault(word, len(numbers)) for word in words)
                sizes.append(len(words))
    if not sizes:
        raise ArgumentError(f"{path}: expected words, a set a line; received none")
    return as_sets((np.array(items), np.array(sizes)))[0]


def _items(path: str, arrays: Mapping[str, Any], name: str) -> Any:
    return _whole(path, arrays, name, "the items of one set after the other").astype(np.int64, copy=False)


def _sizes(path: str, arrays: Mapping[str, Any], name: str) -> Any:
    sizes, items = _whole(path, arrays, f"size_{name}", "how many items each set has"), len(arrays[name])
    if not len(sizes):
        raise ArgumentError(f"{path}: size_{name}: expected a set at least; received none")
    if sizes.min() < 0 or sizes.max() > items or sizes.sum() != items:
        raise ArgumentError(
            f"{path}: size_{name}: expected how many of the {items:,} items of {name} each set has; received "
            f"sizes from {sizes.min():,} to {sizes.max():,} that do not add up to that"
        )
    return sizes.astype(np.int64)


def _whole(path: str, arrays: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in arrays:
        raise ArgumentError(f"{path}: expected a dataset called {name}, {what}, as its distance is jaccard")
    found = arrays[name]
    if found.ndim != 1 or found.dtype.kind not in "iu":
        received = f"{found.dtype} of the shape {found.shape}"
        raise ArgumentError(f"{path}: {name}: expected {what}, whole numbers in one dimension; received {received}")
    return found
