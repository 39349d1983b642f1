""".npy, and the names of its vectors in a Parquet file beside it, in the column `path`."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np

from lookalike.errors import WriteError
from lookalike.vectors.arrow_write import names_writer
from lookalike.vectors.draft import Sink, draft, sink, writing
from lookalike.vectors.numbers import Dtype
from lookalike.vectors.vector_file import Chunk

Names = Callable[[list[str]], None]


def write_npy(
    path: str, chunks: Iterator[Chunk], dim: int, dtype: Dtype, named: bool, overwrite: bool
) -> tuple[str, ...]:
    """The file at `path`, and the one of the names; raises as `write_vectors`."""
    beside = os.path.splitext(path)[0] + ".parquet"
    if not named and os.path.lexists(beside):
        raise WriteError(
            errno.EEXIST,
            f"{beside}: expected no file there, for its names would be taken for those of {path}, received one; "
            "choose another name",
        )
    named_beside = False
    try:
        with sink(path, overwrite) as vectors:
            if not named:
                _write(vectors, chunks, dim, dtype, None)
                return (path,)
            with draft(beside, overwrite) as names:
                with names_writer(beside, names) as take:
                    _write(vectors, chunks, dim, dtype, take)
                if overwrite:
                    with writing(path), suppress(FileNotFoundError):
                        os.unlink(os.path.realpath(path))  # never beside the names of others
            named_beside = True
    except BaseException:
        if named_beside:  # and another file is at `path`
            os.unlink(beside)
        raise
    return (path, beside)


def _write(vectors: Sink, chunks: Iterator[Chunk], dim: int, dtype: Dtype, take: Names | None) -> None:
    vectors.write(_header(0, dim, dtype))
    count = 0
    for chunk in chunks:
        vectors.write(chunk.vectors.data)
        if take is not None:
            take(chunk.names or [])
        count += len(chunk.vectors)
    vectors.restart()
    vectors.write(_header(count, dim, dtype))


def _header(count: int, dim: int, dtype: Dtype) -> bytes:
    """As long for every count: NumPy leaves room for an array to grow."""
    begin = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(begin, {"descr": descr, "fortran_order": False, "shape": (count, dim)})
    return begin.getvalue()
