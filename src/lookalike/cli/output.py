"""Data on stdout: lines for people, NDJSON for programs."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from lookalike.collection import Hits
from lookalike.errors import WriteError
from lookalike.facts import Facts
from lookalike.names import visible


def print_hits(hits: Hits, *, json: bool, facts: Mapping[int, Facts]) -> None:
    """One line for each picture, nearest first: its distance, its score if it is known; in JSON with its `facts`."""
    for rank, hit in enumerate(hits, 1):
        if json:
            fields = {
                "rank": rank,
                "distance": hit.distance,
                "score": hit.score,
                "match": hits.match,
                "id": hit.id,
                "path": hit.path,
                "recall": hits.recall,
                "facts": facts.get(hit.id, {}),
            }
            print_json(with_bytes(fields))
        else:
            score = "" if hit.score is None else f"{hit.score:.2f}  "
            print_line(f"{hit.distance:.4f}  {score}{visible(short(hit.path))}")
    flush()


def print_line(text: str) -> None:
    """One line; every other function here comes to this one."""
    with _written():
        sys.stdout.write(f"{text}\n")


def flush() -> None:
    """Let what was printed be seen now."""
    with _written():
        sys.stdout.flush()


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write what was found: {error.strerror}; print it elsewhere") from error


def short(path: str) -> str:
    """A path as one would type it here; whole where the working folder is gone."""
    try:
        here = os.getcwd()
    except FileNotFoundError:
        return path
    return os.path.relpath(path, here) if path.startswith(here.rstrip("/") + "/") else path


def with_bytes(fields: dict[str, Any]) -> dict[str, Any]:
    """Adds `path_base64`, the very bytes, where the name in `path` is not UTF-8 (there by surrogateescape)."""
    try:
        fields["path"].encode()
    except UnicodeEncodeError:
        fields["path_base64"] = b64encode(os.fsencode(fields["path"])).decode("ascii")
    return fields


def print_json(value: dict[str, Any]) -> None:
    """One line of JSON, in ASCII: names that are not UTF-8 keep their surrogates, escaped; times are in ISO 8601."""
    print_line(json.dumps(value, default=datetime.isoformat))


def counted(count: int, one: str, many: str = "") -> str:
    """A number with the word for what it counts; the word for several ends in s if it is not given."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def size(count: float) -> str:
    """Bytes as a person says them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
