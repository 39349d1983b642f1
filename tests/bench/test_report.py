"""Interpolation between measured points, and the tables."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from lookalike.bench.report import (
    Against,
    Rate,
    Ratio,
    against,
    best,
    document,
    frontier,
    markdown,
    rate_at,
    setting_at,
)
from lookalike.bench.results import Outcome, Point, Results
from lookalike.errors import ArgumentError


def point(recall: float, *rates: float) -> Point:
    return Point({"ef": recall}, recall, list(rates), [1.0] * len(rates))


def results(*outcomes: Outcome) -> Results:
    return Results("small", "cosine", 1000, 8, 50, 10, 2, 2, "a machine", list(outcomes))


def outcome(name: str, *points: Point) -> Outcome:
    return Outcome(
        name, "1.0", "M=16", 12.5, 9_000_000, 3_000_000, overhead=4.5, single=list(points), batch=list(points)
    )


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
    assert str(rate) == "≥ 700"


def test_a_setting_that_another_beats_does_not_count() -> None:
    good, worse, best = point(0.8, 1000), point(0.85, 50), point(0.9, 500)
    assert frontier([worse, best, good]) == [good, best]
    assert rate_at([good, worse, best], 0.85) == rate_at([good, best], 0.85)


def test_the_best_round_counts_and_the_spread_is_told() -> None:
    rate = rate_at([point(0.9, 400, 500, 300)], 0.9)
    assert rate is not None
    assert rate.value == 500
    assert rate.spread == pytest.approx(0.4)
    assert str(rate) == "500 ± 40 %"


def test_what_has_no_parameters_is_not_faster_elsewhere() -> None:
    assert rate_at([Point({}, 1.0, [31])], 0.9) == Rate(31, 0)
    assert rate_at([point(1.0, 31)], 0.9) == Rate(31, 0, least=True)


def test_the_setting_at_a_recall_is_the_fastest_that_was_measured() -> None:
    slow, fast, less = point(0.96, 10), point(0.95, 20), point(0.94, 30)
    assert setting_at([slow, fast, less], 0.95) == fast
    assert setting_at([less], 0.95) is None


def test_ours_meets_every_peer_in_what_was_measured_beside_it() -> None:
    hnswlib = outcome("hnswlib", point(0.9, 300), point(0.99, 30))
    hnswlib.pace["single"] = [point(0.9, 450), point(0.99, 90)]
    measured = results(
        outcome("lookalike", point(0.9, 600), point(0.99, 60)), hnswlib, outcome("annoy", point(0.9, 400))
    )
    first, second = against(measured, "single", 0.9)
    assert first == Against("hnswlib", Rate(450, 0), Rate(300, 0))
    assert second == Against("annoy", Rate(600, 0), Rate(400, 0))  # nothing was measured beside it: all of ours
    assert against(measured, "batch", 0.9)[0].ours == Rate(600, 0)
    assert [pair.ratio for pair in against(measured, "single", 0.99)] == [Ratio(3.0), None]


def test_where_the_pace_does_not_get_there_ours_does() -> None:
    peer = outcome("annoy", point(0.99, 10))
    peer.pace["single"] = [point(0.9, 450)]
    (pair,) = against(results(outcome("lookalike", point(0.99, 60)), peer), "single", 0.99)
    assert pair.ours == Rate(60, 0)


def test_the_best_peer_is_the_one_that_ours_is_least_ahead_of() -> None:
    fast, near, gone = Against("a", Rate(900, 0), Rate(300, 0)), Against("b", Rate(500, 0), Rate(250, 0)), None
    assert best([fast, near]) == near
    assert best([Against("c", Rate(500, 0), gone), fast]) == fast
    assert best([Against("c", Rate(500, 0), gone)]) is None


def test_where_ours_does_not_get_the_fastest_is_the_best() -> None:
    pairs = [Against("slow", None, Rate(10, 0)), Against("fast", None, Rate(20, 0))]
    assert best(pairs) == pairs[1]
    assert pairs[1].ratio is None


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [(False, False, "2.00"), (True, False, "≥ 2.00"), (False, True, "≤ 2.00"), (True, True, "≈ 2.00")],
)
def test_a_ratio_of_bounds_is_a_bound(ours: bool, theirs: bool, text: str) -> None:
    assert str(Against("a", Rate(20, 0, ours), Rate(10, 0, theirs)).ratio) == text


def test_a_cell_may_hold_anything() -> None:
    assert markdown([["a"], ["x | y\nz"]]).splitlines() == ["| a |", "|---|", "| x \\| y\\nz |"]


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
    assert "| lookalike 1.0 | 600 | 167 | 60 |" in text
    assert "| lookalike 1.0 | 12.5 s | 9 MB | 3 MB | – | – | – | – | – | 4.5 µs |" in text
    assert "No module named 'scann'" in text
    assert "boom" in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {9, 11, 8}  # the tables, every row as wide as its titles
    assert "Geometric mean of 2 ratios" in text


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
