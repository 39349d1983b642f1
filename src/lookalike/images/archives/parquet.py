"""Parquet: a column of pictures by their bytes, or of structs {bytes, path} as Hugging Face's datasets have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow
from pyarrow import parquet, types

from lookalike.errors import ArchiveError
from lookalike.images.archives.contents import TOO_LARGE, Damaged, Member
from lookalike.images.archives.file import Buffer, File
from lookalike.images.archives.limits import CHUNK, LARGEST_PICTURE, require_sane
from lookalike.images.archives.names import plain

TAKEN = "other rows before it have its name and its number"
NULL = "null, without a picture"

DAMAGE = (pyarrow.ArrowException, ValueError, OverflowError)
"""What is raised of a damaged one, beside OSError."""

_USUAL = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "bytes")
_NAMES = ("path", "filename", "file_name", "name", "key", "__key__")
_NAMES_AT_ONCE = 1024


def members(file: File, column: str | None = None) -> Iterator[Member]:
    """Its rows. One without a name, or whose name came before or is of no file below a folder, is called by its number.

    Raises:
        ArchiveError, DAMAGE: it is damaged or hostile, or it is not clear which column holds pictures. A row that
            cannot be had raises Damaged when its data are asked for.
    """
    file.seek(0)
    with parquet.ParquetFile(
        Buffer(file),
        buffer_size=CHUNK,  # else a column of a row group would be read at once
        pre_buffer=False,
        memory_map=False,
        page_checksum_verification=True,
    ) as table:
        pictures, names = _leaves(table.schema_arrow, column)
        _require_sane(table.metadata, pictures.path, file.state[2])
        given = _texts(table, names)
        seen: set[str] = set()
        number = 0
        for group in range(table.num_row_groups):
            rows = _Rows(file, table, group, pictures)
            for index in range(table.metadata.row_group(group).num_rows):
                name, flaw = plain(next(given))
                if flaw or name in seen:
                    name = str(number)
                yield Member(name, TAKEN if name in seen else "", rows.chunks(index))
                seen.add(name)
                number += 1


class _Leaf(NamedTuple):
    """A column, or a field of its structs."""

    column: str
    field: str | None

    @property
    def path(self) -> str:
        return self.column if self.field is None else f"{self.column}.{self.field}"

    def batches(self, table: Any, rows: int, **which: Any) -> Iterator[Any]:
        for batch in table.iter_batches(batch_size=rows, columns=[self.path], use_threads=False, **which):
            column = batch.column(self.column)
            yield column if self.field is None else column.flatten()[column.type.get_field_index(self.field)]


class _Rows:
    """The pictures of a row group: a page of them is in memory at a time, and one row."""

    def __init__(self, file: File, table: Any, group: int, leaf: _Leaf) -> None:
        self._batches = leaf.batches(table, 1, row_groups=[group])
        self._file = file
        self._next = 0
        self._damage = ""

    def chunks(self, index: int) -> Iterator[bytes]:
        picture = self._picture(index)
        if picture is None:
            raise Damaged(NULL)
        data = memoryview(picture)
        if len(data) > LARGEST_PICTURE:
            raise Damaged(TOO_LARGE)
        for start in range(0, len(data), CHUNK):
            yield bytes(data[start : start + CHUNK])

    def _picture(self, index: int) -> Any:
        """A buffer, or None for null. Damage costs all rows that follow in the group."""
        if not self._damage:
            try:
                while True:
                    (picture,) = next(self._batches)
                    self._next += 1
                    if self._next > index:
                        return picture.as_buffer()
            except StopIteration:
                self._damage = "there are fewer rows than it says"
            except MemoryError:
                self._damage = "they need more memory than a reader of archives may have"
            except (*DAMAGE, OSError) as error:
                if self._file.trouble:
                    raise
                self._damage = str(error).partition("\n")[0]
        raise Damaged(f"in damaged rows ({self._damage})")


def _texts(table: Any, leaf: _Leaf | None) -> Iterator[str]:
    """The names that rows are given; "" for none."""
    while leaf is None:
        yield ""
    for column in leaf.batches(table, _NAMES_AT_ONCE):
        for text in column:
            name = text.as_buffer()
            yield "" if name is None else name.to_pybytes().decode("utf-8", "surrogateescape")
    raise ValueError("fewer names than rows")


def _leaves(schema: Any, column: str | None) -> tuple[_Leaf, _Leaf | None]:
    """The pictures, and their names where they have some."""
    kinds = {field.name: field.type for field in schema}
    if len(kinds) < len(schema):
        raise ArchiveError(f"expected columns of different names, received {', '.join(schema.names):.500}; rename them")
    leaves = {name: leaf for name, kind in kinds.items() if (leaf := _pictures(name, kind))}
    if column is None:
        column = next((usual for usual in _USUAL if usual in leaves), None)
        if column is None and len(leaves) == 1:
            (column,) = leaves
    pictures = leaves.get(column or "")
    if pictures is None:
        which = "one column" if column is None else f"a column {column!r:.80}"
        raise ArchiveError(
            f"expected {which} of pictures as bytes, or as structs of bytes and path, received the columns "
            f"{', '.join(kinds):.500}; say which it is"
        )
    if pictures.field and _is_text(_inner(kinds[pictures.column], "path")):
        return pictures, _Leaf(pictures.column, "path")
    names = (name for name in _NAMES if name != pictures.column and name in kinds and _is_text(kinds[name]))
    return pictures, next((_Leaf(name, None) for name in names), None)


def _pictures(name: str, kind: Any) -> _Leaf | None:
    if _is_bytes(kind):
        return _Leaf(name, None)
    return _Leaf(name, "bytes") if _is_bytes(_inner(kind, "bytes")) else None


def _inner(kind: Any, field: str) -> Any:
    """The type of a struct's field; that of nulls where there is none."""
    at = kind.get_field_index(field) if types.is_struct(kind) else -1
    return kind.field(at).type if at >= 0 else pyarrow.null()


def _is_bytes(kind: Any) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_text(kind: Any) -> bool:
    return bool(_is_bytes(kind) or types.is_string(kind) or types.is_large_string(kind))


def _require_sane(metadata: Any, path: str, size: int) -> None:
    """What the file says of a column, before any of it is read."""
    index = [metadata.schema.column(i).path for i in range(metadata.num_columns)].index(path)
    unpacked = 0
    for group in range(metadata.num_row_groups):
        column = metadata.row_group(group).column(index)
        start = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
        if not 0 <= start <= start + column.total_compressed_size <= size:
            raise ValueError("a column that lies outside of the file")
        unpacked += max(0, column.total_uncompressed_size)
    require_sane(size, unpacked)
