""".npy, and the names and facts of its vectors in a Parquet file beside it."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from lookalike.errors import ArgumentError, WriteError
from lookalike.vectors.accepted import Rows
from lookalike.vectors.arrow_write import Take, table_writer
from lookalike.vectors.draft import Sink, draft, sink, writing
from lookalike.vectors.numbers import Dtype


def write_npy(
    path: str, chunks: Iterator[Rows], dim: int, dtype: Dtype, named: bool, overwrite: bool
) -> tuple[str, ...]:
    """The file at `path`, and the one of names and facts; raises as `write_vectors`."""
    beside = os.path.splitext(path)[0] + ".parquet"
    if os.path.realpath(beside) == os.path.realpath(path):
        raise ArgumentError(f"{path}: expected another name than that of the file of names; let it end in .npy")
    if not named and os.path.lexists(beside):
        raise WriteError(
            errno.EEXIST,
            f"{beside}: expected no file there, for its names would be taken for those of {path}, received one; "
            "choose another name",
        )
    made: list[tuple[str, os.stat_result]] = []  # both files, that of the names first
    try:
        with sink(path, overwrite) as vectors:
            if not named:
                _write(vectors, chunks, dim, dtype, None)
                return (path,)
            with draft(beside, overwrite) as names:
                with table_writer(beside, names) as take:
                    _write(vectors, chunks, dim, dtype, take)
                made = [(beside, os.stat(names)), (path, vectors.status())]
                if overwrite:
                    with writing(path), suppress(FileNotFoundError):
                        os.unlink(os.path.realpath(path))  # never beside the names of others
    except BaseException:
        if [_is_there(*file) for file in made] == [True, False]:  # another file is at `path`, or none
            os.unlink(os.path.realpath(beside))
        raise
    return (path, beside)


def _is_there(path: str, made: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), made)
    except FileNotFoundError:
        return False


def _write(vectors: Sink, chunks: Iterator[Rows], dim: int, dtype: Dtype, take: Take | None) -> None:
    vectors.write(_header(0, dim, dtype))
    count = 0
    for chunk in chunks:
        vectors.write(chunk.vectors.data)
        if take is not None:
            take(chunk.names or [], chunk.facts)
        count += len(chunk.vectors)
    vectors.restart()
    vectors.write(_header(count, dim, dtype))


def _header(count: int, dim: int, dtype: Dtype) -> bytes:
    """As long for every count: NumPy leaves room for an array to grow."""
    begin = io.BytesIO()
    descr = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(begin, {"descr": descr, "fortran_order": False, "shape": (count, dim)})
    return begin.getvalue()
