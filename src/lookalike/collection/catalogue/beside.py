"""A catalogue's file, read beside SQLite without taking the locks of its connections away."""

from __future__ import annotations

import os
import shutil
from typing import BinaryIO

_descriptors: dict[tuple[int, int], int] = {}  # by device and inode


def open_beside(path: str) -> BinaryIO:
    """A file, to be read from its start; its descriptor, one for each file, stays open until this process ends.

    To close any descriptor of a file drops all locks on it that this process has, those of SQLite's connections among
    them. Then another process that closes it takes itself for the last one, and deletes the WAL that is in use here
    (sqlite.org/howtocorrupt.html, 2.2).

    Raises:
        OSError: it cannot be opened.
    """
    status = os.stat(path)
    descriptor = _descriptors.get((status.st_dev, status.st_ino))
    if descriptor is None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        _descriptors[status.st_dev, status.st_ino] = descriptor
    file = open(descriptor, "rb", closefd=False)  # noqa: SIM115 (there is nothing to close)
    file.seek(0)
    return file


def copy_beside(path: str, to: str) -> None:
    """Copy a file that is so opened. OSError where that cannot be."""
    source = open_beside(path)
    with open(to, "wb") as target:
        shutil.copyfileobj(source, target)
