"""The sentences on top: what they claim follows from the figures, also where those are not ours."""

from __future__ import annotations

from lookalike.bench.results import Outcome, Point, Results
from lookalike.bench.summary import exact, summary

from .made import made


def outcome(name: str, *points: tuple[float, float]) -> Outcome:
    """Of pairs (recall, queries/s), one by one only."""
    return Outcome(name, single=[Point({"ef": recall}, recall, [rate]) for recall, rate in points])


def said(*outcomes: Outcome) -> str:
    return " ".join(summary(Results("small", "cosine", 1000, 8, 50, 10, 2, 2, "a machine", list(outcomes))))


def test_a_whole_run() -> None:
    sentences = summary(made())
    assert sentences[0].startswith("At 95 % recall lookalike answers 27,865 queries/s one by one, 1.94 times as many")
    assert sentences[1].endswith("2.07 times as many as the best other, scann.")
    assert "at all 6 points" in sentences[2]
    assert "faiss-flat answers 120 queries/s one by one, the fastest of 3" in sentences[3]
    assert "built in 7.5 s and takes 187 MB" in sentences[4]
    assert "svs-lvq and datasketch could not be measured and usearch broke off" in sentences[5]


def test_where_ours_is_behind_it_says_so() -> None:
    text = said(outcome("lookalike", (0.9, 300), (0.99, 10)), outcome("scann", (0.9, 200), (0.95, 100), (0.99, 20)))
    assert "fewer than scann, which answers 2.21 times as many" in text
    assert "lookalike is ahead at 1 of 3 points" in text
    assert "not one by one at 95 % (scann, 0.45 times) and one by one at 99 % (scann, 0.50 times)" in text


def test_where_ours_does_not_get_there_it_says_so() -> None:
    text = said(outcome("lookalike", (0.9, 300), (0.93, 10)), outcome("scann", (0.95, 123)))
    assert (
        "does not get to 95 % recall one by one: it finds 93.0 % at most; at 95 % scann is the fastest, with 123"
        in text
    )
    assert "at 1 of 2 points of the table of speeds; not one by one at 95 % (scann)" in text


def test_alone_it_is_beside_nobody() -> None:
    text = said(outcome("lookalike", (0.9, 300), (0.99, 10)))
    assert "and no other gets there" in text
    assert "ahead" not in text
    assert "quickest" not in text


def test_bounds_are_told_as_such() -> None:
    text = said(outcome("lookalike", (0.97, 300)), outcome("scann", (0.9, 200), (0.95, 100)))
    assert "answers at least 300 queries/s one by one, at least 3.00 times as many" in text
    text = said(outcome("lookalike", (0.9, 100), (0.95, 50)), outcome("scann", (0.97, 100)))
    assert "scann, which answers at least 2.00 times as many" in text


def test_without_ours_nothing_is_claimed_of_it() -> None:
    text = said(outcome("scann", (0.95, 123)), Outcome("annoy", error="not installed"))
    assert text.startswith("lookalike was not measured one by one; at 95 % scann is the fastest, with 123 queries/s.")
    assert "ahead" not in text
    assert "The index of" not in text
    assert "annoy could not be measured" in text


def test_nothing_at_all() -> None:
    assert said() == ""


def test_exact_is_what_has_no_setting_and_finds_all() -> None:
    assert exact(Outcome("numpy", single=[Point({}, 1.0, [1])]))
    assert not exact(Outcome("hnswlib", single=[Point({"ef": 9}, 1.0, [1])]))
    assert not exact(Outcome("lsh", single=[Point({}, 0.4, [1])]))
    assert not exact(Outcome("gone"))
