"""A file that holds facts of pictures: one row each, which its column `path` names."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from lookalike.errors import ArgumentError
from lookalike.facts.fact import PATH, Value, as_facts
from lookalike.names import is_possible

Record = tuple[str, Mapping[str, Any]]  # where it stands, such as "line 7", and what it holds


class Row(NamedTuple):
    """What a file says of one picture.

    Attributes:
        path: absolute; or the name of a vector, as it is written there.
        facts: None takes a fact away.
    """

    path: str
    facts: dict[str, Value | None]


def read_sidecar(file: str) -> list[Row]:
    """All rows of a CSV, JSON, NDJSON or Parquet file, as its name says (.csv .tsv .json .ndjson .jsonl .parquet).

    Raises:
        ArgumentError: it cannot be read, is of another kind, has no column `path` or no row, or one that is none or
            names a picture again; the sentence says which line.
        MissingExtraError: Parquet needs pyarrow, which is not installed.
    """
    folder = os.path.dirname(os.path.abspath(file))
    return _read(file, lambda path: os.path.normpath(os.path.join(folder, path)))


def read_names(file: str) -> list[Row]:
    """As `read_sidecar`, with names of vectors in place of paths: as they are written."""
    return _read(file, str)


def _read(file: str, called: Callable[[str], str]) -> list[Row]:
    read = _reader(file)
    rows: dict[str, Row] = {}
    try:
        for place, record in read(file):
            row = _row(f"{file}, {place}", record, called)
            if row.path in rows:
                raise ArgumentError(f"{file}, {place}: expected each picture once, received {record[PATH]} again")
            rows[row.path] = row
    except OSError as error:
        raise ArgumentError(f"expected a file of facts at {file}, received {error.strerror or error}") from error
    if not rows:
        raise ArgumentError(f"expected facts of pictures in {file}, received no row of any; write one for each picture")
    return list(rows.values())


def _reader(file: str) -> Callable[[str], Iterator[Record]]:
    from lookalike.facts.delimited import read_delimited
    from lookalike.facts.parquet import read_parquet
    from lookalike.facts.records import read_records

    readers = {
        ".csv": read_delimited,
        ".tsv": read_delimited,
        ".json": read_records,
        ".ndjson": read_records,
        ".jsonl": read_records,
        ".parquet": read_parquet,
    }
    ending = os.path.splitext(file)[1].lower()
    if ending not in readers:
        raise ArgumentError(f"expected a file of facts with one of the endings {' '.join(readers)}, received {file}")
    return readers[ending]


def _row(place: str, record: Mapping[str, Any], called: Callable[[str], str]) -> Row:
    path = record.get(PATH)
    if isinstance(path, bytes):  # as names are in Parquet that are not all UTF-8
        path = os.fsdecode(path)
    if not isinstance(path, str) or not path or not is_possible(path):
        raise ArgumentError(f"{place}: expected the path of a picture in the column {PATH!r}, received {path!r:.80}")
    try:
        facts = as_facts({name: value for name, value in record.items() if name != PATH})
    except ArgumentError as error:
        raise ArgumentError(f"{place}: {error}") from error
    return Row(called(path), facts)
