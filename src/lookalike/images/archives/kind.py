"""What kind of archive a file is: its first bytes say so."""

from __future__ import annotations

import bz2
import lzma
import tarfile
import zlib
from typing import Literal

from lookalike.errors import ArchiveError, ReadError
from lookalike.images.archives.file import File, unreadable

Kind = Literal["tar", "zip", "parquet"]

GZIP, BZIP2, XZ = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0"

_MAGICS: dict[bytes, Kind] = {b"PK\3\4": "zip", b"PK\5\6": "zip", b"PAR1": "parquet", b"PARE": "parquet"}
_PACKED = 1 << 20  # bytes of a compressed file: bzip2 has up to 900,000 in a block, and gives none before its end
_XZ_MEMORY = 128 << 20  # bytes; `xz -9` asks for 65 MiB


def archive_kind(path: str) -> Kind | None:
    """What kind of archive `path` is by its first bytes; None where it is none, or cannot be read.

    A compressed file is one where it holds a tar. NumPy's .npz are zip archives, but of vectors, and none here.
    """
    try:
        return identify(path)
    except (ArchiveError, ReadError):
        return None


def identify(path: str) -> Kind | None:
    """As `archive_kind`, but raises ArchiveError or ReadError where there is no file to read."""
    with File(path) as file:
        if path.lower().endswith(".npz"):
            return None
        try:
            start = file.read(tarfile.BLOCKSIZE)
            for magic, kind in _MAGICS.items():
                if start.startswith(magic):
                    return kind
            if start.startswith((GZIP, BZIP2, XZ)):
                start = _unpacked(start + file.read(_PACKED))
        except OSError as error:
            raise unreadable(error) from error
    return "tar" if _is_header(start) else None


def header(block: bytes) -> tarfile.TarInfo:
    """What a tar's header says; tarfile.HeaderError where it is none."""
    return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")


def _is_header(block: bytes) -> bool:
    try:
        header(block)
    except tarfile.HeaderError:
        return False
    return True


def _unpacked(start: bytes) -> bytes:
    """The first block of what a file unpacks to; less where it begins with too little of that."""
    try:
        if start.startswith(GZIP):
            return zlib.decompressobj(31).decompress(start, tarfile.BLOCKSIZE)
        if start.startswith(BZIP2):
            return bz2.BZ2Decompressor().decompress(start, tarfile.BLOCKSIZE)
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY).decompress(start, tarfile.BLOCKSIZE)
    except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError):
        return b""
