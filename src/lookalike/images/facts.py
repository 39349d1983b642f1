"""What a picture says beside its pixels: the names and limits of these facts, and their way out of a child."""

from __future__ import annotations

import json
from collections.abc import Mapping

Fact = str | int | float

FACTS: Mapping[str, type[Fact]] = {
    "taken": str,  # 2024-05-17T09:30:00, by the camera's clock
    "year": int,
    "month": int,
    "day": int,
    "camera": str,
    "lens": str,
    "latitude": float,  # in degrees; south and west are negative
    "longitude": float,
    "media": str,  # raw: the preview in a camera's file; video: a frame; else it is missing
    "pages": int,  # of a file of several pictures, of which the first is looked at, or the primary one
    "damaged": bool,  # what is missing of a JPEG, or makes no sense, was filled up in decoding it
}
"""The names of the facts that EXIF, a file and decoding it may give, each with its type."""

FACTS_BYTES = 2048
"""No picture's facts take more as JSON."""

_TEXT = 100  # characters
_NUMBER = 9999


def one_line(text: str) -> str:
    """Text as one line of printable characters, a hundred at most."""
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * _TEXT]).split()
    return " ".join(words)[:_TEXT].strip()


def pack(facts: Mapping[str, Fact]) -> bytes:
    """Facts as at most `FACTS_BYTES` of JSON."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(data: bytes) -> dict[str, Fact]:
    """What `pack` wrote; ValueError for anything else, as a hostile picture may speak through its decoder."""
    try:
        facts = json.loads(data)
    except RecursionError as error:
        raise ValueError("expected facts, received what nests too deep") from error
    if not (isinstance(facts, dict) and all(_is_fact(name, value) for name, value in facts.items())):
        raise ValueError(f"expected facts by the names {', '.join(FACTS)}, received {data!r:.80}")
    return facts


def _is_fact(name: str, value: object) -> bool:
    if type(value) is not FACTS.get(name):
        return False
    if isinstance(value, str):
        return value == one_line(value) != ""
    return isinstance(value, int | float) and -_NUMBER <= value <= _NUMBER  # which NaN is not
