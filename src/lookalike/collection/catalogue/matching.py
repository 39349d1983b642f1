"""A condition as SQL: what the user wrote, names too, goes there as parameters alone.

Numbers, texts and booleans never equal each other, and only a kind's own order counts. SQLite sorts numbers
before texts before blobs, so that one bound keeps a comparison within its kind, and booleans are blobs here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, NamedTuple

from lookalike.collection.catalogue.file_facts import EXIF, FILE_FACTS, GIVEN, TAKEN_FROM
from lookalike.facts import Kind
from lookalike.facts.condition import Both, Comparison, Condition, Constant, Either, IsMissing, Not, comparisons
from lookalike.images.facts import FACTS as EXIF_FACTS

Sql = tuple[str, tuple[object, ...]]  # a text, and the values of its parameters

EXIF_KINDS: Mapping[str, Kind] = {
    name: "text" if kind is str else "boolean" if kind is bool else "number" for name, kind in EXIF_FACTS.items()
}

_TRUE, _FALSE = b"\1", b"\0"


def _fold(text: object) -> str | None:
    return text.casefold() if isinstance(text, str) else None


FUNCTIONS: Mapping[str, Callable[[Any], str | int | None]] = {
    "fold": _fold,
    **{f"file_{name}": fact.make for name, fact in FILE_FACTS.items()},
}
"""What the SQL calls."""


def kinds_of(given: Mapping[str, Set[Kind]]) -> dict[str, set[Kind]]:
    """All facts there may be, by name, where these were given."""
    kinds: dict[str, set[Kind]] = {name: {fact.kind} for name, fact in FILE_FACTS.items()}
    kinds |= {name: {kind} for name, kind in EXIF_KINDS.items()}
    for name, more in given.items():
        kinds[name] = kinds.get(name, set()) | more
    return kinds


def needs_metadata(condition: Condition, given: Mapping[str, Set[Kind]]) -> bool:
    """Whether a condition is on more than the items themselves."""
    of_files = FILE_FACTS.keys() - EXIF_KINDS.keys() - given.keys() - {TAKEN_FROM}
    return any(part.field.name not in of_files for part in comparisons(condition))


def matching(condition: Condition, given: Mapping[str, Set[Kind]]) -> Sql:
    """The query for the ids of the indexed items that fulfil a condition on facts that `kinds_of` knows."""
    columns: dict[str, _Columns] = {}
    where, values = _condition(condition, columns, given)
    also = "LEFT JOIN metadata AS m ON m.id = i.id" if needs_metadata(condition, given) else ""
    defined = [sql for each in columns.values() for sql in each.definitions]
    statement = (
        f"WITH facts AS (SELECT i.id AS id, {', '.join(text for text, _ in defined)} FROM items AS i "  # noqa: S608
        f"{also} WHERE i.state = 'indexed') "
        f"SELECT id FROM facts WHERE {where} ORDER BY id"
    )
    return statement, (*(value for _, values in defined for value in values), *values)


class _Columns(NamedTuple):
    """Where the query has a fact: a column for one value, and where it may be a list, one for that, as JSON."""

    value: str
    list: str | None
    definitions: tuple[Sql, ...]


def _columns(name: str, number: int, kinds: Set[Kind]) -> _Columns:
    """The columns of a fact that was given in some `kinds`, or in none."""
    value, many, path = f"f{number}", f"l{number}", f'$."{name}"'
    fallback = _fallback(name, path)
    if not kinds:
        return _Columns(value, None, ((f"{fallback[0]} AS {value}", fallback[1]),))
    one: Sql = (f"coalesce(json_extract(m.given, ?), {fallback[0]})", (path, *fallback[1]))
    if not kinds <= {"text", "number"}:
        cases = "WHEN 'true' THEN x'01' WHEN 'false' THEN x'00' WHEN 'array' THEN NULL"
        one = (f"CASE json_type(m.given, ?) {cases} ELSE {one[0]} END", (path, *one[1]))
    defined: list[Sql] = [(f"{one[0]} AS {value}", one[1])]
    if "list" in kinds:
        array = f"CASE json_type(m.given, ?) WHEN 'array' THEN json_extract(m.given, ?) END AS {many}"
        defined.append((array, (path, path)))
    return _Columns(value, many if "list" in kinds else None, tuple(defined))


def _fallback(name: str, path: str) -> Sql:
    """A fact where it was not given: from EXIF, else of the file."""
    of_file = f"file_{name}(i.{FILE_FACTS[name].column})" if name in FILE_FACTS else "NULL"
    if name == TAKEN_FROM:
        cases = f"WHEN json_type(m.given, '$.taken') IS NOT NULL THEN '{GIVEN}' "
        cases += f"WHEN json_type(m.exif, '$.taken') IS NOT NULL THEN '{EXIF}'"
        return f"CASE {cases} ELSE {of_file} END", ()
    if name not in EXIF_KINDS:
        return of_file, ()
    if EXIF_KINDS[name] == "boolean":
        return "CASE json_type(m.exif, ?) WHEN 'true' THEN x'01' WHEN 'false' THEN x'00' END", (path,)
    return f"coalesce(json_extract(m.exif, ?), {of_file})", (path,)


def _condition(condition: Condition, columns: dict[str, _Columns], given: Mapping[str, Set[Kind]]) -> Sql:
    """A condition as an expression that is 0 or 1, never NULL; the columns that it needs are added."""
    match condition:
        case Both(parts):
            return _joined("AND", [_condition(part, columns, given) for part in parts])
        case Either(parts):
            return _joined("OR", [_condition(part, columns, given) for part in parts])
        case Not(part):
            text, values = _condition(part, columns, given)
            return f"(NOT {text})", values
    name = condition.field.name
    if name not in columns:
        columns[name] = _columns(name, len(columns), given.get(name, set()))
    column = columns[name]
    missing = " AND ".join(f"{each} IS NULL" for each in (column.value, column.list) if each)
    if isinstance(condition, IsMissing):
        return f"({missing})", ()
    return _comparison(condition, column, missing)


def _comparison(condition: Comparison, column: _Columns, missing: str) -> Sql:
    if condition.operator == "!=":
        text, values = _any(column, "=", condition.constants[0])
        return f"(NOT ({missing}) AND NOT {text})", values
    operator = "=" if condition.operator == "in" else condition.operator
    return _joined("OR", [_any(column, operator, constant) for constant in condition.constants])


def _any(column: _Columns, operator: str, constant: Constant) -> Sql:
    """Whether the value, or one of the texts in the list, compares so."""
    text, values = _compared(column.value, operator, constant)
    whole = f"({text} IS TRUE)"
    if column.list and isinstance(constant, str):
        one, more = _compared("one.value", operator, constant)
        whole = f"({whole} OR EXISTS (SELECT 1 FROM json_each({column.list}) AS one WHERE {one}))"  # noqa: S608
        values += more
    return whole, values


def _compared(value: str, operator: str, constant: Constant) -> Sql:
    """One value compared with a constant of its kind; NULL where it is missing."""
    if operator == "contains":
        return f"(instr(fold({value}), ?) > 0)", (_fold(constant),)
    if isinstance(constant, bool):
        return f"({value} {operator} ?)", (_TRUE if constant else _FALSE,)
    # SQLite is to read a fraction as it reads those of the facts
    mark, parameter = ("json_extract(?, '$')", repr(constant)) if isinstance(constant, float) else ("?", constant)
    bound = ""
    if isinstance(constant, str) and operator in ("<", "<="):
        bound = f" AND {value} >= ''"
    elif operator in (">", ">="):
        bound = f" AND {value} < x''" if isinstance(constant, str) else f" AND {value} < ''"
    return f"({value} {operator} {mark}{bound})", (parameter,)


def _joined(word: str, parts: Sequence[Sql]) -> Sql:
    """Parts joined as a balanced tree: SQLite bounds the depth of an expression."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    (left, before), (right, after) = _joined(word, parts[:half]), _joined(word, parts[half:])
    return f"({left} {word} {right})", (*before, *after)
