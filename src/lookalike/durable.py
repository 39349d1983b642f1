"""Files that are there whole or not at all, and outlast a loss of power."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Name = Callable[[str, str], None]
"""Gives the file at the first path the second one as its name."""


def sync(path: str) -> None:
    """Put a file, or the names in a folder, on the disk. OSError where that cannot be."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def draft(path: str) -> Iterator[str]:
    """A name beside `path` for a file to be written, and then `put` there; what is left under it is deleted."""
    beside = os.path.join(os.path.dirname(os.path.abspath(path)), f".lookalike-{secrets.token_hex(8)}")
    try:
        yield beside
    finally:
        with suppress(FileNotFoundError):  # gone, when it took its place
            os.unlink(beside)


def put(beside: str, path: str, name: Name = os.replace) -> None:
    """Let a draft that is written be the file at `path`. OSError where that cannot be; then what was there stays."""
    sync(beside)
    name(beside, path)
    sync(os.path.dirname(beside))
