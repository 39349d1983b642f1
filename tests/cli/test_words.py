"""Words, as a user types them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from lookalike.collection import Collection

from .conftest import Run
from .test_search import sentence


class Page(HTMLParser):
    """What a page says, without its style."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self._within: list[str] = []
        self.said: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._within.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" not in self._within and data.strip():
            self.said.append(" ".join(data.split()))


def test_a_query_that_is_no_path_is_words(run: Run, photos: Path) -> None:
    done = run("search", "wall clock", "photos", "-k", "2")
    by_option = run("search", "--text", "wall clock", "photos", "-k", "2")
    assert done.stdout == by_option.stdout
    distance, score, path = done.stdout.splitlines()[0].split("  ")
    assert path.startswith("photos/clocks/")
    assert float(distance) + float(score) == 1 or abs(1 - float(distance) - float(score)) < 0.01
    assert re.search(r"(\d of these probably shows?|nothing here is surely) “wall clock”", by_option.stderr)


def test_a_file_comes_first_and_what_looks_like_a_path_is_none(run: Run, photos: Path, picture: Path) -> None:
    (photos.parent / "clock").write_bytes(picture.read_bytes())
    assert "no good match" not in run("search", "clock", "photos", "-k", "1").stderr
    assert "photos/clocks/" in run("search", "--text", "clock", "photos", "-k", "1").stdout
    for name in ("clok.png", "./clok", "photos/clok", "dog.jpeg"):
        assert "is not there" in sentence(run("search", name, "photos", code=2).stderr)
    assert "the query is a folder" in sentence(run("search", "photos", "photos", code=2).stderr)


def test_json_has_the_probability_and_what_the_word_was_taken_for(run: Run, photos: Path) -> None:
    lines = [json.loads(line) for line in run("search", "Clocks", "photos", "-k", "3", "--json").stdout.splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert abs(1 - line["distance"] - line["score"]) < 1e-6
        assert line["match"] is True
        (word,) = line["words"]
        assert (word["text"], word["name"], word["narrow"]) == ("Clocks", "clock", "")
    picture = run("search", photos / "clocks" / "blue_clock.webp", "photos", "-k", "1", "--json").stdout
    assert "words" not in json.loads(picture)


def test_a_guess_and_a_narrow_word_are_said(run: Run, photos: Path) -> None:
    assert "“lemons” is a guess: where it was measured, of the 10 likeliest" in run("search", "lemons", "photos").stderr
    said = run("search", "flower", "photos", "-k", "1").stderr
    assert "the network knows only daisy and yellow lady's slipper" in said
    assert "“crane” is taken for: " in run("search", "crane", "photos", "-k", "1").stderr
    nothing = run("search", "violin", "photos", "--max-distance", "0.1", code=1)
    assert "nothing found within a distance of 0.1" in nothing.stderr


def test_words_beside_pictures(run: Run, photos: Path) -> None:
    cat = photos / "cats" / "siamese.jpg"
    both = run(
        "search", "clock", "photos", "--more", f"{cat}:0.5", "--less", photos / "fruit" / "banana.png", "-k", "40"
    )
    assert "siamese.jpg" not in both.stdout
    assert "photos/clocks/" in both.stdout.splitlines()[0]
    assert "crop" in sentence(run("search", "clock", "photos", "--crop", "1,2,3,4", code=2).stderr)


def test_a_page_claims_nothing_without_probably(run: Run, photos: Path) -> None:
    run("search", "clock", "photos", "-k", "8", "--html", "page.html")
    html = (photos.parent / "page.html").read_text()
    said = Page(html).said
    assert "<title>Probably “clock”</title>" in html
    titles = [text for text in said if "“clock”" in text]
    assert titles
    for text in titles:  # but for the word that was searched by
        assert text == "“clock”" or re.search("probably|surely", text, re.IGNORECASE), text
    with Collection.open(photos) as collection:
        hits = collection.search(text="clock", k=8)
    expected = [
        "probably" if (hit.score or 0) >= 0.5 else "perhaps" if (hit.score or 0) >= 0.1 else "hardly" for hit in hits
    ]
    assert [text for text in said if text in ("probably", "perhaps", "hardly")] == expected


def test_a_page_of_a_picture_and_words(run: Run, photos: Path) -> None:
    clock = photos / "clocks" / "blue_clock.webp"
    run("search", clock, "photos", "--text", "clock", "-k", "3", "--html", "page.html")
    html = (photos.parent / "page.html").read_text()
    assert "<title>Look-alikes of blue_clock.webp and 1 more</title>" in html
    assert "What a picture shows is a guess of a network" in html
    run("search", clock, "photos", "-k", "3", "--html", "page.html")
    assert "guess of a network" not in (photos.parent / "page.html").read_text()


def test_what_a_collection_probably_shows(run: Run, photos: Path) -> None:
    run("index", "photos")
    lines = run("info", "--words", "photos").stdout.splitlines()
    rows = [re.fullmatch(r" *([\d,]+)  (probably .+|not sure)", line) for line in lines]
    assert all(rows), lines
    assert any("probably clocks and watches" in line for line in lines)
    told = json.loads(run("info", "--words", "--json", "photos").stdout)
    assert told["probably"]["clocks and watches"] >= 5
    with Collection.open(photos) as collection:
        assert sum(told["probably"].values()) + told["unsure"] == len(collection)


def test_vectors_know_no_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("3 2\nred 1 0\ngreen 0 1\nblue 1 1\n")
    run("index", "words.txt", "--to", "vectors")
    assert "reads text" in sentence(run("search", "dog", "vectors", code=2).stderr)
    assert "expected a collection of the model efficientnet-lite0" in sentence(
        run("info", "--words", "vectors", code=2).stderr
    )
