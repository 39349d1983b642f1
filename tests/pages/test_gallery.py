"""The page as a parser reads it: what is in it, what must never be."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest

from lookalike.errors import ArgumentError
from lookalike.names import visible
from lookalike.pages import Row, Tile, gallery

from .evil import NAMES, evil_page, picture, tile

VOID = {"meta", "link", "img", "wbr", "input"}


class Page(HTMLParser):
    """Every element with its attributes, and the text in it; refuses what is not well nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def words(self) -> str:
        return "".join(text for tag, text in self.text if tag != "style")


def test_query_then_neighbours_nearest_first_with_distances_and_alt_texts() -> None:
    found = [tile("b.png", 0.0, picture("JPEG")), tile("c.png", 0.25, picture("WEBP")), tile("d.png", 1234.5678)]
    html = gallery([Row(tile("a.png", thumbnail=picture()), found, "0.3 ms")], "Look-alikes", [("Model", "lite0")])
    page = Page(html)
    assert [image["alt"] for image in page.all("img")] == ["a.png", "b.png", "c.png"]
    assert [text for tag, text in page.text if tag == "data"] == ["0.000", "0.250", "1234.6"]
    assert [link["href"] for link in page.all("a")] == [f"file:///photos/{name}.png" for name in "abcd"]
    words = page.words()
    assert words.index("a.png") < words.index("b.png") < words.index("c.png") < words.index("d.png")
    assert "0.3 ms" in words
    assert "Model" in words
    assert "damaged: d.png" in words


def test_each_query_is_a_section_of_its_own() -> None:
    rows = [Row(tile(f"query {n}", thumbnail=picture()), [tile("x", 0.5)]) for n in range(6)]
    page = Page(gallery(rows, "Look-alikes"))
    labels = [section["aria-labelledby"] for section in page.all("section")]
    assert labels == [heading["id"] for heading in page.all("h2")]
    assert len(set(labels)) == 6


def test_pictures_are_in_the_page_byte_for_byte() -> None:
    pictures = [picture(kind) for kind in ("PNG", "JPEG", "WEBP")]
    html = gallery([Row(tile("q", thumbnail=pictures[0]), [tile("n", 0.1, data) for data in pictures[1:]])], "t")
    sources = [image["src"] for image in Page(html).all("img")]
    assert [source.split(";")[0] for source in sources] == ["data:image/png", "data:image/jpeg", "data:image/webp"]
    assert [base64.b64decode(source.split(",")[1]) for source in sources] == pictures


def test_nothing_is_loaded_from_anywhere() -> None:
    html = evil_page()
    page = Page(html)
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline';")
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "srcset", "poster", "data", "action", "background"}:
                assert value.startswith("data:image/"), (tag, value)
            if name in {"href", "xlink:href"}:
                assert value.startswith("file:///photos/" if tag == "a" else "data:,"), (tag, value)
    styles = "".join(text for tag, text in page.text if tag == "style")
    assert not re.search(r"url\(|@import|https?:|//", styles)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "embed", "base", "form"})


def test_names_are_shown_as_they_are_and_never_as_html() -> None:
    words = Page(evil_page()).words()
    for name in NAMES:
        assert visible(name) in words
    assert "49.png" not in words


def test_the_page_is_utf8_whatever_the_names() -> None:
    assert "not utf-8 \\xe9\\xff.png" in evil_page().encode("utf-8").decode("utf-8")


def test_links_lead_to_files_whose_names_are_not_utf8() -> None:
    links = [link["href"] for link in Page(evil_page()).all("a")]
    assert "file:///photos/not%20utf-8%20%E9%FF.png" in links


def test_a_query_without_a_file_has_no_link() -> None:
    page = Page(gallery([Row(Tile("a vector", "", None, reason="a vector"), [])], "t"))
    assert page.all("a") == []
    assert "Nothing was found" in page.words()


def test_several_examples_are_on_top_with_their_signs() -> None:
    weights = (1.0, 0.5, -1.0, -0.25)
    first, *others = (tile(f"{n}.png", thumbnail=picture())._replace(weight=weight) for n, weight in enumerate(weights))
    page = Page(gallery([Row(first, [tile("found.png", 0.5)], "a note", others)], "t"))
    signs = [attributes["title"] for tag, attributes in page.elements if "weight" in attributes.get("class", "")]
    assert signs == ["like this", "like this", "unlike this", "unlike this"]
    words = page.words()
    assert [sign in words for sign in ("+0.png", "+ 0.51.png", "−2.png", "− 0.253.png")] == [True] * 4
    assert words.index("4 examples") < words.index("a note") < words.index("0.png") < words.index("found.png")
    assert [section["aria-labelledby"] for section in page.all("section")] == [h2["id"] for h2 in page.all("h2")]


def test_a_text_stands_for_a_picture() -> None:
    page = Page(gallery([Row(Tile("“<b>a cat</b>”", "", None, text="<b>a cat</b>"), [])], "t"))
    assert ("bdi", "<b>a cat</b>") in page.text
    assert page.all("img") == page.all("b") == page.all("svg") == []


def test_a_score_is_a_bar_and_none_is_none() -> None:
    scores = (1.0, 0.456, 0.004, None)
    found = [tile(f"{n}.png", 0.1)._replace(score=score) for n, score in enumerate(scores)]
    page = Page(gallery([Row(tile("q"), found)], "t"))
    bars = [attributes["style"] for _, attributes in page.elements if "style" in attributes]
    assert bars == ["width: 100%", "width: 46%", "width: 0%"]
    titles = [attributes["title"] for _, attributes in page.elements if attributes.get("class") == "score"]
    assert [title.split(":")[0] for title in titles] == ["score 1.00", "score 0.46", "score 0.00"]


def test_no_rows_is_a_page_too() -> None:
    assert Page(gallery([], "Look-alikes")).all("section") == []


def test_a_thumbnail_of_another_format_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"expected a thumbnail in JPEG, PNG or WebP, received .*GIF89a"):
        gallery([Row(tile("q", thumbnail=b"GIF89a..."), [])], "t")
