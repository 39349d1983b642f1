"""Text: word2vec's (a header `count dims`, then a word and its numbers a line) and GloVe's, which has no header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors import names as naming
from lookalike.vectors.layout import lie
from lookalike.vectors.limits import MOST_DIM, MOST_NAME, rows_at_most
from lookalike.vectors.numbers import Dtype
from lookalike.vectors.source import Source
from lookalike.vectors.vector_file import Chunk, Part

FLOAT32: Dtype = np.dtype(np.float32)

_NUMBER = 32
"""Bytes of a number with its space, at most on average."""

_OF_NUMBERS = b"0123456789+-.eE "
_HEADER = 64  # bytes


def header(first: bytes) -> tuple[int, int] | None:
    """Count and dims, if `first` is the line that says so."""
    words = first.split()
    if len(first) > _HEADER or len(words) != 2 or not all(word.isdigit() for word in words):
        return None
    return int(words[0]), int(words[1])


def dims(line: bytes) -> int:
    """Of a line whose word has no spaces."""
    return line.rstrip(b" \r\n").count(b" ")


def is_line(line: bytes, dim: int) -> bool:
    """Whether it is a word and `dim` numbers."""
    return dim <= MOST_DIM and _parsed([line], dim) is not None


def promised(source: Source, least: Callable[[int, int], int], advice: str) -> tuple[int, int, int]:
    """Count and dims as line 1 says, and where the words begin, which take at `least` so many bytes.

    VectorFileError where there is no such line, or there are fewer bytes.
    """
    with source.open() as stream:
        told = header(stream.readline(_HEADER + 1))
        start = stream.tell()
    if told is None:
        raise VectorFileError(
            f"{source.path}: expected the number of words and of dimensions in line 1, received neither; {advice}"
        )
    lie(source.path, told, None, "rows")
    count, dim = told
    if least(count, dim) > source.size - start:
        raise VectorFileError(
            f"{source.path}: expected {count:,} words of {dim:,} numbers, as line 1 says, received "
            f"{source.size - start:,} bytes, which cannot hold them; fetch it again"
        )
    return count, dim, start


def open_word2vec(source: Source) -> Part:
    """The words of a word2vec file in text, float32.

    Raises:
        VectorFileError: no header, or one that promises more than there is.
    """
    advice = "if it is GloVe's, give that format"
    count, dim, _ = promised(source, lambda count, dim: count * 2 * (dim + 1) - 1, advice)
    return Part(source.path, "word2vec", count, dim, FLOAT32, True, None, partial(_read, source, count, dim, 1))


def open_glove(source: Source) -> Part:
    """The words of a GloVe file, float32; it is read through once to count them.

    Raises:
        VectorFileError: its first line is no word with numbers.
    """
    with source.open() as stream:
        first = stream.readline(MOST_NAME + _NUMBER * MOST_DIM)
        dim = dims(first)
        if dim < 1 or not is_line(first, dim):
            raise VectorFileError(
                f"{source.path}: expected a word and its numbers in line 1, received {first[:80]!r}; "
                "if it is of another kind, give its format"
            )
        stream.seek(0)
        count, last = 0, b"\n"
        while block := stream.read(1 << 20):
            count, last = count + block.count(b"\n"), block[-1:]
        count += last != b"\n"
    lie(source.path, (count, dim), None, "rows")
    return Part(source.path, "glove", count, dim, FLOAT32, True, None, partial(_read, source, count, dim, 0))


def _read(source: Source, count: int, dim: int, skipped: int, rows: int) -> Iterator[Chunk]:
    longest = MOST_NAME + _NUMBER * (dim + 1)
    step = rows_at_most(longest, rows)
    with source.open() as stream:
        for _ in range(skipped):
            stream.readline(longest)
        for start in range(0, count, step):
            lines = list(islice(_lines(stream, longest), min(step, count - start)))
            parsed = _parsed(lines, dim)
            if parsed is None or len(lines) < min(step, count - start):
                _blame(source.path, lines, dim, skipped + start + 1, skipped + count)
            else:
                yield parsed
        if rest := stream.read(1 << 10).strip():
            raise VectorFileError(
                f"{source.path}: expected {count:,} words, as line 1 says, received more: {rest[:40]!r}; fetch it again"
            )


def _lines(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    while line := stream.readline(longest + 1):
        yield line


def _parsed(lines: list[bytes], dim: int) -> Chunk | None:
    """Words and numbers of lines, if each has them."""
    parts = [line.rstrip(b" \r\n").rsplit(b" ", dim) for line in lines]
    vectors = np.empty((len(parts), dim), np.float32)
    try:
        with np.errstate(over="ignore", under="ignore"):  # beyond float32 is inf, which is refused by its row
            for row, (_, *numbers) in enumerate(parts):
                if b" ".join(numbers).translate(None, _OF_NUMBERS):
                    return None
                vectors[row] = np.fromiter(map(float, numbers), np.float64, dim)
    except ValueError:
        return None
    return Chunk([naming.decode(word) for word, *_ in parts], vectors)


def _blame(path: str, lines: list[bytes], dim: int, first: int, last: int) -> None:
    """Raises for the first line that is none."""
    for number, line in enumerate(lines, first):
        if not is_line(line, dim):
            raise VectorFileError(
                f"{path}, line {number:,}: expected a word and {dim:,} numbers, received {line[:80]!r}; "
                "correct that line, or fetch the file again"
            )
    raise VectorFileError(
        f"{path}: expected {last:,} lines, received {first + len(lines) - 1:,}: it is cut off; fetch it again"
    )
