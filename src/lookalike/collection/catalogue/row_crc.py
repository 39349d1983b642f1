"""The checksum that every row of a catalogue ends with."""

from __future__ import annotations

import zlib
from collections.abc import Iterable


def row_crc(values: Iterable[object]) -> int:
    """The CRC-32 of a row: its values joined by NUL, numbers in decimal, null as None, text in UTF-8 after a quote.

    The quote tells text from a blob of the same bytes: one flipped bit of a row's header makes the one the other.
    """
    fields = [v if type(v) is bytes else (f"'{v}" if type(v) is str else str(v)).encode() for v in values]
    return zlib.crc32(b"\0".join(fields))
