"""A file beside a catalogue that spares computing what it holds: one that is missing or damaged costs time, no more.

head      what it is, and of what
payload
checksum  4 bytes   CRC-32 of all before, little-endian
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from contextlib import suppress

from lookalike import durable

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
    """Write it, whole or not at all; where that cannot be, as in a folder that may not be written, leave it."""
    checksum = 0
    with suppress(OSError), durable.draft(path) as beside:
        with open(beside, "wb") as file:
            for part in (head, *payload):
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(_TAIL, "little"))
        durable.put(beside, path)
