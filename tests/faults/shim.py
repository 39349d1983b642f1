"""The shim in C: built, preloaded, told what to watch; and what it recorded."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parent / "shim.c"
ENVIRONMENT = "LOOKALIKE_SHIM"

_HEAD = struct.Struct("<IIQQQIIII")
_MAGIC = 0x4C4F4F4B


class What(IntEnum):
    """The calls that change files, as the shim counts them; and the marks that a script adds."""

    CREATE = 1
    WRITE = 2
    SYNC = 3
    RENAME = 4
    UNLINK = 5
    TRUNCATE = 6
    LINK = 7
    MKDIR = 8
    RMDIR = 9
    MAPPED = 10
    ALLOCATE = 11
    MARK = 100


class How(IntEnum):
    """What becomes of the call whose turn it is.

    IO_ERROR: it fails once. FULL: it and all later ones that need room fail. SHORT: a write writes half, and says so.
    KILL: the process is killed before it. TORN: after it, of a write after half of it.
    """

    NOTHING = 0
    IO_ERROR = 1
    FULL = 2
    SHORT = 3
    KILL = 4
    TORN = 5


class Record(NamedTuple):
    """One call that succeeded: see shim.c; `data` of a MARK is JSON."""

    what: What
    node: int
    offset: int
    length: int
    path: str
    other: str
    data: bytes


def compiler() -> str | None:
    """A C compiler, where a preloaded library can be made and used."""
    return shutil.which("cc") or shutil.which("gcc") if sys.platform == "linux" else None


def build(folder: Path) -> Path:
    """The shim as a library."""
    library = folder / "shim.so"
    command = [compiler() or "cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library)]
    subprocess.run([*command, str(SOURCE), "-lpthread"], check=True)
    return library


def preloaded(library: Path) -> dict[str, str]:
    """The environment of a process that runs under the shim."""
    return os.environ | {"LD_PRELOAD": str(library), ENVIRONMENT: str(library)}


def watch(below: str, how: How = How.NOTHING, at: int = 0, record: int = -1) -> None:
    """Count the calls below a folder from now on, let number `at` of them fail, and record them to a file."""
    _library().shim_watch(os.fsencode(below), record, ctypes.c_long(at), int(how))


def forget() -> None:
    """Watch nothing."""
    watch("")


def count() -> int:
    """The calls since `watch`."""
    counted = _library().shim_count
    counted.restype = ctypes.c_long
    return int(counted())


def mark(record: int, about: object) -> None:
    """Add a mark to a record, between the calls before and after it."""
    data = json.dumps(about).encode()
    os.write(record, _HEAD.pack(_MAGIC, What.MARK, 0, 0, len(data), 0, 0, len(data), 0) + data)


def read(path: str) -> Iterator[Record]:
    """What was recorded, in order."""
    content = Path(path).read_bytes()
    at = 0
    while at < len(content):
        magic, what, node, offset, length, *sizes, _ = _HEAD.unpack_from(content, at)
        assert magic == _MAGIC
        at += _HEAD.size
        parts = []
        for size in sizes:
            parts.append(content[at : at + size])
            at += size
        yield Record(What(what), node, offset, length, os.fsdecode(parts[0]), os.fsdecode(parts[1]), parts[2])


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(os.environ[ENVIRONMENT])
