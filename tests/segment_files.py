"""The segment files of a collection: `000001-0123456789abcdef.segment`, where the digest is of what is in it."""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path
from typing import NamedTuple


def segment(index: Path, number: int = 1) -> Path:
    """The file of that number in a collection's folder."""
    (path,) = (index / "segments").glob(f"{number:06}*.segment")
    return path


class Section(NamedTuple):
    """Where a section is, and where its entry in the table is (docs/format.md)."""

    offset: int
    length: int
    entry: int


def sections(data: bytes | bytearray) -> dict[str, Section]:
    """Those of a file, by name."""
    count, table = struct.unpack_from("<12xI8xQ", data)
    entries = [(at, *struct.unpack_from("<32sQQ", data, at)) for at in range(table, table + 64 * count, 64)]
    return {name.rstrip(b"\0").decode(): Section(offset, length, at) for at, name, offset, length in entries}


def undigested(name: str) -> str:
    """A name as it would be without the digest, which is another each time."""
    return re.sub(r"-[0-9a-f]{16}\b", "", name)


def forget_rows(index: Path) -> None:
    """Leave a collection as an earlier version made it: what is lost of its catalogue is kept nowhere else."""
    shutil.rmtree(index / "rows")
