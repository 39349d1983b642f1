"""Vectors and names that files are made of, and what a refusal must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.errors import VectorFileError
from lookalike.vectors import open_vectors, read_vectors
from lookalike.vectors.numbers import Numbers

COUNT, DIM = 300, 7

VECTORS = np.random.default_rng(1).standard_normal((COUNT, DIM)).astype(np.float32)
NAMES = [f"photos/{i}.jpg" for i in range(COUNT)]
WORDS = [f"w{i}" for i in range(COUNT)]
STRANGE = ["no utf-8 \udcff\udce9.jpg", "two\nlines", "é 日本.png", "x" * 4096, " ", "\u202egpj.exe"]
"""Names of files that there may be."""


def require_read(
    paths: str | Path | Sequence[Path], vectors: Numbers, names: list[str] | None = None, /, **how: Any
) -> None:
    """That they hold these vectors and names, all at once and chunk by chunk, and say so."""
    given = read_vectors(paths, **how)
    assert given[0] == names
    assert np.array_equal(given[1], vectors)
    opened = open_vectors(paths, **how)
    assert (opened.count, opened.dim, opened.named) == (*vectors.shape, names is not None)
    assert opened.dtype == given[1].dtype == vectors.dtype.newbyteorder("=")
    chunks = list(opened.chunks(rows=11))
    assert {len(chunk.vectors) for chunk in chunks[:-1]} <= set(range(1, 12))
    assert all(chunk.vectors.flags.carray and chunk.vectors.dtype == opened.dtype for chunk in chunks)
    assert np.array_equal(np.concatenate([chunk.vectors for chunk in chunks]), vectors)
    if names is not None:
        assert [name for chunk in chunks for name in chunk.names or ()] == names


def require_sentence(error: VectorFileError, path: str | Path) -> None:
    """That it is one, which names the file and says what to do."""
    sentence = str(error)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert len(sentence) < 1000
    assert "expected" in sentence
    assert "received" in sentence
    assert ";" in sentence


@contextmanager
def refused(path: str | Path, match: str) -> Iterator[None]:
    """That what is within is refused in a sentence."""
    with pytest.raises(VectorFileError, match=match) as refusal:
        yield
    require_sentence(refusal.value, path)


def require_same_or_refused(path: Path, vectors: Numbers, names: list[str] | None, **how: Any) -> bool:
    """That a damage is found or makes no difference; whether it was found."""
    try:
        given = read_vectors(path, **how)
    except VectorFileError as error:
        require_sentence(error, path)
        return True
    assert given[0] == names
    assert np.array_equal(given[1], vectors)
    return False


def require_read_or_refused(path: Path) -> bool:
    """That it is read or refused in a sentence; whether it was refused."""
    try:
        read_vectors(path)
    except VectorFileError as error:
        require_sentence(error, path)
        return True
    return False


def require_refused(path: Path, match: str, **how: Any) -> None:
    """That it is refused when it is opened."""
    with refused(path, match):
        open_vectors(path, **how)


def require_refused_within(path: Path, match: str, **how: Any) -> None:
    """That it is refused while it is read, and not before."""
    opened = open_vectors(path, **how)
    with refused(path, match):
        for _ in opened.chunks():
            pass
