"""The page of groups: what is in it, what must never be, and how Chromium shows it."""

from __future__ import annotations

import pytest

from lookalike.names import visible
from lookalike.pages import Alike, Picture, groups_page

from .evil import NAMES, picture, tile
from .test_gallery import Page


def page(count: int = 2, others: int = 12) -> str:
    groups = [
        Alike(
            Picture(tile(NAMES[number % 12], thumbnail=picture()), "60 × 40, 1 kB"),
            [
                Picture(tile(name, rank / 1000, picture("JPEG") if rank % 3 else None), f"about {name}", rank == 0)
                for rank, name in enumerate(NAMES[:others])
            ],
            f"note {NAMES[0]}",
        )
        for number in range(count)
    ]
    return groups_page(groups, f"Duplicates in {NAMES[0]}", f"lead {NAMES[1]}", [(name, name) for name in NAMES])


def test_keepers_others_and_distances() -> None:
    read = Page(page())
    assert len(read.all("section")) == 2
    assert sum(text == "Kept" for _, text in read.text) == 2
    assert sum(text == "same bytes" for _, text in read.text) == 2
    assert [text for tag, text in read.text if tag == "data"] == [f"0.{rank:03}" for rank in range(1, 12)] * 2
    words = read.words()
    assert words.index("lead") < words.index("60 × 40")
    for name in NAMES:
        assert visible(name) in words
    assert "49.png" not in words


def test_nothing_is_loaded_or_run() -> None:
    read = Page(page())
    assert {tag for tag, _ in read.elements}.isdisjoint({"script", "iframe", "object", "embed", "base", "form"})
    for tag, attributes in read.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name == "src":
                assert value.startswith("data:image/")
            if name == "href":
                assert value.startswith("file:///photos/" if tag == "a" else "data:,")


def test_each_group_is_labelled_by_its_heading() -> None:
    read = Page(page(5))
    labels = [section["aria-labelledby"] for section in read.all("section")]
    assert labels == [heading["id"] for heading in read.all("h2")]
    assert len(set(labels)) == 5


@pytest.mark.parametrize("others", [1, 12])
def test_no_groups_or_some(others: int) -> None:
    assert Page(groups_page([], "t", "none")).all("section") == []
    assert len(Page(page(1, others)).all("figure")) == 1 + others
