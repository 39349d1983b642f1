"""The words of a condition: names, numbers, texts and signs, each with where it stands."""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple, NoReturn

from lookalike.errors import ArgumentError

MOST_CHARACTERS = 10_000

_DIGITS = 50
_AROUND = 30  # characters shown before and after a mistake
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[^\W\d]\w*) |
        (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])) |
        '(?P<single>(?:[^']|'')*)' |
        "(?P<double>(?:[^"]|"")*)" |
        (?P<sign>!=|<=|>=|[=<>(),]) |
        (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """One word.

    Attributes:
        kind: `double` is in double quotes, which a name may be and a text.
        text: without its quotes; a word in lower case where it is one of the language.
        at: its first character, from 0.
    """

    kind: Literal["name", "number", "single", "double", "sign", "word", "end"]
    text: str
    at: int


WORDS = ("and", "or", "not", "in", "contains", "is", "missing", "true", "false")


def tokens(text: str) -> list[Token]:
    """All words of a condition, and an `end`. ArgumentError for what is none, or more than `MOST_CHARACTERS`."""
    if len(text) > MOST_CHARACTERS:
        raise ArgumentError(f"expected a condition of at most {MOST_CHARACTERS:,} characters, received {len(text):,}")
    found: list[Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None:
            wrong(text, at + len(text[at:]) - len(text[at:].lstrip()), "a name, a number, a text in quotes or a sign")
        found.append(_token(match))
        at = match.end()
    return found


def number(text: str, token: Token) -> int | float:
    """What a number stands for; ArgumentError where 64 bits do not hold it."""
    whole = token.text.lstrip("+-").isdigit()
    if whole and len(token.text) < _DIGITS and -(2**63) <= (value := int(token.text)) < 2**63:
        return value
    if whole or math.isinf(float(token.text)):
        wrong(text, token.at, "a number of 64 bits")
    return float(token.text)


def wrong(text: str, at: int, expected: str, hint: str = "") -> NoReturn:
    """Raise ArgumentError about the character at a place."""
    before, after = text[max(0, at - _AROUND) : at], text[at : at + _AROUND]
    shown = f"{'…' if at > _AROUND else ''}{before}▸{after}{'…' if at + _AROUND < len(text) else ''}"
    received = f"{after.split()[0]!r:.40} at character {at + 1}" if after.strip() else "its end"
    raise ArgumentError(f"expected {expected} in the condition, received {received}: {shown}{hint}")


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup
    text, at = match[kind or 0], match.start(kind or 0)
    match kind:
        case "single":
            return Token("single", text.replace("''", "'"), at - 1)
        case "double":
            return Token("double", text.replace('""', '"'), at - 1)
        case "name" if text.lower() in WORDS:
            return Token("word", text.lower(), at)
        case "name" | "number" | "sign" | "end":
            return Token(kind, text, at)
    raise AssertionError(kind)
