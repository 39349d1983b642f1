"""CSV: RFC 4180, with a comma, a semicolon or a tab between the columns."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from lookalike.errors import ArgumentError
from lookalike.facts.fact import PATH, Value
from lookalike.facts.text import is_utf8, read_text, require_utf8

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)  # as in JSON: 007 is a text
_DIGITS = 50
_BOOLEANS = {"true": True, "false": False}


def read_delimited(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line after the first, which names the columns.

    A column whose cells are all numbers holds numbers, one of true and false booleans, any other texts.
    """
    lines = StringIO(read_text(file), newline="")
    header = lines.readline()
    require_utf8(f"{file}, line 1", header)
    delimiter = next((mark for mark in ",;\t" if PATH in _columns(header, mark)), ",")
    columns = _columns(header, delimiter)
    if PATH not in columns or len(set(columns)) < len(columns):
        raise ArgumentError(
            f"{file}, line 1: expected the names of the columns, each once and one of them {PATH!r}, received "
            f"{', '.join(columns) or 'nothing'}"
        )
    rows = list(_rows(file, csv.reader(lines, delimiter=delimiter, strict=True), len(columns)))
    _require_utf8(file, rows, columns.index(PATH))
    values = [
        cells if name == PATH else _typed(cells)
        for name, cells in zip(columns, zip(*(cells for _, cells in rows), strict=True), strict=bool(rows))
    ]
    for (line, _), row in zip(rows, zip(*values, strict=True), strict=True):
        yield f"line {line}", dict(zip(columns, row, strict=True))


def _columns(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _rows(file: str, reader: Any, columns: int) -> Iterator[tuple[int, list[str]]]:
    try:
        for cells in reader:
            line = reader.line_num + 1  # the header was read before
            if len(cells) == columns:
                yield line, cells
            elif cells:
                raise ArgumentError(f"{file}, line {line}: expected {columns} cells, received {len(cells)}")
    except csv.Error as error:
        raise ArgumentError(f"{file}, line {reader.line_num + 1}: expected CSV, received {error}") from error


def _require_utf8(file: str, rows: Sequence[tuple[int, list[str]]], path: int) -> None:
    """ArgumentError where the facts are in another encoding, or where none of the paths that are no UTF-8 is there."""
    for line, cells in rows:
        require_utf8(f"{file}, line {line}", "".join(cells[:path] + cells[path + 1 :]))
    folder = os.path.dirname(os.path.abspath(file))
    names = [(line, cells[path]) for line, cells in rows if not is_utf8(cells[path])]
    if names and not any(os.path.lexists(os.path.join(folder, name)) for _, name in names if "\0" not in name):
        require_utf8(f"{file}, line {names[0][0]}", names[0][1])


def _typed(cells: Sequence[str]) -> list[Value | None]:
    there = [cell for cell in cells if cell]
    if all(map(_is_number, there)):
        return [json.loads(cell) if cell else None for cell in cells]
    if all(cell.lower() in _BOOLEANS for cell in there):
        return [_BOOLEANS.get(cell.lower()) for cell in cells]
    return [cell or None for cell in cells]


def _is_number(cell: str) -> bool:
    """Whether it is one that can be kept: a long row of digits, as of a bar code, is a text."""
    if len(cell) >= _DIGITS or not _NUMBER.fullmatch(cell):
        return False
    number = json.loads(cell)
    return -(2**63) <= number < 2**63 if isinstance(number, int) else math.isfinite(number)
