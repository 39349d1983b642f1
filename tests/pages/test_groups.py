"""The page of copies: what is in it, what must never be, and how Chromium shows it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence

import pytest

from lookalike.names import visible
from lookalike.pages import Alike, Count, Picture, Section, Shape, State, groups_page

from .evil import NAMES, picture, tile
from .test_gallery import Page

SHAPES: Sequence[Shape] = ("square", "wide", "tall", "small")
STATES: Sequence[State] = ("aside", "stays")
SIZES = {"square": (60, 40), "wide": (90, 20), "tall": (20, 50), "small": (60, 40)}


def page(count: int = 2, others: int = 12) -> str:
    """A page of `count` groups of every shape, each with `others` beside the one that is kept."""
    sections = [
        Section(
            f"kind-{shape}", f"Kind {shape}: {NAMES[2]}", [alike(shape, at, number, others) for number in range(count)]
        )
        for at, shape in enumerate(SHAPES)
    ]
    counts = [Count(f"kind-{shape}", f"{count} {NAMES[0]}", f"about {NAMES[1]}") for shape in SHAPES]
    facts = [(name, name) for name in NAMES]
    return "".join(groups_page(sections, f"Copies in {NAMES[0]}", f"lead {NAMES[1]}", counts, facts))


def alike(shape: Shape, at: int, number: int, others: int) -> Alike:
    size = SIZES[shape]
    keeper = Picture(tile(NAMES[number % 12], thumbnail=picture(size=size)), "kept", "60 × 40", size=size)
    shown = [
        Picture(
            tile(name, rank / 1000 if rank % 2 else None, picture("JPEG", size) if rank % 3 else None),
            STATES[rank % 2],
            f"about {name}",
            f"kind {name}",
            [f"note {name}"],
            size,
            (0.25, 0.5, 0.75, 1.0) if rank == 4 else None,
        )
        for rank, name in enumerate(NAMES[:others])
    ]
    copies = [Picture(tile(name), "aside", f"about {name}", "identical file") for name in NAMES[: others // 4]]
    return Alike(100 * at + number + 1, keeper, shown, copies, shape)


def test_groups_with_their_numbers_kinds_and_states() -> None:
    read = Page(page())
    assert [section["id"] for section in read.all("section")] == [
        f"group-{n}" for n in (1, 2, 101, 102, 201, 202, 301, 302)
    ]
    states = [text for tag, text in read.text if tag == "span" and text in ("Kept", "Set aside", "Stays")]
    assert (states.count("Kept"), states.count("Set aside"), states.count("Stays")) == (8, 8 * (6 + 3), 8 * 6)
    assert [text for tag, text in read.text if tag == "h3"][2] == "Group 101"
    assert sum(text == "identical file" for _, text in read.text) == 8 * 3
    words = read.words()
    assert words.index("lead") < words.index("about") < words.index("Group 1")
    for name in NAMES:
        assert visible(f"kind {name}") in words
        assert visible(f"note {name}") in words
    assert "49.png" not in words


def test_counts_lead_to_their_sections() -> None:
    read = Page(page())
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    links = [link["href"] for link in read.all("a") if link["href"].startswith("#")]
    assert links == [f"#kind-{shape}" for shape in SHAPES]
    assert {link[1:] for link in links} <= ids


def test_a_place_that_differs_is_framed() -> None:
    (frame, *_) = Page(page()).all("i")
    assert frame["style"] == "left: 25.00%; top: 50.00%; right: 25.00%; bottom: 0.00%"


def test_one_script_is_there_and_the_policy_names_it_alone() -> None:
    html = page()
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in html
    assert "default-src 'none';" in html
    assert html.count("script-src") == 1


def test_nothing_is_loaded() -> None:
    read = Page(page())
    assert len(read.all("script")) == 1
    assert {tag for tag, _ in read.elements}.isdisjoint({"iframe", "object", "embed", "base", "form"})
    for tag, attributes in read.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name == "src":
                assert (tag, value[:11]) == ("img", "data:image/")
            if name == "href":
                assert value.startswith(("file:///photos/", "#kind-") if tag == "a" else "data:,")


def test_every_picture_is_there_without_the_script() -> None:
    """They wait in `noscript`: read as elements where no script runs, and as text, once, where it does."""
    html = page(1, 12)
    assert len(Page(html).all("img")) == 4 * (1 + 8)
    waiting = re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    assert len(waiting) == 4 * (1 + 8)
    assert all(re.fullmatch(r'<img src="data:image/\w+;base64,[\w+/=]+" alt="[^"<>]*">', text) for text in waiting)


def test_each_group_is_labelled_by_its_heading() -> None:
    read = Page(page(5))
    labels = [section["aria-labelledby"] for section in read.all("section")]
    assert labels == [heading["id"] for heading in read.all("h3")]
    assert len(set(labels)) == 20


def test_is_made_while_it_is_written() -> None:
    """Groups are asked for one by one, so that no page has to fit into memory."""
    made = []

    def groups() -> Iterator[Alike]:
        for number in range(3):
            made.append(number)
            yield alike("square", 0, number, 1)

    pieces = iter(groups_page([Section("kind", "Kind", groups())], "t", "lead"))
    begun: list[str] = []
    while "Group 1<" not in "".join(begun):
        begun.append(next(pieces))
    assert made == [0]
    list(pieces)
    assert made == [0, 1, 2]


@pytest.mark.parametrize("others", [1, 12])
def test_no_groups_or_some(others: int) -> None:
    assert Page("".join(groups_page([], "t", "none"))).all("section") == []
    assert len(Page(page(1, others)).all("figure")) == 4 * (1 + others)
