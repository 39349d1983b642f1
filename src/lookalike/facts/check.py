"""Whether a condition can find anything: a mistyped name, or a text for a number, must not find nothing in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from difflib import get_close_matches

from lookalike.facts.condition import Comparison, Condition, Constant, Field, comparisons
from lookalike.facts.fact import Kind, kind_of
from lookalike.facts.tokens import wrong

_LISTED = 40  # names
_EXPECTED: Mapping[Kind, str] = {
    "text": "a text in quotes",
    "list": "a text in quotes",
    "number": "a number without quotes",
    "boolean": "true or false",
}


def check(text: str, condition: Condition, fields: Mapping[str, Set[Kind]]) -> None:
    """Raise ArgumentError where a name is not among `fields`, or none of the kinds it has can fulfil a comparison."""
    for part in comparisons(condition):
        if part.field.name not in fields:
            _unknown(text, part.field, fields)
        if isinstance(part, Comparison):
            for constant in part.constants:
                _check_kind(text, part, constant, fields[part.field.name])


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was most likely meant, as it is written in a condition: in another case, or much alike."""
    folded = {each.casefold(): each for each in names}
    near = get_close_matches(name.casefold(), folded, 1)
    if not near:
        return None
    meant = folded[near[0]]
    return meant if meant.isidentifier() else f'"{meant}"'


def _unknown(text: str, field: Field, fields: Mapping[str, Set[Kind]]) -> None:
    near = nearest(field.name, fields)
    names = sorted(fields)
    rest = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    meant = f"; did you mean {near}?" if near else ""
    wrong(text, field.at, f"one of the facts known here ({', '.join(names[:_LISTED])}{rest})", meant)


def _check_kind(text: str, part: Comparison, constant: Constant, kinds: Set[Kind]) -> None:
    kind = kind_of(constant)
    if kind in kinds or (kind == "text" and "list" in kinds):
        return
    expected = " or ".join(sorted({_EXPECTED[held] for held in kinds}))
    wrong(text, part.at, f"{expected}, as {part.field.name} holds no other,")
