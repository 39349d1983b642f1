"""The grammar of conditions.

    condition   = both ("or" both)*
    both        = part ("and" part)*
    part        = "not" part | "(" condition ")" | comparison
    comparison  = field ("=" | "!=" | "<" | "<=" | ">" | ">=") constant
                | field "contains" text
                | field "in" "(" constant ("," constant)* ")"
                | field "is" ["not"] "missing"
    field       = a name, as year, or any name in double quotes
    constant    = number | text | "true" | "false"
    text        = in single or double quotes, in which two of them stand for one

Words are read in any case; names are not.
"""

from __future__ import annotations

from typing import NoReturn, cast

from lookalike.errors import ArgumentError
from lookalike.facts.condition import Both, Comparison, Condition, Constant, Either, Field, IsMissing, Not, Operator
from lookalike.facts.tokens import Token, number, tokens, wrong

MOST_DEPTH = 50
"""Of brackets and `not` in each other."""

_SIGNS = ("=", "!=", "<", "<=", ">", ">=")


def parse(text: str) -> Condition:
    """A condition from its text.

        >>> parse("year >= 2020 and camera contains 'canon'")  # doctest: +SKIP

    Raises:
        ArgumentError: it is none, is too long or nested too deep; the sentence shows where.
    """
    if not isinstance(text, str) or "\0" in text:
        raise ArgumentError(f"expected a condition as a text, received {text!r:.80}")
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        condition = self._condition()
        if self._token.kind != "end":
            self._wrong('"and", "or" or the end')
        return condition

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _condition(self) -> Condition:
        parts = [self._both()]
        while self._taken("word", "or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._part()]
        while self._taken("word", "and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _part(self) -> Condition:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._wrong(f'at most {MOST_DEPTH} brackets and "not" in each other')
        condition: Condition
        if self._taken("word", "not"):
            condition = Not(self._part())
        elif self._taken("sign", "("):
            condition = self._condition()
            self._take("sign", ")")
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        field = self._field()
        if self._taken("word", "is"):
            negated = self._taken("word", "not")
            self._take("word", "missing")
            return Not(IsMissing(field)) if negated else IsMissing(field)
        if self._taken("word", "in"):
            self._take("sign", "(")
            at = self._token.at
            constants = [self._constant()]
            while self._taken("sign", ","):
                constants.append(self._constant())
            self._take("sign", ")")
            return Comparison(field, "in", tuple(constants), at)
        if self._taken("word", "contains"):
            if self._token.kind not in ("single", "double"):
                self._wrong("a text in quotes")
            at = self._token.at
            return Comparison(field, "contains", (self._constant(),), at)
        return self._compared(field)

    def _compared(self, field: Field) -> Comparison:
        sign = self._token.text
        if self._token.kind != "sign" or sign not in _SIGNS:
            self._wrong(f'one of {" ".join(_SIGNS)}, "contains", "in" or "is missing"')
        self._next += 1
        at = self._token.at
        constant = self._constant()
        if isinstance(constant, bool) and sign not in ("=", "!="):
            wrong(self._text, at, "a number or a text")
        return Comparison(field, cast("Operator", sign), (constant,), at)

    def _field(self) -> Field:
        token = self._token
        if token.kind not in ("name", "double"):
            self._wrong("the name of a fact", '; a name that is not a plain word stands in "double quotes"')
        self._next += 1
        return Field(token.text, token.at)

    def _constant(self) -> Constant:
        token = self._token
        constant: Constant
        if token.kind == "number":
            constant = number(self._text, token)
        elif token.kind in ("single", "double"):
            constant = token.text
        elif token.kind == "word" and token.text in ("true", "false"):
            constant = token.text == "true"
        else:
            self._wrong("a number, a text in quotes, true or false")
        self._next += 1
        return constant

    def _taken(self, kind: str, text: str) -> bool:
        """Whether the next word is this one, which is passed then."""
        found = (self._token.kind, self._token.text) == (kind, text)
        self._next += found
        return found

    def _take(self, kind: str, text: str) -> None:
        if not self._taken(kind, text):
            self._wrong(f'"{text}"')

    def _wrong(self, expected: str, hint: str = "") -> NoReturn:
        wrong(self._text, self._token.at, expected, hint)
