""".npz: a zip archive of .npy arrays, plain or deflated; read as a stream, never unpacked to disk, never unpickled.

The vectors are `feats`, or another usual name, or the only matrix; `filenames` or `names`, an array of texts, are
their names.
"""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, BinaryIO, cast

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.vectors import names as naming
from lookalike.vectors.layout import NAMES, Layout, lie, which
from lookalike.vectors.limits import BLOCK, MOST_NAME, require_sane, rows_at_most
from lookalike.vectors.npy import Header, along, number_dtype, read_header
from lookalike.vectors.numbers import Numbers
from lookalike.vectors.source import Source, read_array
from lookalike.vectors.vector_file import Chunk, Part

_MOST_MEMBERS = 1000


@dataclass(frozen=True)
class _Array:
    """A member of the archive."""

    key: str
    member: str
    header: Header


def open_npz(source: Source, layout: Layout | None = None, key: str | None = None, names: str | None = None) -> Part:
    """The vectors of a .npz file: `key` is the array that holds them, `names` the one that holds their names.

    Raises:
        VectorFileError: damaged, encrypted, a bomb, pickled, or without a matrix of real numbers.
    """
    with _archive(source) as archive:
        arrays = {each.key: each for each in _arrays(archive, source.path)}
        only_key = key is not None and names is None
        if key is None:
            key = which(source.path, arrays, [each.key for each in arrays.values() if _is_matrix(each.header)])
        vectors = _pick(source.path, arrays, key)
        if names is None:
            names = next((usual for usual in NAMES if usual in arrays and usual != key), None)
        texts = None if names is None else _pick(source.path, arrays, names)
        place = f"{source.path}: {key}"
        dtype = number_dtype(place, vectors.header.dtype)
        if texts is not None:
            _require_texts(f"{source.path}: {texts.key}", texts.header)
            _require_whole(archive, texts, f"{source.path}: {texts.key}")
        _require_whole(archive, vectors, place)
    if only_key and texts is not None and texts.header.shape[0] not in vectors.header.shape:
        texts = None  # they name others, such as `train` where `test` is read
    lies = lie(place, vectors.header.shape, None if texts is None else texts.header.shape[0], layout, key)
    across = vectors.header.fortran != lies.columns
    if across and vectors.header.size > BLOCK:
        raise VectorFileError(
            f"{place}: expected vectors one after the other in so large an archive, received them across it; "
            "write the array as a .npy file, or as C-contiguous rows"
        )
    read = partial(_read, source, vectors, texts, (lies.count, lies.dim), across)
    return Part(source.path, "npz", lies.count, lies.dim, dtype, texts is not None, None, read)


@contextmanager
def _archive(source: Source) -> Iterator[zipfile.ZipFile]:
    with source.open() as stream, _unzipping(source.path), zipfile.ZipFile(stream) as archive:
        yield archive


@contextmanager
def _unzipping(path: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # of a place before the start of the file
            raise
        raise VectorFileError(
            f"{path}: expected a whole .npz archive, received {str(error) or 'an early end'!r:.200}; fetch it again"
        ) from error


def _arrays(archive: zipfile.ZipFile, path: str) -> Iterator[_Array]:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or len({each.filename for each in members}) < len(members):
        raise VectorFileError(
            f"{path}: expected at most {_MOST_MEMBERS:,} arrays of different names, received {len(members):,} members; "
            "write it again with numpy.savez"
        )
    for each in members:
        if each.flag_bits & 1 or each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise VectorFileError(
                f"{path}: expected arrays stored or deflated, received {each.filename!r:.80}, which is encrypted or "
                "packed in another way; write it again with numpy.savez"
            )
        if each.filename.endswith(".npy"):
            with archive.open(each) as stream:
                key = each.filename.removesuffix(".npy")
                yield _Array(key, each.filename, read_header(cast(BinaryIO, stream), f"{path}: {key!r:.80}"))


def _is_matrix(header: Header) -> bool:
    return len(header.shape) == 2 and header.dtype.kind in "fiu"


def _pick(path: str, arrays: dict[str, _Array], key: str) -> _Array:
    if key not in arrays:
        there = ", ".join(sorted(arrays)) or "nothing"
        raise VectorFileError(f"{path}: expected an array called {key!r:.80}, received {there:.500}; give another key")
    return arrays[key]


def _require_whole(archive: zipfile.ZipFile, array: _Array, place: str) -> None:
    member = archive.getinfo(array.member)
    if array.header.start + array.header.size != member.file_size:
        raise VectorFileError(
            f"{place}: expected {array.header.size:,} bytes of numbers, as its header says, received "
            f"{member.file_size - array.header.start:,}; fetch or write it again"
        )
    require_sane(place, member.compress_size, member.file_size)


def _require_texts(place: str, header: Header) -> None:
    if header.dtype.hasobject:
        number_dtype(place, header.dtype)  # which says that it is pickled
    size = header.dtype.itemsize // (4 if header.dtype.kind == "U" else 1)
    if header.dtype.kind not in "SU" or len(header.shape) != 1 or not 0 < size <= MOST_NAME:
        raise VectorFileError(
            f"{place}: expected names as an array of texts of at most {MOST_NAME:,} characters, received "
            f"{header.dtype!s:.80} of the shape {header.shape}; write them as numpy.array(names)"
        )


def _read(
    source: Source, vectors: _Array, texts: _Array | None, shape: tuple[int, int], across: bool, rows: int
) -> Iterator[Chunk]:
    with _archive(source) as archive, archive.open(vectors.member) as stream:
        item = vectors.header.dtype.itemsize
        width = texts.header.dtype.itemsize if texts else 0
        rows = rows_at_most(max(shape[1] * item, width), rows)
        names = _names(archive, texts, source.path) if texts else None
        stream.read(vectors.header.start)
        blocks = (
            _whole(stream, vectors.header, shape, source.path, rows)
            if across
            else along(cast(BinaryIO, stream), source.path, vectors.header, shape, rows)
        )
        for block in blocks:
            yield Chunk(None if names is None else names(len(block)), block)
        _require_sound(stream)


def _require_sound(stream: IO[bytes]) -> None:
    """Reads on to the end, where the checksum is."""
    while stream.read(1 << 16):
        pass


def _whole(stream: IO[bytes], header: Header, shape: tuple[int, int], path: str, rows: int) -> Iterator[Numbers]:
    count, dim = shape
    matrix = read_array(cast(BinaryIO, stream), (dim, count), header.dtype, path)
    for start in range(0, count, rows):
        yield np.ascontiguousarray(matrix[:, start : start + rows].T)


def _names(archive: zipfile.ZipFile, texts: _Array, path: str) -> Callable[[int], list[str]]:
    stream = cast(BinaryIO, archive.open(texts.member))
    stream.read(texts.header.start)

    def take(count: int) -> list[str]:
        block = read_array(stream, (count,), texts.header.dtype, path)
        try:
            return [naming.decode(name) if isinstance(name, bytes) else name for name in block.tolist()]
        except (ValueError, SystemError) as error:  # NumPy's, of numbers beyond Unicode
            raise VectorFileError(f"{path}: expected names in Unicode, received {error}; write them again") from error

    return take
