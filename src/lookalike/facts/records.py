"""JSON: an array of objects, or an object on each line (NDJSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lookalike.errors import ArgumentError
from lookalike.facts.text import is_utf8, read_text, require_utf8


def read_records(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object, by its line or by its place in the array."""
    text = read_text(file)
    if not is_utf8(text):
        for number, line in enumerate(text.split("\n"), 1):
            require_utf8(f"{file}, line {number}", line)
    if text.lstrip().startswith("["):
        for number, record in enumerate(_load(text, file), 1):
            yield _object(file, f"object {number}", record)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _object(file, f"line {number}", _load(line, f"{file}, line {number}"))


class _Twice:
    """What an object is that has a name twice."""

    def __init__(self, name: str) -> None:
        self.name = name


def _load(text: str, place: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{place}: expected JSON, received {error}") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Twice:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            return _Twice(name)
        found[name] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant}, which JSON has not; null stands for what is missing")


def _object(file: str, place: str, record: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(record, _Twice):
        raise ArgumentError(f"{file}, {place}: expected each name once, received {record.name!r:.80} again")
    if not isinstance(record, dict):
        raise ArgumentError(f"{file}, {place}: expected an object, received {record!r:.80}")
    return place, record
