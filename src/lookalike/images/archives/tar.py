"""Tar archives, plain or compressed by gzip, bzip2 or xz: POSIX's, GNU's and the oldest.

One header is parsed after the other, by the standard library. Its TarFile would end in silence where a header is
damaged, and keep them all.
"""

from __future__ import annotations

import tarfile
from bz2 import BZ2File
from collections.abc import Iterator
from gzip import GzipFile
from lzma import LZMAError, LZMAFile
from typing import BinaryIO, cast
from zlib import error as ZlibError  # noqa: N812

from lookalike.errors import ArchiveError
from lookalike.images.archives.contents import LINK, NOT_REGULAR, TOO_LARGE, Member
from lookalike.images.archives.file import Buffer, File
from lookalike.images.archives.kind import BZIP2, GZIP, XZ, header
from lookalike.images.archives.limits import CHUNK, LARGEST_HEADER, LARGEST_PICTURE, require_sane
from lookalike.images.archives.names import judge

SPARSE = "a sparse file"

DAMAGE = (tarfile.HeaderError, ZlibError, LZMAError, EOFError, ValueError)
"""What is raised of a damaged one, beside OSError."""

_BLOCK = tarfile.BLOCKSIZE
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_EARLY_END = "an early end"
_ABOUT_ALL = "expected no name, size or holes for all members at once, received such a header; pack the tar again"


class _Stream:
    """A plain tar."""

    def __init__(self, file: File) -> None:
        self._stream: BinaryIO = Buffer(file, 8 * _BLOCK)  # as much is read for each header
        self._size = file.state[2]

    def read(self, size: int) -> bytes:
        return self._stream.read(size)

    def skip(self, size: int) -> None:
        end = self._stream.tell() + size
        if end > self._size:
            raise EOFError(_EARLY_END)
        self._stream.seek(end)

    def exactly(self, size: int) -> bytes:
        data = self.read(size)
        if len(data) < size:
            raise EOFError(_EARLY_END)
        return data


class _Packed(_Stream):
    """A compressed tar, as what it unpacks to."""

    def __init__(self, file: File, unpacked: object) -> None:
        self._stream = cast(BinaryIO, unpacked)
        self._step = file.step
        self._size = file.state[2]
        self._unpacked = 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._unpacked += len(data)
        require_sane(self._size, self._unpacked)
        self._step(len(data))
        return data

    def skip(self, size: int) -> None:
        while size > 0 and (data := self.read(min(size, CHUNK))):
            size -= len(data)


def members(file: File) -> Iterator[Member]:
    """Its members. Zero blocks may lie between them, where archives were concatenated, and must be at the end.

    Raises:
        ArchiveError, DAMAGE: it is damaged or hostile.
    """
    stream = _open(file)
    ended = False
    about: dict[bytes, bytes] = {}  # what the headers before a member say of it
    while block := stream.read(_BLOCK):
        if block.count(0) == len(block):
            ended = ended or len(block) == _BLOCK
            if about:
                raise ValueError("headers of no member")
            continue
        ended = False
        head = header(block)
        if head.type in _LONG or head.type in _PAX or head.type == tarfile.XGLTYPE:
            data = _content(stream, head.size)
            if head.type == tarfile.GNUTYPE_LONGNAME:
                about.setdefault(b"path", data.partition(b"\0")[0])
            elif head.type in _PAX:
                about |= _records(data)
            elif head.type == tarfile.XGLTYPE and _records(data):  # another reader would see other members
                raise ArchiveError(_ABOUT_ALL)
            continue
        yield from _member(stream, head, block, about)
        about = {}
    if not ended:
        raise EOFError(_EARLY_END)


def _open(file: File) -> _Stream:
    file.seek(0)
    start = file.read(len(XZ))
    file.seek(0)
    if start.startswith(GZIP):
        return _Packed(file, GzipFile(fileobj=Buffer(file, CHUNK)))
    if start.startswith(BZIP2):
        return _Packed(file, BZ2File(Buffer(file, CHUNK)))
    if start == XZ:
        return _Packed(file, LZMAFile(Buffer(file, CHUNK)))
    return _Stream(file)


def _member(stream: _Stream, head: tarfile.TarInfo, block: bytes, about: dict[bytes, bytes]) -> Iterator[Member]:
    size = int(about.get(b"size", head.size))
    if size < 0:
        raise ValueError("a negative size")
    if head.type == tarfile.GNUTYPE_SPARSE:
        more = block[482]  # whether another block of its map follows
        while more:
            more = stream.exactly(_BLOCK)[504]
    left = size if head.isreg() or head.type not in tarfile.SUPPORTED_TYPES else 0  # links and the like have no data
    padding = -left % _BLOCK

    def data() -> Iterator[bytes]:
        nonlocal left
        while left:
            chunk = stream.read(min(left, CHUNK))
            if not chunk:
                raise EOFError(_EARLY_END)
            left -= len(chunk)
            yield chunk

    if not head.isdir():
        name, reason = judge(about[b"path"].decode("utf-8", "surrogateescape") if b"path" in about else head.name)
        reason = _odd(head, b"sparse" in about) or reason or (TOO_LARGE if size > LARGEST_PICTURE else "")
        yield Member(name, reason, data(), size)
    stream.skip(left + padding)


def _odd(head: tarfile.TarInfo, sparse: bool) -> str:
    """Why a member is no plain file, or ""."""
    if head.type in _LINKS:
        return LINK
    if sparse or head.type == tarfile.GNUTYPE_SPARSE:
        return SPARSE
    return "" if head.isreg() else NOT_REGULAR


def _content(stream: _Stream, size: int) -> bytes:
    """What a header before a member holds."""
    if not 0 <= size <= LARGEST_HEADER:
        raise ArchiveError(
            f"expected headers of at most {LARGEST_HEADER >> 10} KiB, received one of {size:,} bytes; pack it again"
        )
    return stream.exactly(size + -size % _BLOCK)[:size]


def _records(data: bytes) -> dict[bytes, bytes]:
    """The records of a PAX header (POSIX.1-2001, pax, Extended Header) that matter: path, size, and whether sparse."""
    found = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.index(b" ", at, at + 9)
        end = at + int(data[at:space])
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space or data[end - 1 : end] != b"\n" or not equals:
            raise ValueError("a damaged PAX header")
        at = end
        if key.startswith((b"GNU.sparse.", b"SCHILY.realsize")):
            found[b"sparse"] = b""
        if key in (b"path", b"GNU.sparse.name"):
            found[b"path"] = value
        elif key == b"size":
            found[b"size"] = value
    return found
