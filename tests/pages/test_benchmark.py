"""The page of a benchmark: what is in it, what must never be, and how Chromium shows it."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest

from lookalike.bench.results import MODES, Outcome, Point, Results
from lookalike.errors import ArgumentError
from lookalike.names import visible
from lookalike.pages import BEGINNING, Found, Lookalikes, Tile, benchmark_page

from ..bench.made import made
from .browse import SIZES, Browse
from .evil import NAMES, picture, tile
from .test_gallery import Page

pytestmark = pytest.mark.thorough

THUMBNAILS = [picture("PNG", (30 + number, 40)) for number in range(16)]


def pictures() -> dict[int, Tile]:
    return {number: tile(f"{number}.jpg", thumbnail=data) for number, data in enumerate(THUMBNAILS)}


def lookalikes() -> list[Lookalikes]:
    """Four true neighbours, of which the second method misses one, and the third two; of these another is as near."""
    exact = [1, 2, 3, 4]
    found = [
        Found("lookalike", 0.951, exact, [True] * 4),
        Found("hnswlib", 0.932, [1, 2, 4, 5], [True, True, True, False]),
        Found("annoy", 0.6, [2, 3, 6, 7], [True, True, True, False]),
    ]
    return [Lookalikes(tile("query.jpg", thumbnail=picture()), exact, found)]


def evil() -> Results:
    """Every string of a run is hostile."""
    outcomes = [
        Outcome(
            name,
            name,
            name,
            single=[Point({name: 10.0}, 0.9, [10.0]), Point({name: 20.0}, 0.99, [1.0])],
            notes=[name, f"disk: {name}"],
            error=name,
            began=name,
        )
        for name in NAMES
    ]
    outcomes += [Outcome(f"gone {name}", error=name) for name in NAMES]
    name = NAMES[0]
    return Results(name, name, 9, 8, 5, 10, 1, 1, name, outcomes, {one: one for one in NAMES})


def page() -> str:
    return benchmark_page(made(), lookalikes(), pictures())


def test_it_begins_as_ours_and_is_well_nested() -> None:
    assert page().encode().startswith(BEGINNING)
    assert [heading["id"] for heading in Page(page()).all("h2")] == [
        "plots",
        "speeds",
        "costs",
        "lookalikes",
        "measured",
    ]
    assert "lookalikes" not in [heading["id"] for heading in Page(benchmark_page(made())).all("h2")]


def test_every_setting_can_be_pointed_at_and_gone_to() -> None:
    read = Page(page())
    shown = [point for one in made().outcomes for mode in MODES for point in one.points(mode) if point.recall >= 0.5]
    labels = [one["aria-label"] for one in read.all("input") if one["type"] == "radio"]
    assert len(labels) == len(shown) == len([one for one in read.all("div") if "box" in one.get("class", "").split()])
    assert "hnswlib, ef = 320: recall 0.882, 7,069 queries/s" in labels
    assert len({one["name"] for one in read.all("input") if one["type"] == "radio"}) == 18 + 17  # a Tab stop a line


def test_the_ratio_of_each_and_the_best_of_them() -> None:
    read = Page(benchmark_page(made()))
    bests = [one for one in read.all("td") if one.get("class") == "ratio best"]
    assert len(bests) == 6
    text = re.sub(r"\s+", " ", "|".join(text for tag, text in read.text if tag in {"bdi", "td"}))
    assert "scann|21,020 |1.83|14,086 |1.94|6,207 |2.18" in text
    assert "pair-|at-|a-|time|0.4 |98,234|0.4 |69,662|" in text


def test_where_ours_is_behind_the_ratio_says_so() -> None:
    def outcome(name: str, rate: float) -> Outcome:
        return Outcome(name, single=[Point({"ef": 1}, 0.99, [rate])])

    slow = Results("s", "cosine", 9, 8, 5, 1, 1, 1, "m", [outcome("lookalike", 1), outcome("scann", 2)])
    read = Page(benchmark_page(slow))
    assert [one["class"] for one in read.all("td") if "behind" in one.get("class", "")] == ["ratio best behind"] * 3
    assert "fewer than scann" in read.words()


def test_what_is_not_known_has_its_reason_once() -> None:
    read = Page(page())
    titles = [one["title"] for one in read.all("td") if "title" in one]
    assert titles.count("its index is built once") == 2 * 11
    assert titles.count("the library does not save its index") == 2  # on disk, and from there
    assert read.words().count("its index is built once") == 1
    assert "single: from ef=320 on nothing, its time was over" in read.words()


def test_who_failed_or_broke_off_has_a_line() -> None:
    words = Page(page()).words()
    for text in ("No module named 'svs'", "it finds sets, and these are vectors", "took more than 600 s"):
        assert text in words


def test_how_it_was_measured() -> None:
    words = Page(page()).words()
    for text in ("AMD EPYC (Zen 4), 2 cores", "commit 19089a3", "2026-11-27T16:34:38+00:00", "M=16, ef_construction"):
        assert text in words
    assert "reorder: 100, 200, 300, 400, 500" in words


def test_each_picture_is_in_the_page_once_however_often_it_is_shown() -> None:
    html = page()
    used = [use["href"] for use in Page(html).all("use") if use["href"].startswith("#picture")]
    assert used.count("#picture2") == 4
    for number, data in enumerate(THUMBNAILS):
        assert html.count(b64encode(data).decode()) == (1 if number in range(1, 8) else 0)


def test_true_wrong_and_missed_pictures() -> None:
    thumbs = [one for one in Page(page()).all("span") if one.get("class", "").startswith("thumb")]
    labels = [one["aria-label"] for one in thumbs]
    assert labels[:8] == [f"{number}.jpg: a true neighbour" for number in (1, 2, 3, 4)] * 2
    assert labels[8:13] == [
        "1.jpg: a true neighbour",
        "2.jpg: a true neighbour",
        "4.jpg: a true neighbour",
        "5.jpg: not a true neighbour",
        "3.jpg: missed",
    ]
    assert labels[13:] == [
        "2.jpg: a true neighbour",
        "3.jpg: a true neighbour",
        "6.jpg: a true neighbour",  # as near as the fourth
        "7.jpg: not a true neighbour",
        "1.jpg: missed",
    ]


def test_what_cannot_be_shown_is_named() -> None:
    broken = {number: tile(f"{number}.jpg") for number in range(8)}
    assert "damaged: 3.jpg" in Page(benchmark_page(made(), lookalikes(), broken)).words()
    with pytest.raises(ArgumentError, match="expected a thumbnail"):
        benchmark_page(made(), lookalikes(), dict.fromkeys(range(8), tile("x", thumbnail=b"no picture")))


@pytest.mark.parametrize("html", [page(), benchmark_page(evil(), [lookalikes()[0]], pictures())])
def test_nothing_is_loaded_or_run(html: str) -> None:
    read = Page(html)
    banned = {"script", "iframe", "object", "embed", "base", "form", "foreignobject", "a"}
    assert {tag for tag, _ in read.elements}.isdisjoint(banned)
    for tag, attributes in read.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name == "src":
                assert value.startswith("data:image/")
            if name == "href":
                assert value.startswith(("data:image/", "#picture", "#mark")) or value == "data:,"
    assert not re.search(r"url\(|@import", html)


def test_hostile_strings_are_text() -> None:
    read = Page(benchmark_page(evil()))
    words = read.words()
    for name in NAMES:
        assert visible(name) in words
    assert "49.png" not in words
    assert not any(character in words for character in "\u202e\udce9\x1b")


def test_a_run_in_which_all_failed() -> None:
    read = Page(benchmark_page(Results("s", "cosine", 9, 8, 5, 1, 1, 1, "m", [Outcome("annoy", error="gone")])))
    assert "Nothing was measured." in read.words()
    assert "gone" in read.words()


SEEN = """{
  width: innerWidth,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  charts: [...document.querySelectorAll(".chart")].map(chart => chart.getBoundingClientRect().width),
  thumbs: [...document.querySelectorAll(".thumb svg")].filter(thumb => thumb.getBoundingClientRect().width < 20).length,
  ground: getComputedStyle(document.body).backgroundColor,
}"""
"""What a peer's line, dots and boxes look like, before and after."""
DONE = """(() => {
  const seen = selector => [...document.querySelectorAll(selector)]
    .filter(one => getComputedStyle(one).display != "none").length;
  const faint = () => [...document.querySelectorAll(".series")].filter(one => getComputedStyle(one).opacity < 1).length;
  const before = {lines: seen(".series"), boxes: seen(".box"), points: seen(".point.s0"), faint: faint()};
  const point = document.querySelectorAll(".point.s0.best input")[3];
  point.focus();
  const box = point.nextElementSibling.getBoundingClientRect();
  const focused = {boxes: seen(".box"), text: point.nextElementSibling.innerText, faint: faint(),
                   inside: box.left >= 0 && box.right <= innerWidth && box.width > 200};
  document.querySelector("label[for=show0]").click();
  document.querySelector("#show0").focus();
  return {before, focused, after: {lines: seen(".series"), points: seen(".point.s0"), faint: faint()}};
})()"""


@pytest.mark.parametrize("size", SIZES)
def test_nothing_overflows(browse: Browse, size: tuple[int, int]) -> None:
    for html in (page(), benchmark_page(evil(), lookalikes(), pictures())):
        seen = browse.probe(html, size, SEEN)
        assert seen["width"] == size[0]
        assert seen["overflow"] <= 0
        assert min(seen["charts"]) >= 180
        assert seen["thumbs"] == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_point_shows_its_box_and_a_box_hides_its_line(browse: Browse, size: tuple[int, int]) -> None:
    seen = browse.probe(page(), size, DONE)
    assert seen["before"] == {"lines": 18 + 17, "boxes": 0, "points": 28, "faint": 0}
    focused = seen["focused"]
    assert focused["boxes"] == 1
    assert focused["inside"]
    assert re.search(r"^hnswlib\s+ef = 320\s", focused["text"])
    for text in ("recall", "0.8818", "± 10 %", "vectors compared", "queries asked", "2,000", "µs"):
        assert text in focused["text"]
    assert focused["faint"] == 18 + 17 - 2  # all but its own, on both charts
    assert seen["after"] == {"lines": 18 + 17 - 2, "points": 0, "faint": 0}


@pytest.mark.parametrize("size", SIZES[:2])
def test_it_renders_and_the_console_is_silent(browse: Browse, size: tuple[int, int]) -> None:
    for html in (page(), benchmark_page(evil(), lookalikes(), pictures())):
        image, console = browse.screenshot(html, size)
        assert console == []
        assert len(image.getcolors(1 << 24) or []) > 100


def test_pictures_that_are_used_are_drawn(browse: Browse) -> None:
    """Each is a gradient from black to white: a page of them has more black than the same page of broken ones."""

    nothing = Results("s", "cosine", 9, 8, 5, 1, 1, 1, "m", [])

    def black(tiles: dict[int, Tile]) -> int:
        image, _ = browse.screenshot(benchmark_page(nothing, lookalikes(), tiles), (1280, 2400))
        darkness = image.convert("L").histogram()
        return sum(darkness[:20])

    assert black(pictures()) > black({number: tile(f"{number}.jpg") for number in range(8)}) + 2000


def test_dark_is_dark_and_light_is_light(browse: Browse) -> None:
    grounds = [
        browse.probe(page(), SIZES[0], SEEN, f"--blink-settings=preferredColorScheme={scheme}")["ground"]
        for scheme in (0, 1)
    ]
    dark, light = (sum(map(int, re.findall(r"\d+", ground)[:3])) / 3 for ground in grounds)
    assert dark < 50
    assert light > 230
