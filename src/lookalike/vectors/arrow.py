"""Parquet, and Arrow's own files and streams (Feather): a column of lists of one length, and one of names.

Lists may be of fixed size, or of any size and all alike. Only this file and `arrow_write.py` import pyarrow here.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lookalike.errors import MissingExtraError, VectorFileError
from lookalike.vectors import names as naming
from lookalike.vectors.arrow_messages import require_sane_messages
from lookalike.vectors.facts import PATH
from lookalike.vectors.layout import lie, which
from lookalike.vectors.limits import MOST_NAME, require_sane, rows_at_most
from lookalike.vectors.numbers import EXPECTED, Dtype, Numbers
from lookalike.vectors.source import Source
from lookalike.vectors.vector_file import Chunk, Part

_NAMES = (PATH, "filename", "filenames", "name", "names", "word", "id", "key", "url")
_MARK = b"ARROW1"
"""Of a file, at its start and its end."""

_END = b"\xff\xff\xff\xff\0\0\0\0"
"""Of a stream, which could else end after any batch."""

_PAGE = 1 << 20  # bytes of a column that are read at once


def pyarrow_() -> Any:
    """The package; MissingExtraError where it is not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Parquet and Arrow need an extra: pip install 'lookalike[parquet]'") from error
    return pyarrow


def open_parquet(source: Source, key: str | None = None, names: str | None = None) -> Part:
    """The vectors of a Parquet file: `key` is the column that holds them, `names` the one that holds their names.

    Raises:
        VectorFileError: damaged, or without a column of lists of real numbers, all of one length and none missing.
        MissingExtraError: pyarrow is not installed.
    """
    with _parquet(source, []) as file:
        key, names = _columns(source.path, file.schema_arrow, key, names)
        count = file.metadata.num_rows
        values = sum(_values(file.metadata.row_group(i), key) for i in range(file.metadata.num_row_groups))
        kind = file.schema_arrow.field(key).type
    if not count or values % count:
        raise _ragged(f"{source.path}: {key}", f"{values:,} numbers in {count:,} rows")
    dim = values // count
    read = partial(_read_parquet, source, key, names, dim)
    return _part(source, "parquet", key, names, kind, (count, dim), read)


def open_arrow(source: Source, key: str | None = None, names: str | None = None) -> Part:
    """The vectors of an Arrow file (Feather) or stream: `key` and `names` as of `open_parquet`.

    Raises:
        VectorFileError: as of `open_parquet`.
        MissingExtraError: pyarrow is not installed.
    """
    count, dim = 0, 0
    with _batches(source) as (schema, batches):
        key, names = _columns(source.path, schema, key, names)
        kind = schema.field(key).type
        for batch in batches:
            if batch.num_rows and not count:
                dim = _matrix(batch.slice(0, 1).column(key), f"{source.path}: {key}", 0, None).shape[1]
            count += batch.num_rows
    read = partial(_read_arrow, source, key, names, dim)
    return _part(source, "arrow", key, names, kind, (count, dim), read)


@dataclass(frozen=True)
class NamesFile:
    """The column `path` of a Parquet file, beside vectors of another."""

    source: Source
    count: int

    def read(self) -> Iterator[str]:
        with _parquet(self.source, [PATH]) as file:
            for batch in file.iter_batches(
                batch_size=rows_at_most(MOST_NAME, 1 << 14), columns=[PATH], use_threads=False
            ):
                yield from _texts(batch.column(PATH), f"{self.source.path}: {PATH}", 0)


def open_names(source: Source) -> NamesFile | None:
    """The names in a Parquet file; None where it has no column of them."""
    with _parquet(source, []) as file:
        schema = file.schema_arrow
        if PATH not in schema.names or not _is_text(schema.field(PATH).type):
            return None
        return NamesFile(source, file.metadata.num_rows)


@contextmanager
def _decoding(path: str, what: str) -> Iterator[None]:
    pyarrow = pyarrow_()
    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = str(error).partition("\n")[0]
        raise VectorFileError(f"{path}: expected {what}, received {reason!r:.300}; fetch or write it again") from error


@contextmanager
def _parquet(source: Source, texts: list[str]) -> Iterator[Any]:
    """The file; columns among `texts` keep their dictionary, in which a long text that comes often is kept once."""
    pyarrow = pyarrow_()
    with (
        source.open() as stream,
        _decoding(source.path, "a whole Parquet file"),
        pyarrow.parquet.ParquetFile(
            stream, read_dictionary=texts, buffer_size=_PAGE, pre_buffer=False, memory_map=False
        ) as file,
    ):
        yield file


@contextmanager
def _batches(source: Source) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema of an Arrow file or stream, and its record batches, which are mapped where they are not compressed."""
    pyarrow = pyarrow_()
    with source.open() as stream, _decoding(source.path, "a whole Arrow file"):
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        is_file = mapped[:6] == _MARK
        if not mapped[-8:].endswith(_MARK if is_file else _END):
            raise VectorFileError(
                f"{source.path}: expected a whole Arrow file, received one without its end; fetch it again"
            )
        messages = pyarrow.py_buffer(mapped).slice(8 if is_file else 0)  # a file holds a stream
        require_sane_messages(pyarrow.ipc.MessageReader.open_stream(pyarrow.BufferReader(messages)), source.path)
        options = pyarrow.ipc.IpcReadOptions(use_threads=False)  # with chosen fields, all of them would be copied
        reader = pyarrow.ipc.open_stream(pyarrow.BufferReader(messages), options=options)
        yield reader.schema, reader


def _columns(path: str, schema: Any, key: str | None, names: str | None) -> tuple[str, str | None]:
    """The columns of the vectors and of their names."""
    if len(set(schema.names)) < len(schema.names):
        raise VectorFileError(
            f"{path}: expected columns of different names, received {', '.join(schema.names):.500}; rename them"
        )
    types = {field.name: field.type for field in schema}
    if key is None:
        key = which(path, types, [name for name, kind in types.items() if _item(kind) is not None])
    texts = [name for name, kind in types.items() if _is_text(kind)]
    if names is None:
        names = next((usual for usual in _NAMES if usual in texts), None)
        if names is None and len(texts) > 1:
            raise VectorFileError(
                f"{path}: expected one column of texts, the names, received {', '.join(texts):.500}; say which it is"
            )
        names = names or next(iter(texts), None)
    for column in (key, names):
        if column is not None and column not in types:
            raise VectorFileError(
                f"{path}: expected a column called {column!r:.80}, received {', '.join(types):.500}; give another"
            )
    item = _item(types[key])
    if item is None or not (pyarrow_().types.is_floating(item) or pyarrow_().types.is_integer(item)):
        raise VectorFileError(
            f"{path}: {key}: expected lists of {EXPECTED}, received {types[key]!s:.80}; convert them to float32"
        )
    if names is not None and names not in texts:
        raise VectorFileError(
            f"{path}: expected {names!r:.80} to hold texts, the names, received {types[names]!s:.80}; give another"
        )
    return key, names


def _is_text(kind: Any) -> bool:
    types = pyarrow_().types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _item(kind: Any) -> Any:
    """The type of a list's items; None where it is no list."""
    pyarrow = pyarrow_()
    if isinstance(kind, pyarrow.BaseExtensionType):
        kind = kind.storage_type
    lists = pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind)
    return kind.value_type if lists else None


def _values(group: Any, key: str) -> int:
    """How many numbers there are in a column of lists, as the file's own table says."""
    columns = [group.column(i) for i in range(group.num_columns)]
    return sum(each.num_values for each in columns if each.path_in_schema.startswith(f"{key}."))


def _part(
    source: Source,
    format_: Any,
    key: str,
    names: str | None,
    kind: Any,
    shape: tuple[int, int],
    read: Callable[[int], Iterator[Chunk]],
) -> Part:
    place = f"{source.path}: {key}"
    dtype: Dtype = np.dtype(_item(kind).to_pandas_dtype())
    lies = lie(place, shape, None, "rows")
    require_sane(place, source.size, lies.count * lies.dim * dtype.itemsize)
    return Part(source.path, format_, lies.count, lies.dim, dtype, names is not None, None, read)


def _read_parquet(source: Source, key: str, names: str | None, dim: int, rows: int) -> Iterator[Chunk]:
    columns = [key] if names is None else [key, names]
    with _parquet(source, columns[1:]) as file:
        start = 0
        for batch in file.iter_batches(batch_size=rows_at_most(dim * 8, rows), columns=columns, use_threads=False):
            yield _chunk(batch, source.path, key, names, dim, start)
            start += batch.num_rows


def _read_arrow(source: Source, key: str, names: str | None, dim: int, rows: int) -> Iterator[Chunk]:
    with _batches(source) as (_, batches):
        at = 0
        for whole in batches:
            step = rows_at_most(dim * 8, rows)
            for start in range(0, whole.num_rows, step):
                batch = whole.slice(start, step)
                yield _chunk(batch, source.path, key, names, dim, at)
                at += batch.num_rows


def _chunk(batch: Any, path: str, key: str, names: str | None, dim: int, start: int) -> Chunk:
    vectors = _matrix(batch.column(key), f"{path}: {key}", start, dim)
    return Chunk(None if names is None else _texts(batch.column(names), f"{path}: {names}", start), vectors)


def _matrix(column: Any, place: str, start: int, dim: int | None) -> Numbers:
    """Lists as rows of a matrix; `start` is the number of the first."""
    pyarrow = pyarrow_()
    if isinstance(column, pyarrow.ExtensionArray):
        column = column.storage
    column.validate(full=True)  # what lies in an Arrow file is taken as it is, and may lead out of it
    _require_all(column, place, start)
    fixed = pyarrow.types.is_fixed_size_list(column.type)
    lengths = np.full(len(column), column.type.list_size) if fixed else column.value_lengths().to_numpy()
    if dim is None:
        dim = int(lengths[0])
    if (other := lengths != dim).any():
        row = int(np.argmax(other))
        raise _ragged(place, f"one of {lengths[row]:,} after {dim:,} in row {start + row:,} (from 0)")
    values = column.flatten()
    _require_all(values, place, start, dim)
    return np.array(values.to_numpy(zero_copy_only=False)).reshape(
        len(column), dim
    )  # a copy, for the file may be mapped


def _texts(column: Any, place: str, start: int) -> list[str]:
    pyarrow = pyarrow_()
    _require_all(column, place, start)
    if not pyarrow.types.is_dictionary(column.type):
        return _short(column, place)
    known, which_ = _short(column.dictionary, place), column.indices.to_numpy()
    if len(which_) and not 0 <= which_.min() <= which_.max() < len(known):
        raise VectorFileError(f"{place}: expected names of its dictionary, received others; fetch or write it again")
    return [known[at] for at in which_]


def _short(column: Any, place: str) -> list[str]:
    """Texts, none of which is long; these are bytes first, for nobody may have looked whether they are UTF-8."""
    pyarrow = pyarrow_()
    large = pyarrow.types.is_large_string(column.type) or pyarrow.types.is_large_binary(column.type)
    texts = column.cast(pyarrow.large_binary() if large else pyarrow.binary())
    texts.validate(full=True)
    longest = (
        np.diff(np.frombuffer(texts.buffers()[1], np.int64 if large else np.int32)).max(initial=0) if len(texts) else 0
    )
    if longest > MOST_NAME:
        raise VectorFileError(f"{place}: expected {naming.EXPECTED}, received one of {longest:,} bytes; shorten it")
    return [naming.decode(name) for name in texts.to_pylist()]


def _require_all(column: Any, place: str, start: int, each: int = 1) -> None:
    if column.null_count:
        row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))) // max(each, 1)
        raise VectorFileError(
            f"{place}: expected a value in each row, received null in row {row:,} (from 0); leave that row out"
        )


def _ragged(place: str, received: str) -> VectorFileError:
    return VectorFileError(f"{place}: expected lists of one length, received {received}; leave the others out")
