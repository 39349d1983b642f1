"""word2vec's files, text and binary: a line `count dims`, then a line or a record for each word."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from lookalike.errors import ArgumentError, VectorError
from lookalike.vectors import names as naming
from lookalike.vectors.accepted import Rows
from lookalike.vectors.draft import sink
from lookalike.vectors.numbers import Numbers

_DIGITS = 12  # of the count, which is known when all is written
_SPACE = re.compile("[ \t\n\r\v\f]")
_AT_ONCE = 256  # words


def write_word2vec(path: str, chunks: Iterator[Rows], dim: int, binary: bool, overwrite: bool) -> tuple[str, ...]:
    """The file, at `path`; raises as `write_vectors`."""
    count = 0
    with sink(path, overwrite) as file:
        file.write(_header(count, dim))
        for names, vectors, _ in chunks:
            words = [_word(name, row) for row, name in enumerate(names or (), count)]
            numbers = _float32(vectors, count)
            for start in range(0, len(words), _AT_ONCE):
                some = slice(start, start + _AT_ONCE)
                file.write((_records if binary else _lines)(words[some], numbers[some]))
            count += len(words)
        file.restart()
        file.write(_header(count, dim))
    return (path,)


def _header(count: int, dim: int) -> bytes:
    return b"%0*d %d\n" % (_DIGITS, count, dim)


def _word(name: str, row: int) -> bytes:
    if _SPACE.search(name):
        raise ArgumentError(
            f"expected words without white space, as word2vec has them, received {name!r:.200} in row {row:,}; "
            "nothing was written: choose hdf5 or npy, which keep every name"
        )
    return naming.encode(name)


def _float32(vectors: Numbers, start: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    with np.errstate(over="ignore", under="ignore"):
        numbers = vectors.astype("<f4", copy=False)
    if not np.isfinite(numbers).all():
        row = start + int(np.argwhere(~np.isfinite(numbers))[0, 0])
        raise VectorError(
            f"expected numbers that float32 can hold, received larger ones in row {row:,}; nothing was written"
        )
    return numbers


def _records(words: list[bytes], numbers: Numbers) -> bytes:
    return b"".join(b"%b %b\n" % (word, vector.tobytes()) for word, vector in zip(words, numbers, strict=True))


def _lines(words: list[bytes], numbers: Numbers) -> bytes:
    """Nine digits tell every float32 from its neighbours."""
    form = b" ".join([b"%b", *[b"%.9g"] * numbers.shape[1]]) + b"\n"
    return b"".join(form % (word, *vector) for word, vector in zip(words, numbers.tolist(), strict=True))
