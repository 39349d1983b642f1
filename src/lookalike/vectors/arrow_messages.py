"""What Arrow's messages say of their buffers before these are unpacked.

A message is a FlatBuffer, whose tables lead to their fields by offsets: `Message.header` is a `RecordBatch`, or a
`DictionaryBatch` whose `data` is one; `RecordBatch.buffers` are pairs of offset and length in the message's body. A
compressed buffer begins with the length that it unpacks to, or −1 where it is kept as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from lookalike.errors import VectorFileError
from lookalike.vectors.limits import require_sane

_HEADER, _DATA, _BUFFERS, _COMPRESSION = 2, 1, 2, 3  # numbers of fields in Arrow's Message.fbs


def require_sane_messages(messages: Iterator[Any], place: str) -> None:
    """VectorFileError where a message unpacks to what only a bomb does; `messages` are pyarrow's."""
    try:
        for message in messages:
            if message.type in ("record batch", "dictionary"):
                require_sane(place, message.body.size, _unpacked(message))
    except struct.error as error:
        raise VectorFileError(
            f"{place}: expected a whole Arrow file, received {error}; fetch or write it again"
        ) from error


def _unpacked(message: Any) -> int:
    """Bytes of a message's body when it is unpacked."""
    data = message.metadata.to_pybytes()
    batch = _follow(data, _field(data, _follow(data, 0), _HEADER))
    if message.type == "dictionary":
        batch = _follow(data, _field(data, batch, _DATA))
    if _field(data, batch, _COMPRESSION) is None:
        return int(message.body.size)
    buffers = _follow(data, _field(data, batch, _BUFFERS))
    (count,) = struct.unpack_from("<I", data, buffers)
    whole = 0
    for number in range(count):
        offset, length = struct.unpack_from("<qq", data, buffers + 4 + 16 * number)
        if length:
            (unpacked,) = struct.unpack("<q", message.body.slice(offset, 8).to_pybytes())
            whole += max(length, unpacked)
    return whole


def _follow(data: bytes, at: int | None) -> int:
    """Where the offset at `at` leads."""
    if at is None:
        raise struct.error("a message without a field that each has")
    return at + int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, number: int) -> int | None:
    """Where a field of a table is; None where the table has none."""
    (back,) = struct.unpack_from("<i", data, table)
    (size,) = struct.unpack_from("<H", data, table - back)
    if 4 + 2 * number >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, table - back + 4 + 2 * number)
    return table + offset if offset else None
