"""Facts of vectors, which may lie beside them in columns: texts, numbers, booleans, lists of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

PATH = "path"
"""The column of names that ours have, and files of facts: no fact is called so."""

Facts = Mapping[str, Any]
"""By name; None is missing."""

Kind = Literal["text", "integer", "large", "real", "boolean", "list"]

EXPECTED = "facts by name: texts, numbers of 64 bits, booleans, lists of texts"

_EXACT = 1 << 53  # integers that a float holds


def kind_of(value: Any) -> Kind | None:
    """What a value is, an integer "large" where a float would round it; None where it can be none of a fact."""
    match value:
        case bool():
            return "boolean"
        case str():
            return "text" if _is_text(value) else None
        case int() if -(1 << 63) <= value < 1 << 63:
            return "integer" if abs(value) <= _EXACT else "large"
        case float():
            return "real"
        case list() if all(isinstance(text, str) and _is_text(text) for text in value):
            return "list"
    return None


def what_is_wrong(facts: Facts) -> str | None:
    """Why these can be none: the end of a sentence that says what was received."""
    for name, value in facts.items():
        if not (isinstance(name, str) and name and _is_text(name)) or name == PATH:
            return f"one called {name!r:.80}"
        if value is not None and kind_of(value) is None:
            return f"{value!r:.80} as {name!r:.80}"
    return None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
