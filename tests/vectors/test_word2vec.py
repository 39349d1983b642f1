"""word2vec's binary files: written by hand here, as the original program and others write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.vectors import open_vectors

from .made import COUNT, DIM, VECTORS, WORDS, require_read, require_refused, require_refused_within


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.bin"


def records(words: list[str], end: bytes = b"\n") -> bytes:
    return b"".join(
        word.encode("utf-8", "surrogateescape") + b" " + vector.astype("<f4").tobytes() + end
        for word, vector in zip(words, VECTORS, strict=False)
    )


@pytest.mark.parametrize("end", [b"\n", b""])
def test_words(path: Path, end: bytes) -> None:
    path.write_bytes(b"%d %d\n" % (COUNT, DIM) + records(WORDS, end))
    require_read(path, VECTORS, WORDS)
    assert open_vectors(path).parts[0].format == "word2vec-binary"


def test_words_that_are_not_utf8(path: Path) -> None:
    words = ["\udcff\udce9", "é", "日本"]
    path.write_bytes(b"3 %d\n" % DIM + records(words))
    require_read(path, VECTORS[:3], words)


def test_vectors_larger_than_what_is_read_at_once(path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 400_000)).astype(np.float32)
    data = b"".join(b"w%d " % i + vector.tobytes() + b"\n" for i, vector in enumerate(vectors))
    path.write_bytes(b"3 400000\n" + data)
    require_read(path, vectors, ["w0", "w1", "w2"])


def test_every_cut_is_refused(path: Path) -> None:
    data = b"3 %d\n" % DIM + records(["a", "bb", "c"], b"")
    for size in range(4, len(data) - 1):
        path.write_bytes(data[:size])
        require_refused(path, "as line 1 says, received .* bytes, which cannot hold them|a file of vectors")
    path.write_bytes(data[:-1])
    require_refused_within(path, "in row 2 .*received the end of the file", format="word2vec-binary")
    path.write_bytes(data + b"x")
    require_refused_within(path, "expected 3 words, as line 1 says, received more", format="word2vec-binary")


@pytest.mark.parametrize(
    ("header", "match"),
    [
        (b"0 7\n", "at least one vector of one dimension"),
        (b"3 0\n", "at least one vector of one dimension"),
        (b"99999999999 7\n", "as line 1 says, received .* bytes, which cannot hold them"),
        (b"3 99999999999\n", "at most 1,048,575 dimensions"),
        (b"three seven\n", "the number of words and of dimensions in line 1"),
        (b"3\n", "the number of words and of dimensions in line 1"),
        (b"3 7" + b" " * 100 + b"\n", "the number of words and of dimensions in line 1"),
    ],
)
def test_headers_that_are_none(path: Path, header: bytes, match: str) -> None:
    path.write_bytes(header + records(["a", "b", "c"]))
    require_refused(path, match, format="word2vec-binary")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["a", "", "c"], "received an empty one, in row 1 "),
        (["a", "b\0", "c"], "received one with NUL"),
        (["a", "b", "a"], r"received 'a' in row 2 \(from 0\) as in row 0"),
        (["a", "b" * 5000, "c"], "in row 1 .*received no space within 4,096 bytes"),
    ],
)
def test_words_that_are_none(path: Path, words: list[str], match: str) -> None:
    path.write_bytes(b"3 %d\n" % DIM + records(words))
    require_refused_within(path, match, format="word2vec-binary")


def test_numbers_that_are_none(path: Path) -> None:
    path.write_bytes(b"1 2\na " + np.array([1, np.nan], "<f4").tobytes())
    require_refused_within(path, "received nan in row 0 ")
