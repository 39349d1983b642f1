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
from lookalike.models.words import Meaning
from lookalike.names import is_possible, visible


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
                "left_out": hits.left_out,
                "facts": facts.get(hit.id, {}),
                **({"words": [_meaning(each) for each in hits.words]} if hits.words else {}),
            }
            print_json(fields)
        else:
            score = "" if hit.score is None else f"{hit.score:.2f}  "
            print_line(f"{hit.distance:.4f}  {score}{visible(short(hit.path))}")
    flush()


def _meaning(meaning: Meaning) -> dict[str, Any]:
    """What a word was taken for, and how far it is to be trusted."""
    names = ("text", "name", "gloss", "measured", "unsure", "narrow")
    return {name: getattr(meaning, name) for name in names}


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


def with_bytes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as any parser of JSON takes them: names that are not UTF-8 as they are shown, with their very bytes.

    The bytes are in base64, of `path` in `path_base64`, of a list in a list. Calling it twice changes nothing.
    """
    told: dict[str, Any] = {}
    for name, value in fields.items():
        told[visible(name)] = _strict(value)
        texts = value if isinstance(value, list | tuple) else [value]
        if not all(map(_is_utf8, texts)) and all(isinstance(text, str) and is_possible(text) for text in texts):
            very = [b64encode(os.fsencode(text)).decode("ascii") for text in texts]
            told[f"{visible(name)}_base64"] = very if texts is value else very[0]
    return told


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return with_bytes(value)
    if isinstance(value, list | tuple):
        return [_strict(each) for each in value]
    return value if _is_utf8(value) else visible(value)


def _is_utf8(value: Any) -> bool:
    """Whether it is no text with lone surrogates, by which Python keeps bytes that are not UTF-8."""
    try:
        return not isinstance(value, str) or value.encode() is not None
    except UnicodeEncodeError:
        return False


def print_json(value: Mapping[str, Any]) -> None:
    """One line of JSON, in ASCII, without lone surrogates (see `with_bytes`); times are in ISO 8601."""
    print_line(json.dumps(with_bytes(value), default=datetime.isoformat))


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
