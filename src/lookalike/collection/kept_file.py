"""A file beside a catalogue that spares computing what it holds: one that is missing or damaged costs time, no more.

head      what it is, and of what
payload
checksum  4 bytes   CRC-32 of all before, little-endian
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from contextlib import suppress

_TAIL = 4


def load(path: str, head: bytes) -> bytes | None:
    """The payload; None where there is none of this head, or not all of it."""
    try:
        with open(path, "rb") as file:
            if file.read(len(head)) != head:
                return None
            data = file.read()
    except OSError:
        return None
    payload, tail = data[:-_TAIL], data[-_TAIL:]
    return payload if zlib.crc32(payload, zlib.crc32(head)) == int.from_bytes(tail, "little") else None


def keep(path: str, head: bytes, payload: Iterable[bytes]) -> None:
    """Write it; where that cannot be, as in a folder that may not be written, leave it.

    It is not put on the disk, and two that write it at once may spoil it: the checksum tells.
    """
    fresh = f"{path}.new"
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666), "wb") as file:
            checksum = 0
            for part in (head, *payload):
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(_TAIL, "little"))
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
