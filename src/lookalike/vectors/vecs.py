""".fvecs, .bvecs, .ivecs: each vector is its number of dimensions as int32, then its numbers; little-endian.

The layout of the sets SIFT1M and GIST1M (Jégou, Douze & Schmid 2011).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors.blocks import ranges
from lookalike.vectors.layout import lie
from lookalike.vectors.limits import MOST_DIM, rows_at_most
from lookalike.vectors.numbers import Dtype
from lookalike.vectors.source import Source, read_array
from lookalike.vectors.vector_file import Chunk, Format, Part

ITEMS: dict[Format, str] = {"fvecs": "<f4", "bvecs": "|u1", "ivecs": "<i4"}


def open_vecs(source: Source, format_: Format) -> Part:
    """The vectors of such a file: float32, uint8 or int32.

    Raises:
        VectorFileError: it is empty, or its size is not that of whole vectors.
    """
    item = np.dtype(ITEMS[format_])
    with source.open() as stream:
        dim = int.from_bytes(stream.read(4), "little", signed=True)
    size = 4 + dim * item.itemsize
    if not 0 < dim <= MOST_DIM or source.size % size:
        raise VectorFileError(
            f"{source.path}: expected .{format_}, vectors that each begin with their dimensions, received {dim:,} "
            f"dimensions in the first and {source.size:,} bytes in all; fetch it again, or give its format"
        )
    count = source.size // size
    lie(source.path, (count, dim), None, "rows")
    read = partial(_read, source, item, (count, dim))
    return Part(source.path, format_, count, dim, item.newbyteorder("="), False, None, read)


def _read(source: Source, item: Dtype, shape: tuple[int, int], rows: int) -> Iterator[Chunk]:
    count, dim = shape
    record = np.dtype([("dim", "<i4"), ("vector", item, (dim,))])
    with source.open() as stream:
        for start, end in ranges(count, rows_at_most(record.itemsize, rows)):
            block = read_array(stream, (end - start,), record, source.path)
            if (other := block["dim"] != dim).any():
                row = int(np.argmax(other))
                raise VectorFileError(
                    f"{source.path}: expected {dim:,} dimensions in each vector, received {block['dim'][row]:,} in row "
                    f"{start + row:,} (from 0); fetch it again, or give its format"
                )
            yield Chunk(None, block["vector"])
