"""Which kind of file vectors are in: its content says it, and its name where the content could be any."""

from __future__ import annotations

import os
from typing import get_args

from lookalike.errors import ArgumentError, VectorFileError
from lookalike.vectors import bins, lines, vecs
from lookalike.vectors.limits import MOST_DIM, MOST_NAME
from lookalike.vectors.source import Source
from lookalike.vectors.vector_file import Format

FORMATS: tuple[Format, ...] = get_args(Format)

_MAGICS: tuple[tuple[bytes, Format], ...] = (
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "npz"),
    (b"PK\x05\x06", "npz"),  # without a member
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
)
_STREAM = b"\xff\xff\xff\xff"  # of Arrow; these could be numbers, too
_OTHERS = (
    (b"\x1f\x8b", "a gzip archive; unpack it with gunzip"),
    (b"BZh", "a bzip2 archive; unpack it with bunzip2"),
    (b"\xfd7zXZ\0", "an xz archive; unpack it with unxz"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; unpack it with unzstd"),
    (b"FEA1", "Feather of version 1; write it again with pyarrow.feather.write_feather"),
    (b"PARE", "Parquet with an encrypted footer; write it again without encryption"),
    *(
        (bytes([0x80, version]), "a pickle, which is never read, for it may run code; write the array with numpy.save")
        for version in (2, 3, 4, 5)
    ),
)
_HDF5_AT = (512, 1024, 2048)  # bytes, where something else comes first, as in MATLAB's files
_FIRST_LINE = MOST_NAME + 32 * MOST_DIM


def as_format(name: str) -> Format:
    """ArgumentError for a text that is no format."""
    for known in FORMATS:
        if name == known:
            return known
    raise ArgumentError(f"format is {name!r:.80}; expected one of {', '.join(FORMATS)}")


def kind(source: Source) -> Format:
    """The format of a file; VectorFileError where it is none that is known."""
    ending = os.path.splitext(source.path)[1].lower().removeprefix(".")
    if not source.size:
        raise VectorFileError(f"{source.path}: expected a file of vectors, received an empty one; fetch it again")
    with source.open() as stream:
        start = stream.read(_HDF5_AT[-1] + 8)
        for magic, format_ in _MAGICS:
            if start.startswith(magic):
                return format_
        if any(start[at:].startswith(b"\x89HDF\r\n\x1a\n") for at in _HDF5_AT):
            return "hdf5"
        for named in (*vecs.ITEMS, *bins.ITEMS):
            if ending == named:
                return named
        if start.startswith(_STREAM):
            return "arrow"
        for magic, what in _OTHERS:
            if start.startswith(magic):
                raise VectorFileError(f"{source.path}: expected a file of vectors, received {what}")
        stream.seek(0)
        first = stream.readline(_FIRST_LINE)
        if told := lines.header(first):
            second = stream.readline(_FIRST_LINE)
            return "word2vec" if lines.is_line(second, told[1]) else "word2vec-binary"
        if lines.is_line(first, max(1, lines.dims(first))):
            return "glove"
    raise VectorFileError(
        f"{source.path}: expected a file of vectors ({', '.join(FORMATS)}), received one that begins with "
        f"{start[:16]!r}; give its format if it is one"
    )
