"""Turns what a user passes as vectors, ids and counts into what the engine takes, or refuses it in a sentence."""

from __future__ import annotations

import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, IdError, VectorError


def as_vectors(vectors: Any, dim: int) -> tuple[NDArray[np.float32], bool]:
    """Vectors as a contiguous float32 array (n, dim), and whether there was just one, given as (dim,).

    Accepts lists, arrays of any real dtype and strides, and sparse matrices; the values are the engine's to
    check. Raises VectorError for another shape or dtype.
    """
    if type(vectors) is np.ndarray and vectors.dtype == np.float32 and vectors.flags.carray:  # most often, and cheap
        if vectors.shape == (dim,):
            return vectors[np.newaxis], True
        if vectors.ndim == 2 and vectors.shape[1] == dim:
            return vectors, False
    if hasattr(vectors, "filled"):
        raise VectorError("expected plain numbers, got a masked array; fill its gaps or drop their rows")
    if hasattr(vectors, "toarray"):  # a sparse matrix of SciPy
        vectors = vectors.toarray()
    try:
        array = np.asarray(vectors)
    except ValueError as error:  # a list of lists of different lengths
        raise VectorError(f"expected vectors of {dim} numbers each, got rows of different lengths") from error
    if array.dtype.kind not in "fiu":
        raise VectorError(f"expected real numbers, got dtype {array.dtype}; convert the vectors to float32")
    single = array.ndim == 1 and array.size > 0
    if array.ndim == 1:
        array = array[np.newaxis] if single else array.reshape(0, dim)  # an empty list is no vectors
    if array.ndim != 2 or array.shape[1] != dim:
        raise VectorError(f"expected vectors of {dim} dimensions, got an array of shape {np.shape(vectors)}")
    with np.errstate(over="ignore", under="ignore"):  # beyond float32 is inf, which the engine refuses by position
        return np.require(array, np.float32, ["C", "A"]), single


def as_bits(vectors: Any, dim: int) -> tuple[NDArray[np.uint8], bool]:
    """Packed bits as a contiguous uint8 array (n, dim / 8), and whether there was just one vector, given as (dim / 8,).

    Raises VectorError for another shape or dtype.
    """
    try:
        array = np.asarray(vectors)
    except ValueError as error:  # a list of lists of different lengths
        raise VectorError(f"expected vectors of {dim // 8} bytes each, got rows of different lengths") from error
    if array.ndim == 1 and array.size == 0:
        return np.empty((0, dim // 8), np.uint8), False  # an empty list is no vectors
    packing = "pack bits with np.packbits(bits, axis=-1)"
    if hasattr(vectors, "filled") or array.dtype != np.uint8:
        raise VectorError(f"expected packed bits of dtype uint8, got dtype {array.dtype}; {packing}")
    single = array.ndim == 1
    if array.ndim not in (1, 2) or array.shape[-1] != dim // 8:
        raise VectorError(f"expected {dim} bits as {dim // 8} bytes, got an array of shape {array.shape}; {packing}")
    return np.require(array[np.newaxis] if single else array, np.uint8, ["C", "A"]), single


def as_ids(ids: Any, count: int | None = None) -> NDArray[np.int64]:
    """Ids as int64 (n,); one id alone is an array of one. IdError for another dtype, shape or count."""
    if hasattr(ids, "filled"):
        raise IdError("expected plain ids, got a masked array; drop those that are masked")
    try:
        array = np.atleast_1d(np.asarray(ids))
    except ValueError as error:  # a list of lists of different lengths
        raise IdError("expected integer ids in one dimension, got lists of different lengths") from error
    if array.size == 0:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise IdError(f"expected integer ids in one dimension, got dtype {array.dtype}, shape {array.shape}")
    if array.dtype == np.uint64 and array.max() > np.iinfo(np.int64).max:
        raise IdError(f"id {array.max()} is too large; expected ids from 0 to 2^63 - 1")
    if count is not None and len(array) != count:
        raise IdError(f"expected {count} ids, one for each vector, got {len(array)}")
    return np.require(array, np.int64, ["C", "A"])


def as_count(name: str, value: SupportsIndex, least: int, most: int = 2**31 - 1) -> int:
    """A whole number from least to most; ArgumentError otherwise."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} is {value!r}; expected a whole number of at least {least}") from None
    if not least <= number <= most:
        bound = f"at least {least}" if number < least else f"at most {most}"
        raise ArgumentError(f"{name} is {number}; expected {bound}")
    return number
