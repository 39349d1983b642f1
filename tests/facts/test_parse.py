"""What a condition is, and what is said of one that is none."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ArgumentError
from lookalike.facts import parse
from lookalike.facts.check import check
from lookalike.facts.condition import Both, Comparison, Condition, Either, Field, IsMissing, Not


def compared(name: str, operator: str, *constants: object, field: int, at: int) -> Comparison:
    return Comparison(Field(name, field), operator, constants, at)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", compared("a", "=", 1, field=0, at=2)),
        ("a >= -2.5e1", compared("a", ">=", -25.0, field=0, at=5)),
        ("größe<.5", compared("größe", "<", 0.5, field=0, at=6)),
        ("a != 'it''s'", compared("a", "!=", "it's", field=0, at=5)),
        ('a != "say ""so"""', compared("a", "!=", 'say "so"', field=0, at=5)),
        ("a = ''", compared("a", "=", "", field=0, at=4)),
        ('"focal length" = True', compared("focal length", "=", True, field=0, at=17)),
        ("\"in\" IN (1, 'b', false)", compared("in", "in", 1, "b", False, field=0, at=9)),
        ("a Contains 'x'", compared("a", "contains", "x", field=0, at=11)),
        ("a is missing", IsMissing(Field("a", 0))),
        ("a\n is  NOT\tmissing ", Not(IsMissing(Field("a", 0)))),
        ("a = 9223372036854775807", compared("a", "=", 2**63 - 1, field=0, at=4)),
        ("a = -9223372036854775808", compared("a", "=", -(2**63), field=0, at=4)),
        ("a = '; drop table items --'", compared("a", "=", "; drop table items --", field=0, at=4)),
    ],
)
def test_one_comparison(text: str, expected: Condition) -> None:
    assert parse(text) == expected


def shape(condition: Condition) -> str:
    """A condition with all its brackets."""
    match condition:
        case Both(parts):
            return f"({' & '.join(map(shape, parts))})"
        case Either(parts):
            return f"({' | '.join(map(shape, parts))})"
        case Not(part):
            return f"!{shape(part)}"
    return condition.field.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1 or b=1 and c=1", "(a | (b & c))"),
        ("a=1 and b=1 or c=1", "((a & b) | c)"),
        ("(a=1 or b=1) and c=1", "((a | b) & c)"),
        ("not a=1 and b=1", "(!a & b)"),
        ("not (a=1 and b=1)", "!(a & b)"),
        ("not not a=1", "!!a"),
        ("a=1 or b=1 or c=1 or d=1", "(a | b | c | d)"),
        ("((a=1))", "a"),
    ],
)
def test_not_binds_before_and_before_or(text: str, expected: str) -> None:
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected", "place"),
    [
        ("", "the name of a fact", "received its end: ▸"),
        ("year >", "a number, a text in quotes", "its end: year >▸"),
        ("year == 3", "a number, a text in quotes", "received '=' at character 7: year =▸= 3"),
        ("year 2020", 'one of = != < <= > >=, "contains"', "'2020' at character 6: year ▸2020"),
        ("camera = Canon", "a text in quotes", "'Canon' at character 10: camera = ▸Canon"),
        ("'year' = 3", "the name of a fact", "at character 1: ▸'year' = 3.*in \"double quotes\""),
        ("and = 3", "the name of a fact", "'and' at character 1"),
        ("a=1 xor b=1", '"and", "or" or the end', "'xor' at character 5: a=1 ▸xor b=1"),
        ("(a=1", '"\\)"', r"its end: \(a=1▸"),
        ("a=1)", '"and", "or" or the end', r"'\)' at character 4"),
        ("a in 1", '"\\("', "'1' at character 6"),
        ("a in ()", "a number, a text in quotes", r"'\)' at character 7"),
        ("a in (1,)", "a number, a text in quotes", r"'\)' at character 9"),
        ("a contains 3", "a text in quotes", "'3' at character 12"),
        ("a is 3", '"missing"', "'3' at character 6"),
        ("a < true", "a number or a text", "'true' at character 5"),
        ("a = 'x", "a text in quotes", '"\'x" at character 5'),
        ("a = 12abc", "a number", "'12abc' at character 5"),
        ("a = 1.2.3", "a number", "'1.2.3' at character 5"),
        ("a; b", "a sign", "';' at character 2"),
        ("a = 1e999", "a number of 64 bits", "'1e999' at character 5"),
        ("a = 9223372036854775808", "a number of 64 bits", "at character 5"),
        (f"a = {'9' * 5000}", "a number of 64 bits", "at character 5"),
        (f"{'(' * 60}a=1", "at most 50 brackets", "at character 51"),
        (f"{'not ' * 60}a=1", "at most 50 brackets", "at character 201"),
        ("a=1 or " * 2000, "at most 10,000 characters", "received 14,000"),
        ("a='\0'", "a condition as a text", "received"),
    ],
)
def test_what_is_wrong_and_where(text: str, expected: str, place: str) -> None:
    with pytest.raises(ArgumentError, match=f"(?s)expected.*{expected}.*{place}"):
        parse(text)


def test_a_long_condition_is_shown_in_part() -> None:
    with pytest.raises(ArgumentError) as caught:
        parse("a = 1 and " * 20 + "! and " + "b = 1 and " * 20)
    assert len(str(caught.value)) < 250
    assert "…" in str(caught.value).partition("▸! and b = 1 and")[0]


@given(st.text(max_size=60) | st.text("ab'\"=<>!()1.e- \nnotindr", max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    with suppress(ArgumentError):
        parse(text)


KNOWN = {
    "year": {"number"},
    "camera": {"text"},
    "labels": {"list"},
    "favourite": {"boolean"},
    "mark": {"number", "text"},
}


def checked(text: str) -> None:
    check(text, parse(text), KNOWN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["year = 1 and not camera < 'x'", "labels contains 'a'", "favourite = true", "mark = 1 or mark in (1, 'a')",
     "year is missing"],
)  # fmt: skip
def test_conditions_that_may_find_something(text: str) -> None:
    checked(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("year = 1 or yeer = 2", r"known here \(camera, favourite, labels, mark, year\).*'yeer'.*did you mean year\?"),
        ("Year is missing", "known here.*'Year' at character 1"),
        ("year = '2020'", "expected a number without quotes, as year holds no other.*\"'2020'\" at character 8"),
        ("camera = 5", "expected a text in quotes, as camera holds no other"),
        ("camera = true", "expected a text in quotes"),
        ("labels = 5", "expected a text in quotes, as labels holds no other"),
        ("favourite = 1", "expected true or false, as favourite holds no other"),
        ("year contains '20'", "expected a number without quotes"),
        ("year in (1, 'a')", "expected a number without quotes"),
        ("mark = true", "expected a number without quotes or a text in quotes"),
    ],
)
def test_conditions_that_can_find_nothing(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        checked(text)
