"""A file that holds one vector, such as a query."""

from __future__ import annotations

import os

from lookalike.errors import VectorFileError
from lookalike.vectors.kind import kind
from lookalike.vectors.npy import along, number_dtype, read_header
from lookalike.vectors.numbers import Numbers
from lookalike.vectors.open import open_vectors
from lookalike.vectors.source import Source, find


def read_vector(path: str | os.PathLike[str]) -> Numbers:
    """The vector (dim,) of a file of one, of any kind that `open_vectors` reads; .npy also of the shape (dim,).

    Raises:
        VectorFileError: it holds several; and as `open_vectors`.
        ReadError, MissingExtraError: as `open_vectors`.
    """
    source = find(path)
    if kind(source) == "npy" and (row := _row(source)) is not None:
        return row
    file = open_vectors(path)
    if file.count != 1:
        raise VectorFileError(
            f"{source.path}: expected one vector, received {file.count:,}; save the one that you mean by itself"
        )
    vector: Numbers = next(file.chunks()).vectors[0]
    return vector


def _row(source: Source) -> Numbers | None:
    """The array of a .npy of one dimension; None of another, which is refused where it is no matrix."""
    with source.open() as stream:
        header = read_header(stream, source.path)
        if len(header.shape) != 1 or not header.size or header.start + header.size != source.size:
            return None
        number_dtype(source.path, header.dtype)
        stream.seek(header.start)
        vector: Numbers = next(along(stream, source.path, header, (1, *header.shape), 1))[0]
        return vector
