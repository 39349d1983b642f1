"""Lists of names on stdin: one a line, or each ending in NUL."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import BinaryIO

from lookalike.errors import ArgumentError, NoPicturesError, ReadError
from lookalike.images.urls.address import is_url

AS_IN = "find photos -print0 | lookalike index - -0 --to PATH"

LONGEST = 4096
"""Bytes of a name; no longer path is opened, and no longer URL fetched."""

_CHUNK = 1 << 16


def names(stream: BinaryIO | None, null: bool) -> Iterator[tuple[int, str]]:
    """The names in a list with their numbers from 1 on, as `os.fsdecode` gives them, while it is read.

    Empty ones are left out, but counted. A line may end in CR LF, as Windows writes them: the CR is no part of a URL,
    and of a path only where there is a file that is called so.

    Args:
        stream: None where there is none.
        null: each name ends in NUL, and nothing is taken off it.

    Raises:
        ArgumentError: `stream` is a terminal; a name is longer than 4,096 bytes, or holds a NUL.
        NoPicturesError: there are none.
        ReadError: it cannot be read.
    """
    if stream is None or stream.isatty():
        received = "a terminal" if stream else "nothing"
        raise ArgumentError(f"expected a list of names on stdin for `-`, received {received}; as in: {AS_IN}")
    empty = True
    for number, entry in enumerate(_entries(stream, b"\0" if null else b"\n"), 1):
        if b"\0" in entry:
            raise ArgumentError(f"expected lines without NUL, received line {number:,}; give -0 where names end in NUL")
        if len(entry) > LONGEST:
            raise ArgumentError(
                f"expected names of at most {LONGEST:,} bytes, received more as number {number:,} of the list; names "
                f"end {'in NUL with -0, else with their lines' if null else 'with their lines, or in NUL with -0'}"
            )
        name = os.fsdecode(entry)
        if not null and name.endswith("\r") and (is_url(name) or not os.path.lexists(name)):
            name = name[:-1]
        if name:
            empty = False
            yield number, name
    if empty:
        raise NoPicturesError("expected a list of names on stdin for `-`, received an empty one; see what wrote it")


def _entries(stream: BinaryIO, end: bytes) -> Iterator[bytes]:
    """What stands between the ends; of what is too long only the beginning."""
    rest = b""
    while chunk := _read(stream):
        *whole, rest = (rest + chunk).split(end)
        yield from whole
        if len(rest) > LONGEST:
            break
    yield rest


def _read(stream: BinaryIO) -> bytes:
    try:
        chunk = stream.read(_CHUNK)
        if chunk is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    except OSError as error:
        raise ReadError(
            error.errno, f"expected a list of names on stdin, received an error: {error.strerror}"
        ) from error
    return chunk
