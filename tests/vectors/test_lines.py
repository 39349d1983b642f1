"""word2vec's text and GloVe's: written by hand here, as their programs write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.vectors import open_vectors, read_vectors

from .made import COUNT, DIM, VECTORS, WORDS, refused, require_read, require_refused, require_refused_within


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.txt"


def lines(end: str = "\n") -> str:
    return "".join(
        f"{word} {' '.join(repr(float(number)) for number in vector)}{end}"
        for word, vector in zip(WORDS, VECTORS, strict=True)
    )


@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])  # the original program leaves a space
def test_word2vec(path: Path, end: str) -> None:
    path.write_bytes(f"{COUNT} {DIM}\n{lines(end)}".encode())
    require_read(path, VECTORS, WORDS)
    assert open_vectors(path).parts[0].format == "word2vec"


@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
def test_glove(path: Path, end: str) -> None:
    path.write_bytes(lines(end).encode())
    require_read(path, VECTORS, WORDS)
    assert open_vectors(path).parts[0].format == "glove"
    path.write_bytes(lines(end).encode().rstrip())  # the last line may have no end
    require_read(path, VECTORS, WORDS)


def test_words_with_spaces_and_bytes(path: Path) -> None:
    """As GloVe's set of 840 billion tokens has them."""
    path.write_bytes(b"the 1 2\n. . . -3e-2 +4.\n\xff\xe9 .5 6E2\n1 7 8\n")
    assert read_vectors(path)[0] == ["the", ". . .", "\udcff\udce9", "1"]
    assert np.array_equal(read_vectors(path)[1], np.array([[1, 2], [-0.03, 4], [0.5, 600], [7, 8]], np.float32))


def test_glove_in_two_dimensions_that_looks_like_word2vec(path: Path) -> None:
    path.write_text("7 3\n8 4\n")
    require_read(path, np.array([[3], [4]], np.float32), ["7", "8"], format="glove")
    require_refused(path, "expected 7 words of 3 numbers, as line 1 says", format="word2vec")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("3 2\na 1.5 2.5\nb 1.5 2.5\n", "expected 4 lines, received 3: it is cut off"),
        ("2 2\na 1 2\nb 1 2\nc 1 2\n", "expected 2 words, as line 1 says, received more"),
        ("3 2\na 1.5 2\nb 1\nc 1 2\n", r"line 3: expected a word and 2 numbers, received b'b 1\\n'"),
        ("3 2\na 1.25 2.5\n\nc 1 2 3\n", r"line 3: expected a word and 2 numbers, received b'\\n'"),
        ("3 2\na 1 2\nb 1 x\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 1_0\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 0x10\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 --1\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 nan\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 inf\nc 1 2\n", "line 3: expected a word and 2 numbers"),
        ("3 2\na 1 2\nb 1 1e99\nc 1 2\n", "received inf in row 1 "),
        ("3 2\na 1 2\n 1 2\nc 1 2\n", "received an empty one, in row 1 "),
        ("3 2\na 1 2\nb\0 1 2\nc 1 2\n", "received one with NUL"),
        ("3 2\na 1 2\nb 1 2\na 1 2\n", r"received 'a' in row 2 \(from 0\) as in row 0"),
        ("2 2\na 1 2\n" + "b" * 5000 + " 1 2\n", "line 3: expected a word|more|received one of 5,000 bytes"),
    ],
)
def test_lines_that_are_none(path: Path, text: str, match: str) -> None:
    path.write_text(text)
    require_refused_within(path, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("0 2\n", r"at least one vector of one dimension, received the shape \(0, 2\)"),
        ("2 0\na\nb\n", r"at least one vector of one dimension, received the shape \(2, 0\)"),
        (
            "999999999999 300\na 1 2\n",
            "expected 999,999,999,999 words of 300 numbers, as line 1 says, received 6 bytes",
        ),
        ("2 99999999999\na 1 2\n", "at most 1,048,575 dimensions|which cannot hold them"),
        ("-1 2\na 1 2\n", "expected the number of words and of dimensions in line 1"),
        ("a 1 2\n", "expected the number of words and of dimensions in line 1"),
        ("", "expected the number of words and of dimensions in line 1"),
    ],
)
def test_headers_that_are_none(path: Path, text: str, match: str) -> None:
    path.write_text(text)
    require_refused(path, match, format="word2vec")


@pytest.mark.parametrize("digits", [12, 25, 60])
def test_a_header_of_many_digits(path: Path, digits: int) -> None:
    path.write_text(f"2 {'9' * digits}\na 1 2\n")
    require_refused(path, "expected")


@pytest.mark.parametrize("text", ["", "a\n", "\n", "a b c\n", "a nan 1\n", "x" * 100_000])
def test_first_lines_of_no_glove(path: Path, text: str) -> None:
    path.write_text(text)
    require_refused(path, "expected a word and its numbers in line 1", format="glove")


def test_glove_with_another_line(path: Path) -> None:
    path.write_text(lines() + "last 1 2 3\n" + lines().replace("w", "v"))
    with refused(path, f"line {COUNT + 1}: expected a word and {DIM} numbers"):
        list(open_vectors(path).chunks())


def test_a_line_without_end(path: Path) -> None:
    path.write_text("100 2\na 1 2\n" + "b" * 1_000_000)
    with refused(path, "line 3: expected a word and 2 numbers, received b'bbb"):
        list(open_vectors(path, format="word2vec").chunks())
