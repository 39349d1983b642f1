""".fbin, .u8bin, .i8bin: the number of vectors and of dimensions as uint32, then all numbers; little-endian.

The layout of the billion-scale sets of big-ann-benchmarks (Simhadri et al. 2022, arXiv 2205.03763).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors.blocks import ranges
from lookalike.vectors.layout import lie
from lookalike.vectors.limits import rows_at_most
from lookalike.vectors.numbers import Dtype
from lookalike.vectors.source import Source, read_array
from lookalike.vectors.vector_file import Chunk, Format, Part

ITEMS: dict[Format, str] = {"fbin": "<f4", "u8bin": "|u1", "i8bin": "|i1"}

_HEADER = 8  # bytes


def open_bin(source: Source, format_: Format) -> Part:
    """The vectors of such a file: float32, uint8 or int8.

    Raises:
        VectorFileError: its size is not what its header says.
    """
    item = np.dtype(ITEMS[format_])
    with source.open() as stream:
        told = stream.read(_HEADER)
    count, dim = int.from_bytes(told[:4], "little"), int.from_bytes(told[4:], "little")
    size = _HEADER + count * dim * item.itemsize
    if source.size != size:
        raise VectorFileError(
            f"{source.path}: expected .{format_}, whose header promises {count:,} vectors of {dim:,} dimensions, "
            f"{size:,} bytes, received {source.size:,}; fetch it again, or give its format"
        )
    lie(source.path, (count, dim), None, "rows")
    read = partial(_read, source, item, (count, dim))
    return Part(source.path, format_, count, dim, item.newbyteorder("="), False, None, read)


def _read(source: Source, item: Dtype, shape: tuple[int, int], rows: int) -> Iterator[Chunk]:
    count, dim = shape
    with source.open() as stream:
        stream.seek(_HEADER)
        for start, end in ranges(count, rows_at_most(dim * item.itemsize, rows)):
            yield Chunk(None, read_array(stream, (end - start, dim), item, source.path))
