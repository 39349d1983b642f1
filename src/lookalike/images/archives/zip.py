"""Zip archives, their members stored or deflated."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from struct import error as StructError  # noqa: N812
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lookalike.images.archives.contents import LINK, NOT_REGULAR, TOO_LARGE, Damaged, Member
from lookalike.images.archives.file import Buffer, File
from lookalike.images.archives.limits import CHUNK, LARGEST_PICTURE, unpacks_sanely
from lookalike.images.archives.names import judge

ENCRYPTED = "encrypted"
OTHERWISE = "packed by another method than deflate; pack it again"
BOMB = "it unpacks to more than 100 times its size, as no picture does"

DAMAGE = (BadZipFile, zlib.error, StructError, EOFError, ValueError, OverflowError, NotImplementedError, RuntimeError)
"""What is raised of a damaged one, beside OSError."""

_ENCRYPTED, _PATCH, _UTF8 = 1 << 0 | 1 << 6, 1 << 5, 1 << 11  # of a member's flags (APPNOTE.TXT, section 4.4.4)
_HEADER = 30  # bytes before a member's name
_ODD = {0: "", stat.S_IFREG: "", stat.S_IFLNK: LINK}  # by the kind of a member's file
_UNIX = (3, 19)  # systems that give a member the mode of its file; 19 is macOS


def members(file: File) -> Iterator[Member]:
    """Its members, in the order of its directory.

    Raises:
        DAMAGE: the directory is damaged or hostile. A damaged member raises Damaged when its data are asked for.
    """
    file.seek(0)
    with ZipFile(Buffer(file)) as archive:
        _require_apart(archive.infolist())
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system in _UNIX else 0
            if not info.filename.endswith("/") and kind != stat.S_IFDIR:
                name, reason = judge(_name(info))
                reason = _ODD.get(kind, NOT_REGULAR) or reason or _locked(info)
                yield Member(name, reason, _data(file, archive, info), info.file_size)


def _require_apart(infos: list[ZipInfo]) -> None:
    """Members that share their bytes unpack to more than the file could (Fifield, A better zip bomb, WOOT 2019)."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise BadZipFile("members that overlap")
        end = info.header_offset + _HEADER + len(info.orig_filename) + info.compress_size


def _name(info: ZipInfo) -> str:
    if "\0" in info.orig_filename:
        return info.orig_filename  # `filename` ends before it
    if info.flag_bits & _UTF8 or info.filename != info.orig_filename:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()  # macOS and Info-ZIP write UTF-8 without saying so
    except UnicodeError:
        return info.filename


def _locked(info: ZipInfo) -> str:
    """Why a picture cannot be taken out, or ""."""
    if info.flag_bits & _ENCRYPTED:
        return ENCRYPTED
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & _PATCH:
        return OTHERWISE
    if info.file_size > LARGEST_PICTURE:
        return TOO_LARGE
    return "" if unpacks_sanely(info.compress_size, info.file_size) else BOMB


def _data(file: File, archive: ZipFile, info: ZipInfo) -> Iterator[bytes]:
    left = info.file_size
    try:
        with archive.open(info) as stream:
            while chunk := stream.read(CHUNK):
                left -= len(chunk)
                yield chunk
    except (*DAMAGE, OSError) as error:
        if file.trouble:
            raise
        raise Damaged(f"damaged ({error or 'it ends early'})") from error
    if left:
        raise Damaged(f"damaged (it unpacks to {left:,} bytes less than it should)")
