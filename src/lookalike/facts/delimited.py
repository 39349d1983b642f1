"""CSV: RFC 4180, with a comma, a semicolon or a tab between the columns, in UTF-8."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lookalike.errors import ArgumentError
from lookalike.facts.fact import PATH, Value

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)  # as in JSON: 007 is a text
_DIGITS = 50
_BOOLEANS = {"true": True, "false": False}


def read_delimited(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line after the first, which names the columns.

    A column whose cells are all numbers holds numbers, one of true and false booleans, any other texts.
    """
    with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        header = lines.readline()
        delimiter = next((mark for mark in ",;\t" if PATH in _columns(header, mark)), ",")
        columns = _columns(header, delimiter)
        if PATH not in columns or len(set(columns)) < len(columns):
            raise ArgumentError(
                f"{file}, line 1: expected the names of the columns, each once and one of them {PATH!r}, received "
                f"{', '.join(columns) or 'nothing'}"
            )
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        rows = list(_rows(file, reader, len(columns)))
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


def _typed(cells: Sequence[str]) -> list[Value | None]:
    there = [cell for cell in cells if cell]
    if all(map(_is_number, there)):
        return [json.loads(cell) if cell else None for cell in cells]
    if all(cell.lower() in _BOOLEANS for cell in there):
        return [_BOOLEANS.get(cell.lower()) for cell in cells]
    return [cell or None for cell in cells]


def _is_number(cell: str) -> bool:
    """Whether it is one that can be kept: a long row of digits, as of a bar code, is a text."""
    return len(cell) < _DIGITS and bool(_NUMBER.fullmatch(cell)) and abs(json.loads(cell)) < 2**63
