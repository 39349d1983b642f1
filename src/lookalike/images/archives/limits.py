"""How much of an archive is held or unpacked, and what no sane archive holds."""

from __future__ import annotations

from lookalike.errors import ArchiveError
from lookalike.images.content import LARGEST_FILE

LARGEST_PICTURE = LARGEST_FILE // 2
"""In bytes. A decoder that is given a picture by its bytes holds them twice, which is half of its memory."""

LARGEST_HEADER = 1 << 20
"""In bytes: of the headers before a tar's member, each; of a sane one they are a few hundred."""

LONGEST_NAME = 4096
"""In bytes, as of a path."""

NAMES = 512 << 20
"""Bytes of memory that the names of an archive's pictures take, at most: those of some 3 million."""

CHUNK = 1 << 20
"""Bytes that are read, unpacked or handed on at once."""

_PACKED_WELL, _LITTLE = 100, 64 << 20


def unpacks_sanely(packed: int, unpacked: int) -> bool:
    """Whether no more than pictures do, which hardly pack."""
    return unpacked <= _PACKED_WELL * packed + _LITTLE


def require_sane(packed: int, unpacked: int) -> None:
    """ArchiveError where an archive of so many bytes unpacks to what only a bomb does."""
    if not unpacks_sanely(packed, unpacked):
        raise ArchiveError(
            f"expected pictures, which hardly pack, received {packed:,} bytes that unpack to {unpacked:,} or more; "
            "if you trust the archive, unpack it first"
        )
