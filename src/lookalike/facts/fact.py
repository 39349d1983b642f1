"""One fact: a name and a value, and what may be one."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time
from typing import Any, Literal

from lookalike.errors import ArgumentError

Value = str | int | float | bool | list[str]
Facts = dict[str, Value]

Kind = Literal["text", "number", "boolean", "list"]

PATH = "path"
"""The name of no fact that is given: it says which picture the others are of."""

MOST_BYTES = 1 << 16
"""Of the facts of one picture, as JSON."""

_NAME, _TEXT = 100, 4096  # characters
_INT = 2**63  # SQLite's integers


def kind_of(value: Value) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "number"


def as_facts(given: Mapping[str, Any]) -> dict[str, Value | None]:
    """Facts as they are kept; what is missing (None, NaN, an empty text or list) is None.

    Dates and times become ISO 8601 text, NumPy's scalars and arrays what they hold.

    Raises:
        ArgumentError: a name or a value that is none, or more than `MOST_BYTES`.
    """
    facts = {_name(name): _value(name, value) for name, value in given.items()}
    if (size := len(to_json(facts))) > MOST_BYTES:
        raise ArgumentError(f"expected at most {MOST_BYTES >> 10} KiB of facts for a picture, received {size >> 10}")
    return facts


def to_json(facts: Mapping[str, object]) -> str:
    """Compact, and not in ASCII: older SQLite compares names as they are written."""
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def _name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or name == PATH:
        raise ArgumentError(f"expected the name of a fact, a text other than {PATH!r}, received {name!r:.80}")
    if len(name) > _NAME or not name.isprintable() or '"' in name or "\\" in name or name != name.strip():
        raise ArgumentError(
            f"expected the name of a fact, at most {_NAME} printable characters without a quotation mark or "
            f"backslash or a space at either end, received {name!r:.120}"
        )
    return name


def _value(name: str, value: Any) -> Value | None:
    if hasattr(value, "tolist"):  # NumPy's
        value = value.tolist()
    if isinstance(value, date | time):
        value = value.isoformat()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, int) and -_INT <= value < _INT:
        return value
    if isinstance(value, float) and not math.isinf(value):
        return None if math.isnan(value) else value
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(one, str) for one in value):
        texts = [_text(name, one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
        return [text for text in texts if text] or None
    raise ArgumentError(
        f"expected a text, a number of 64 bits, true, false, a date or a list of texts as the fact {name!r}, "
        f"received {value!r:.80}"
    )


def _text(name: str, text: str) -> str | None:
    if len(text) > _TEXT or "\0" in text:
        what = "a NUL" if "\0" in text else f"{len(text):,} characters"
        raise ArgumentError(
            f"expected a text of at most {_TEXT:,} characters without NUL as the fact {name!r}, received {what}"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentError(f"expected a text in UTF-8 as the fact {name!r}, received {text!r:.80}") from None
    return text or None
