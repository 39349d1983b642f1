"""word2vec's binary files: a line `count dims`, then each word, a space, and its numbers as float32, little-endian.

The original program ends each vector with a newline, others do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors import names as naming
from lookalike.vectors.limits import MOST_NAME, rows_at_most
from lookalike.vectors.lines import FLOAT32, promised
from lookalike.vectors.source import Source
from lookalike.vectors.vector_file import Chunk, Part

_READ = 1 << 20  # bytes


def open_binary(source: Source) -> Part:
    """The words of a binary word2vec file, float32.

    Raises:
        VectorFileError: no header, or one that promises more than there is.
    """
    count, dim, start = promised(source, lambda count, dim: count * (4 * dim + 2), "give another format")
    return Part(
        source.path, "word2vec-binary", count, dim, FLOAT32, True, None, partial(_read, source, count, dim, start)
    )


def _read(source: Source, count: int, dim: int, start: int, rows: int) -> Iterator[Chunk]:
    size = 4 * dim
    step = rows_at_most(size + MOST_NAME, rows)
    with source.open() as stream:
        stream.seek(start)
        held, at = b"", 0  # what was read and not taken yet, from `at` on
        for first in range(0, count, step):
            words: list[str] = []
            vectors = np.empty((min(step, count - first), dim), np.float32)
            for row in range(len(vectors)):
                while (end := held.find(b" ", at, at + MOST_NAME + 2)) < 0 or len(held) < end + 1 + size:
                    if end < 0 and len(held) - at > MOST_NAME + 2:
                        raise _broken(source.path, first + row, f"no space within {MOST_NAME:,} bytes")
                    if not (more := stream.read(max(_READ, size))):
                        raise _broken(source.path, first + row, "the end of the file")
                    held, at = held[at:] + more, 0
                words.append(naming.decode(held[at:end].lstrip(b"\n")))
                vectors[row] = np.frombuffer(held, "<f4", dim, end + 1)
                at = end + 1 + size
            yield Chunk(words, vectors)
        if (held[at:] + stream.read(1)).strip(b"\n"):
            raise VectorFileError(
                f"{source.path}: expected {count:,} words, as line 1 says, received more after them; fetch it again"
            )


def _broken(path: str, row: int, received: str) -> VectorFileError:
    return VectorFileError(
        f"{path}: expected a word, a space and its numbers in row {row:,} (from 0), received {received}; fetch it again"
    )
