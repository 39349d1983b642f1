""".npy: one array, (n, dims), in C's or Fortran's order; never unpickled.

The header is NumPy's own (`numpy.lib.format`): a magic, a version, and a literal of dtype, order and shape. Names may
lie beside it, in a Parquet file of the same name with the column `path`, as `write_npy` leaves them.
"""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from tokenize import TokenError
from typing import BinaryIO

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors import arrow
from lookalike.vectors.blocks import columns, ranges
from lookalike.vectors.layout import Layout, lie
from lookalike.vectors.limits import rows_at_most
from lookalike.vectors.numbers import EXPECTED, Dtype, Numbers, native
from lookalike.vectors.source import Source, find, read_array, read_into
from lookalike.vectors.vector_file import Chunk, Part

_HEADER = 1 << 14  # bytes; NumPy itself reads at most 10,000


@dataclass(frozen=True)
class Header:
    """What the start of a .npy says: the array's dtype as stored, its shape and order, and where its numbers begin."""

    dtype: Dtype
    shape: tuple[int, ...]
    fortran: bool
    start: int

    @property
    def size(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def open_npy(source: Source, layout: Layout | None = None) -> Part:
    """The vectors of a .npy file.

    Raises:
        VectorFileError: damaged, pickled, or no matrix of real numbers; its names are not as many.
        MissingExtraError: names lie beside it, and reading them needs pyarrow.
    """
    with source.open() as stream:
        header = read_header(stream, source.path)
    dtype = number_dtype(source.path, header.dtype)
    if header.start + header.size != source.size:
        raise VectorFileError(
            f"{source.path}: expected {header.size:,} bytes of numbers, as its header says, received "
            f"{source.size - header.start:,}; fetch or write it again"
        )
    place = lie(source.path, header.shape, None, layout)
    names = _names_beside(source.path, place.count)
    across = header.fortran != place.columns
    read = partial(_read, source, header, (place.count, place.dim), across, names)
    return Part(source.path, "npy", place.count, place.dim, dtype, names is not None, None, read)


def read_header(stream: BinaryIO, place: str) -> Header:
    """The header at the stream's start; the stream may end up anywhere."""
    begin = io.BytesIO(stream.read(_HEADER))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # written by Python 2, whose integers end in L
            version = np.lib.format.read_magic(begin)
            if version not in ((1, 0), (2, 0)):
                raise ValueError(f"version {version}")
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(begin)
    except (ValueError, TypeError, SyntaxError, TokenError, OverflowError, RecursionError, MemoryError) as error:
        raise VectorFileError(
            f"{place}: expected the header of a .npy array, received {str(error).splitlines()[0]:.200}; "
            "write it again with numpy.save"
        ) from error
    if min(shape, default=0) < 0:
        raise VectorFileError(f"{place}: expected a matrix, received the shape {shape}; write it again with numpy.save")
    return Header(dtype, shape, fortran, begin.tell())


def number_dtype(place: str, stored: Dtype) -> Dtype:
    """`stored` in the machine's byte order; VectorFileError where it holds no real numbers."""
    if stored.hasobject:
        raise VectorFileError(
            f"{place}: expected numbers, received pickled objects, which are never read, for they may run code; "
            "write it again as an array of numbers"
        )
    if (dtype := native(stored)) is None:
        raise VectorFileError(f"{place}: expected {EXPECTED}, received dtype {stored!s:.80}; convert it to float32")
    return dtype


def _names_beside(path: str, count: int) -> arrow.NamesFile | None:
    beside = os.path.splitext(path)[0] + ".parquet"
    if not os.path.isfile(beside):
        return None
    names = arrow.open_names(find(beside))
    if names is not None and names.count != count:
        raise VectorFileError(
            f"{path}: expected {count:,} names in {beside}, which lies beside it, received {names.count:,}; "
            "move that file elsewhere if it belongs to others"
        )
    return names


def _read(
    source: Source, header: Header, shape: tuple[int, int], across: bool, names: arrow.NamesFile | None, rows: int
) -> Iterator[Chunk]:
    with source.open() as stream:
        stream.seek(header.start)
        walk = _across if across else along
        given = None if names is None else names.read()
        for block in walk(stream, source.path, header, shape, rows):
            yield Chunk(None if given is None else list(islice(given, len(block))), block)


def along(stream: BinaryIO, path: str, header: Header, shape: tuple[int, int], rows: int) -> Iterator[Numbers]:
    """Vectors (n, dim) that lie one after the other, from where the stream is."""
    count, dim = shape
    for start, end in ranges(count, rows_at_most(dim * header.dtype.itemsize, rows)):
        yield read_array(stream, (end - start, dim), header.dtype, path)


def _across(stream: BinaryIO, path: str, header: Header, shape: tuple[int, int], rows: int) -> Iterator[Numbers]:
    count, dim = shape
    item = header.dtype.itemsize

    def read(start: int, end: int) -> Numbers:
        block: Numbers = np.empty((dim, end - start), header.dtype)
        for column in range(dim):
            stream.seek(header.start + (column * count + start) * item)
            read_into(stream, block[column], path)
        return block

    return columns(read, count, dim * item, rows)
