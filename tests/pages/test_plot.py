"""The plot: where things lie, that names do not overlap, and that the file of its own is one."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from lookalike.bench.results import Outcome, Point, Results
from lookalike.errors import ArgumentError
from lookalike.pages.plot import LABEL, charts, names, plot, spread

from ..bench.made import made
from .browse import Browse
from .evil import NAMES


def results(*outcomes: Outcome) -> Results:
    return Results("small", "cosine", 1000, 8, 50, 10, 2, 2, "a machine", list(outcomes))


def outcome(name: str, *points: tuple[float, float]) -> Outcome:
    """Of pairs (recall, queries/s), one by one only."""
    return Outcome(name, single=[Point({"ef": recall}, recall, [rate]) for recall, rate in points])


def test_up_and_to_the_right_is_better() -> None:
    (chart,) = charts(results(outcome("a", (0.6, 1000), (0.9, 100), (0.99, 10))))
    dots = chart.series[0].dots
    assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)
    assert [dot.y for dot in dots] == sorted(dot.y for dot in dots)
    assert all(0 < dot.x < 100 and 0 < dot.y < 100 for dot in dots)
    assert dots[1].y - dots[0].y == pytest.approx(dots[2].y - dots[1].y)  # a tenth each


def test_what_finds_all_lies_at_the_right_edge_and_ticks_where_their_recall_does() -> None:
    (chart,) = charts(results(outcome("a", (0.5, 3), (0.95, 2), (1.0, 1))))
    assert [dot.x for dot in chart.series[0].dots] == pytest.approx([0, 36.3, 100], abs=0.1)
    assert " ".join(tick.text for tick in chart.across) == "0.5 0.7 0.8 0.9 0.95 0.98 0.99 0.995 0.999 1"
    assert {tick.text: tick.at for tick in chart.across}["0.95"] == chart.series[0].dots[1].x


def test_who_finds_little_is_seen_as_well() -> None:
    (chart,) = charts(results(outcome("a", (0.6, 3), (0.9, 2)), outcome("lsh", (0.2, 30))))
    assert chart.across[0].text == "0.1"
    assert all(0 <= dot.x <= 100 and 0 <= dot.y <= 100 for series in chart.series for dot in series.dots)


def test_settings_that_another_beats_are_no_part_of_the_line() -> None:
    (chart,) = charts(results(outcome("a", (0.6, 1000), (0.7, 1), (0.9, 100))))
    assert [dot.best for dot in chart.series[0].dots] == [False, True, True]
    assert len(chart.series[0].line.split()) == 2


def test_ours_lies_on_top_and_everyone_looks_different() -> None:
    drawn = charts(made())
    assert [chart.mode for chart in drawn] == ["single", "batch"]
    assert all(chart.series[-1].ours for chart in drawn)
    looks = [(series.look, series.mark) for series in names(made())]
    assert len(set(looks)) == len(looks) == 18
    assert names(made())[0].name == "lookalike"
    single, batch = ({one.name: one.look for one in chart.series} for chart in drawn)
    assert batch.items() <= single.items()


@pytest.mark.parametrize("wanted", [[], [50], [10, 10, 10], [99, 99.5, 100], [0, 0, 100, 100], [3.0] * 60])
def test_names_do_not_overlap(wanted: list[float]) -> None:
    places = spread(wanted)
    assert all(0 <= place <= 100 for place in places)
    gap = min(LABEL, 100 / max(1, len(wanted)))
    assert all(after - before >= gap - 1e-9 for before, after in pairwise(sorted(places)))


def test_names_stay_where_there_is_room() -> None:
    assert spread([80.0, 20.0, 50.0]) == [80.0, 20.0, 50.0]


@pytest.mark.parametrize("mode", ["single", "batch"])
def test_the_file_is_svg_that_loads_nothing(mode: str) -> None:
    svg = plot(made(), mode)  # type: ignore[arg-type]
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "defs", "rect", "text", "g", "line", "polyline", "use", "circle", "path"}
    assert re.findall(r'(?:href|src)="(?!#mark\d")', svg) == []
    assert "url(" not in svg
    assert "@import" not in svg


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_text(name: str) -> None:
    one = outcome(name, (0.9, 1))
    one.single[0].setting = {name: 1.0}
    evil = results(one)
    evil.dataset = evil.distance = name
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(plot(evil, "single")).iter()}
    assert tags.isdisjoint({"script", "img", "image", "foreignObject"})


def test_nothing_to_draw_is_refused() -> None:
    assert charts(results(Outcome("gone", error="not installed"))) == []
    with pytest.raises(ArgumentError, match="small: expected something measured, batch, to draw"):
        plot(results(outcome("a", (0.9, 1))), "batch")
    assert charts(results(outcome("finds nothing", (0.0, 1)))) == []


def test_chromium_draws_the_file(browse: Browse) -> None:
    image, console = browse.screenshot(plot(made(), "single"), (900, 560), "recall.svg")
    assert console == []
    colours = {colour for _, colour in image.getcolors(1 << 24) or []}
    assert {(0, 114, 178), (213, 94, 0), (29, 27, 24)} <= colours  # two peers and ours, each in its own
