"""A condition on facts, as `parse` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Constant = str | int | float | bool
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "in"]


@dataclass(frozen=True)
class Field:
    """A fact by its name, and the character of the text where it stands, from 0."""

    name: str
    at: int


@dataclass(frozen=True)
class Comparison:
    """False where the fact is missing, or of another kind than the constant.

    Attributes:
        constants: one; for `in` as many as there are.
        at: where the first of them stands.
    """

    field: Field
    operator: Operator
    constants: tuple[Constant, ...]
    at: int


@dataclass(frozen=True)
class IsMissing:
    """Whether the picture has no such fact."""

    field: Field


@dataclass(frozen=True)
class Not:
    part: Condition


@dataclass(frozen=True)
class Both:
    """All of two or more: `and`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One of two or more: `or`."""

    parts: tuple[Condition, ...]


Condition = Comparison | IsMissing | Not | Both | Either


def comparisons(condition: Condition) -> Iterator[Comparison | IsMissing]:
    """All that it is made of, from left to right."""
    match condition:
        case Comparison() | IsMissing():
            yield condition
        case Not(part):
            yield from comparisons(part)
        case Both(parts) | Either(parts):
            for part in parts:
                yield from comparisons(part)
