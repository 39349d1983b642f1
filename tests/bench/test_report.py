"""Interpolation between measured points, and the tables."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from lookalike.bench.report import Rate, document, duels, frontier, rate_at
from lookalike.bench.results import Outcome, Point, Results
from lookalike.errors import ArgumentError


def point(recall: float, *rates: float) -> Point:
    return Point({"ef": recall}, recall, list(rates), [1.0] * len(rates))


def results(*outcomes: Outcome) -> Results:
    return Results("small", "cosine", 1000, 8, 50, 10, 2, 2, "a machine", list(outcomes))


def outcome(name: str, *points: Point) -> Outcome:
    return Outcome(name, "1.0", "M=16", 12.5, 3_000_000, 4.5, list(points), list(points))


def test_between_two_points_the_logarithm_is_linear() -> None:
    points = [point(0.8, 1000), point(1.0, 100)]
    rate = rate_at(points, 0.9)
    assert rate is not None
    assert rate.value == pytest.approx(math.sqrt(1000 * 100))
    assert not rate.least


def test_at_a_measured_recall_it_is_what_was_measured() -> None:
    assert rate_at([point(0.8, 1000), point(0.9, 500), point(1.0, 100)], 0.9) == Rate(500, 0)


def test_beyond_what_was_measured_there_is_nothing() -> None:
    points = [point(0.8, 1000), point(0.98, 100)]
    assert rate_at(points, 0.99) is None
    assert rate_at([], 0.9) is None


def test_where_all_settings_find_more_the_fastest_is_a_lower_bound() -> None:
    rate = rate_at([point(0.97, 300), point(0.95, 700)], 0.9)
    assert rate == Rate(700, 0, least=True)
    assert str(rate).startswith("≥ 700")


def test_a_setting_that_another_beats_does_not_count() -> None:
    good, worse, best = point(0.8, 1000), point(0.85, 50), point(0.9, 500)
    assert frontier([worse, best, good]) == [good, best]
    assert rate_at([good, worse, best], 0.85) == rate_at([good, best], 0.85)


def test_the_best_round_counts_and_the_spread_is_told() -> None:
    rate = rate_at([point(0.9, 400, 500, 300)], 0.9)
    assert rate is not None
    assert rate.value == 500
    assert rate.spread == pytest.approx(0.4)


def test_by_processor_time_other_processes_do_not_matter() -> None:
    disturbed = Point({"ef": 10}, 0.9, [100.0], [0.25])
    one = Outcome("hnswlib", single=[disturbed], batch=[disturbed])
    shown = results(one).by_processor().outcomes[0]
    assert (shown.single[0].rate, shown.batch[0].rate) == (400, 800)  # on one thread, on two
    assert one.single[0].rate == 100


def test_ours_meets_the_best_peer() -> None:
    measured = results(
        outcome("lookalike", point(0.9, 600), point(0.99, 60)),
        outcome("hnswlib", point(0.9, 300), point(0.99, 30)),
        outcome("annoy", point(0.9, 400), point(0.95, 10)),
    )
    first, _, last = duels(measured)[:3]
    assert (first.peer, last.peer) == ("annoy", "hnswlib")
    assert first.ratio == pytest.approx(1.5)
    assert last.ratio == pytest.approx(2)


def test_without_a_peer_there_is_no_ratio() -> None:
    assert [duel.ratio for duel in duels(results(outcome("lookalike", point(0.9, 1))))] == [None] * 6


def test_the_document_names_everyone() -> None:
    text = document(
        [
            results(
                outcome("lookalike", point(0.9, 600), point(0.99, 60)),
                Outcome("scann", error="ModuleNotFoundError: No module named 'scann'"),
                Outcome("hnswlib", "0.8", "M=16", single=[point(0.95, 20)], error="at {'ef': 10}, batch: boom"),
            )
        ]
    )
    assert "| lookalike 1.0 | 12.5 s | 3 MB | 4.5 µs | 600 ± 0 % |" in text
    assert "No module named 'scann'" in text
    assert "boom" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {11, 8}  # both tables, every row as wide as its titles


def test_results_survive_their_file(tmp_path: Path) -> None:
    kept = results(outcome("hnswlib", point(0.9, 300, 200)), Outcome("annoy", error="gone"))
    kept.save(tmp_path / "small.json")
    assert Results.load(tmp_path / "small.json") == kept


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcomes": [{}]}', '{"outcomes": 3}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(ArgumentError, match="expected the results of a benchmark"):
        Results.load(tmp_path / "bad.json")
    with pytest.raises(ArgumentError, match="expected the results of a benchmark"):
        Results.load(tmp_path / "nowhere.json")
