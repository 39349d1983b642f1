"""How much of a file of vectors is in memory at a time, and what no sane file holds."""

from __future__ import annotations

from lookalike.errors import VectorFileError

ROWS = 1 << 14
"""Vectors of a chunk, at most."""

BLOCK = 32 << 20
"""Bytes of a chunk's vectors, at most; one vector is less."""

SPAN = 4 * BLOCK
"""Bytes that are read at once where vectors lie across the file: longer runs are read from each of its rows."""

MOST_DIM = (1 << 20) - 1  # as an index takes them

MOST_NAME = 4096
"""Bytes of a name in UTF-8, the length of a path."""

_PACKED_WELL, _LITTLE = 100, 64 << 20


def rows_at_most(row_bytes: int, rows: int) -> int:
    """How many rows of so many bytes a chunk holds where `rows` were asked for."""
    return min(rows, ROWS, max(1, BLOCK // row_bytes))


def require_sane(place: str, packed: int, unpacked: int) -> None:
    """VectorFileError where compressed numbers unpack to what only a bomb does: a hundred times as much, and many."""
    if unpacked > max(_PACKED_WELL * packed, _LITTLE):
        raise VectorFileError(
            f"{place}: expected vectors packed at most {_PACKED_WELL}:1, received {packed:,} bytes that unpack to "
            f"{unpacked:,}; if you trust the file, write it again without compression"
        )
