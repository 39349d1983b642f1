"""What SQL finds is what a plain reading of the condition finds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.metadata import Known, Metadata
from lookalike.errors import ArgumentError
from lookalike.facts.condition import Both, Comparison, Condition, Either, Field, IsMissing, Not
from lookalike.facts.fact import kind_of, to_json

NAMES = ["year", "camera", "width", "ext", "a", "b c", "größe", "taken", "taken_from"]
WORDS = ["", "a", "A", "ab", "jpg", "1", "ß", "SS", "é", "\U0001f600", "'", '"', "%", "x\ny", "true"]
TEXTS = st.sampled_from([*WORDS, "2024-01-05", "name"])
NUMBERS = st.sampled_from([0, 1, -1, 2, 640, 2024, 0.1, 1.5, -0.5, 1e300, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 5.1])
CONSTANTS = TEXTS | NUMBERS | st.booleans()
VALUES = TEXTS.filter(bool) | NUMBERS | st.booleans() | st.lists(TEXTS.filter(bool), min_size=1, max_size=3)
GIVEN = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
FILLED = TEXTS.filter(bool)
EXIF = st.fixed_dictionaries({}, optional={"year": st.sampled_from([0, 1, 2]), "camera": FILLED, "taken": FILLED})

FIELDS = st.sampled_from(NAMES).map(lambda name: Field(name, 0))
COMPARISONS = (
    st.builds(lambda f, o, c: Comparison(f, o, (c,), 0), FIELDS, st.sampled_from(["=", "!="]), CONSTANTS)
    | st.builds(
        lambda f, o, c: Comparison(f, o, (c,), 0), FIELDS, st.sampled_from(["<", "<=", ">", ">="]), TEXTS | NUMBERS
    )
    | st.builds(lambda f, c: Comparison(f, "contains", (c,), 0), FIELDS, TEXTS)
    | st.builds(lambda f, c: Comparison(f, "in", tuple(c), 0), FIELDS, st.lists(CONSTANTS, min_size=1, max_size=4))
    | st.builds(IsMissing, FIELDS)
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARISONS,
    lambda part: (
        st.builds(Not, part)
        | st.lists(part, min_size=2, max_size=4).map(tuple).map(Both)
        | st.lists(part, min_size=2, max_size=4).map(tuple).map(Either)
    ),
    max_leaves=8,
)


def fulfils(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """What docs/metadata.md says."""
    match condition:
        case Both(parts):
            return all(fulfils(part, facts) for part in parts)
        case Either(parts):
            return any(fulfils(part, facts) for part in parts)
        case Not(part):
            return not fulfils(part, facts)
        case IsMissing(field):
            return field.name not in facts
    value = facts.get(condition.field.name)
    if value is None:
        return False
    if condition.operator == "!=":
        return not compares(value, "=", condition.constants[0])
    operator = "=" if condition.operator == "in" else condition.operator
    return any(compares(value, operator, constant) for constant in condition.constants)


def compares(value: Any, operator: str, constant: Any) -> bool:
    if isinstance(value, list):
        return any(compares(one, operator, constant) for one in value)
    if kind_of(value) != kind_of(constant):
        return False
    match operator:
        case "=":
            return bool(value == constant)
        case "<":
            return bool(value < constant)
        case "<=":
            return bool(value <= constant)
        case ">":
            return bool(value > constant)
        case ">=":
            return bool(value >= constant)
    return constant.casefold() in value.casefold()


def text_of(condition: Condition) -> str:
    """A condition as a user writes it."""
    match condition:
        case Both(parts):
            return "(" + " and ".join(map(text_of, parts)) + ")"
        case Either(parts):
            return "(" + " or ".join(map(text_of, parts)) + ")"
        case Not(part):
            return f"not {text_of(part)}"
        case IsMissing(field):
            return f'"{field.name}" is missing'
    constants = ", ".join(map(constant_of, condition.constants))
    return f'"{condition.field.name}" {condition.operator} ' + (
        f"({constants})" if condition.operator == "in" else constants
    )


def constant_of(constant: object) -> str:
    if isinstance(constant, bool):
        return str(constant).lower()
    return "'" + constant.replace("'", "''") + "'" if isinstance(constant, str) else repr(constant)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Six items of different sizes and endings, and one that failed."""
    path = str(tmp_path_factory.mktemp("matching") / "catalogue.sqlite")
    Catalogue.create(path, model="m", model_hash="h", dim=2, metric="cosine")
    items = [
        Item(0, b"f/%d%s" % (i, end), i, i * 10**9, bytes([i]) * 32, 640 * i, 480, "indexed", None)
        for i, end in enumerate([b".jpg", b".JPG", b"", b".a", b" 2024-01-05.png", b".\xff"])
    ]
    failed = Item(0, b"bad.jpg", 1, 1, None, None, None, "failed", "no picture")
    with closing(Catalogue(path)) as opened:
        with opened.writing():
            opened.add([*items, failed], [*[np.ones(2, np.float32)] * 6, None])
        yield opened


@contextmanager
def undone(catalogue: Catalogue) -> Iterator[Metadata]:
    """A transaction that leaves nothing behind."""
    catalogue.metadata._intact.clear()
    with catalogue._database.reading():
        yield catalogue.metadata


def found(metadata: Metadata, condition: Condition) -> list[int]:
    """As `Metadata.matching`, without its refusal of what can find nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lookalike.collection.catalogue.metadata.check", lambda *_: None)
        return list(metadata.matching(text_of(condition), 0).tolist())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONDITIONS, st.lists(EXIF, max_size=6), st.lists(GIVEN, min_size=3, max_size=7))
def test_sql_finds_what_the_condition_says(
    catalogue: Catalogue, condition: Condition, exif: list[Any], facts: list[Any]
) -> None:
    with undone(catalogue) as metadata:
        metadata.add({i + 1: Known(exif=to_json(each)) for i, each in enumerate(exif)})
        metadata.give({i + 1: each for i, each in enumerate(facts)})
        known = {item.id: catalogue.facts(item) for item in catalogue.items() if item.state == "indexed"}
        expected = [item_id for item_id, each in known.items() if fulfils(condition, each)]
        assert found(metadata, condition) == expected


@pytest.mark.parametrize("word", ["or", "and"])
def test_a_condition_as_long_as_may_be(catalogue: Catalogue, word: str) -> None:
    where = f" {word} ".join(["width>9"] * (10_000 // (9 + len(word))))
    assert catalogue.metadata.matching(where, 0).tolist() == [2, 3, 4, 5, 6]
    where = f"width in ({','.join('1' * 4900)})"
    assert catalogue.metadata.matching(where, 0).tolist() == []
    where = "(" * 49 + "width>9 or size>1" + ") and width>9" * 49
    assert catalogue.metadata.matching(where, 0).tolist() == [2, 3, 4, 5, 6]


def test_no_name_and_no_text_is_ever_sql(catalogue: Catalogue) -> None:
    for evil in ("'; DROP TABLE items; --", "$.x", "a') OR 1=1 --", "%", "[0]", "x.y", "f0", "id"):
        quoted = evil.replace('"', '""')
        with pytest.raises(ArgumentError, match="known here"):
            catalogue.metadata.matching(f'"{quoted}" = 1', 0)
        assert catalogue.metadata.matching("ext = '{}'".format(evil.replace("'", "''")), 0).tolist() == []
    with undone(catalogue) as metadata:
        metadata.give({1: {"$.x": 1, "x.y": 2, "[0]": 3, "a') OR 1=1 --": 4, "x": 5}})
        for name, value in {"$.x": 1, "x.y": 2, "[0]": 3, "a') OR 1=1 --": 4, "x": 5}.items():
            assert metadata.matching(f'"{name}" = {value}', 0).tolist() == [1]
    assert len(catalogue.items()) == 7
