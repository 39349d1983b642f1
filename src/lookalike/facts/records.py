"""JSON: an array of objects, or an object on each line (NDJSON)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lookalike.errors import ArgumentError


def read_records(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object, by its line or by its place in the array."""
    with open(file, "rb") as lines:
        start = lines.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
        lines.seek(0)
        if start.startswith(b"["):
            for number, record in enumerate(_load(lines.read(), f"{file}"), 1):
                yield _object(file, f"object {number}", record)
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _object(file, f"line {number}", _load(line, f"{file}, line {number}"))


def _load(data: bytes, place: str) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{place}: expected JSON, received {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant}, which JSON has not; null stands for what is missing")


def _object(file: str, place: str, record: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(record, dict):
        raise ArgumentError(f"{file}, {place}: expected an object, received {record!r:.80}")
    return place, record
