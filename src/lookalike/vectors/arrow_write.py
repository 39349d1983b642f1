"""Names and facts in a Parquet file: names in the column `path`, texts where all are UTF-8, else bytes.

A fact's column has the type of its values: string, bool, list<string>, int64 where all are integers, float64 where
some are not. Values of several kinds, or integers that a float would round beside floats, become their JSON.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from lookalike.vectors import names as naming
from lookalike.vectors.arrow import pyarrow_
from lookalike.vectors.draft import writing
from lookalike.vectors.facts import PATH, Facts, Kind, kind_of

_LINE = 1 << 8  # rows
_GROUP = 1 << 14  # rows that are written at once, at most
_GROUP_BYTES, _GROUP_CELLS = 32 << 20, 1 << 22

Take = Callable[[Sequence[str], Sequence[Facts]], None]
Kinds = dict[str, set[Kind]]  # of each fact's values


@contextmanager
def table_writer(path: str, beside: str) -> Iterator[Take]:
    """What takes names, and the facts of each, for the file at `path`, which is written to `beside` at the end.

    They wait in a file, as lines of JSON, for all of them decide the types of the columns.

    Raises:
        WriteError: the system cannot write.
        MissingExtraError: pyarrow is not installed.
    """
    pyarrow_()
    kinds: Kinds = {}
    texts = True
    with writing(path):
        waiting = tempfile.TemporaryFile(dir=os.path.dirname(beside))  # noqa: SIM115
    with waiting:

        def take(names: Sequence[str], facts: Sequence[Facts]) -> None:
            nonlocal texts
            texts = texts and all(map(_is_utf8, names))
            for each in facts:
                for name, value in each.items():
                    if kind := kind_of(value):
                        kinds.setdefault(name, set()).add(kind)
            rows = list(zip(names, facts, strict=True))
            with writing(path):
                for start in range(0, len(rows), _LINE):
                    waiting.write(json.dumps(rows[start : start + _LINE]).encode() + b"\n")

        yield take
        with writing(path):
            waiting.seek(0)
            _write(beside, waiting, texts, kinds)


def _write(beside: str, waiting: IO[bytes], texts: bool, kinds: Kinds) -> None:
    pyarrow = pyarrow_()
    types = {name: _type(some) for name, some in kinds.items()}
    names = pyarrow.field(PATH, pyarrow.string() if texts else pyarrow.binary(), nullable=False)
    schema = pyarrow.schema([names, *((name, kind or pyarrow.string()) for name, kind in types.items())])
    with open(beside, "xb") as stream, pyarrow.parquet.ParquetWriter(stream, schema) as writer:
        for rows in _groups(waiting, min(_GROUP, 1 + _GROUP_CELLS // len(schema))):
            columns = [[name if texts else naming.encode(name) for name, _ in rows]]
            columns += [_values([facts.get(name) for _, facts in rows], types[name] is None) for name in types]
            arrays = [pyarrow.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
            writer.write_table(pyarrow.table(arrays, schema=schema))


def _groups(waiting: IO[bytes], most: int) -> Iterator[list[tuple[str, Facts]]]:
    rows: list[tuple[str, Facts]] = []
    size = 0
    for line in waiting:
        rows += json.loads(line)
        size += len(line)
        if len(rows) >= most or size >= _GROUP_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _type(kinds: set[Kind]) -> Any:
    """Of a column; None where its values are to become JSON."""
    pyarrow = pyarrow_()
    if kinds <= {"integer", "large"}:
        return pyarrow.int64()
    if kinds <= {"integer", "real"}:
        return pyarrow.float64()
    alike = {"text": pyarrow.string(), "boolean": pyarrow.bool_(), "list": pyarrow.list_(pyarrow.string())}
    return alike.get(next(iter(kinds))) if len(kinds) == 1 else None


def _values(column: list[Any], as_json: bool) -> list[Any]:
    if not as_json:
        return column
    return [None if value is None else json.dumps(value, ensure_ascii=False) for value in column]


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
