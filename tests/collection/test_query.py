"""What a search is given, as one value."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.collection import Query
from lookalike.collection.query import Example, Own, Picture, Text, Vector
from lookalike.errors import ArgumentError, PictureError
from lookalike.fitting import Box

IMAGE = Image.new("RGB", (4, 4))


def test_each_kind_is_told_by_its_type() -> None:
    assert Query.of("a.jpg").more == Query.of(Path("a.jpg")).more == (Example(Picture("a.jpg", "a.jpg")),)
    assert Query.of(b"bytes").more == (Example(Picture(b"bytes")),)
    assert Query.of(IMAGE).more == (Example(Picture(IMAGE)),)
    assert Query.of(7).more == Query.of(np.int64(7)).more == Query.of(id=7).more == (Example(Own(7)),)
    assert Query.of(id="a.jpg").more == (Example(Own("a.jpg")),)
    assert Query.of(text="a cat").more == (Example(Text("a cat")),)
    values = [1.0, 2.0]
    for query in (Query.of(values), Query.of(vector=values)):
        ((what, weight),) = query.more
        assert isinstance(what, Vector)
        assert (what.values, weight) == (values, 1)


def test_a_stream_is_read_and_keeps_its_name(tmp_path: Path) -> None:
    assert Query.of(io.BytesIO(b"bytes")).more == (Example(Picture(b"bytes")),)
    (tmp_path / "a.jpg").write_bytes(b"bytes")
    with (tmp_path / "a.jpg").open("rb") as stream:
        assert Query.of(stream).more == (Example(Picture(b"bytes", str(tmp_path / "a.jpg"))),)
    with pytest.raises(PictureError, match="received none"):
        Query.of(io.BytesIO())
    with pytest.raises(PictureError, match="binary mode"):
        Query.of(io.StringIO("text"))


def weights(examples: tuple[Example, ...]) -> list[tuple[object, float]]:
    return [(what.source if isinstance(what, Picture) else getattr(what, "key", None), w) for what, w in examples]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("a.jpg", [("a.jpg", 1)]),
        (["a.jpg", Path("b.jpg")], [("a.jpg", 1), ("b.jpg", 1)]),
        (["a.jpg", ("b.jpg", 0.5)], [("a.jpg", 1), ("b.jpg", 0.5)]),
        (("a.jpg", 0.5), [("a.jpg", 0.5)]),
        (("a.jpg", 2), [("a.jpg", 2)]),
        (("a.jpg", "b.jpg"), [("a.jpg", 1), ("b.jpg", 1)]),
        ((3, 5), [(3, 1), (5, 1)]),
        ([(3, 5)], [(3, 5)]),
        ([3, (5, 0.25)], [(3, 1), (5, 0.25)]),
        (3, [(3, 1)]),
        ([(IMAGE, np.float32(2))], [(IMAGE, 2)]),
        (b"bytes", [(b"bytes", 1)]),
    ],
)
def test_examples_and_their_weights(more: Any, expected: list[tuple[object, float]]) -> None:
    assert weights(Query.of(more=more).more) == expected
    assert weights(Query.of("q.jpg", less=more).less) == expected


def test_examples_may_come_one_by_one() -> None:
    given = (f"{name}.jpg" for name in "ab")
    assert weights(Query.of(more=given).more) == [("a.jpg", 1), ("b.jpg", 1)]


def test_vectors_as_examples_are_lists_or_arrays() -> None:
    rows = Query.of(more=np.eye(3)).more
    assert [what.values.tolist() for what, _ in rows if isinstance(what, Vector)] == np.eye(3).tolist()
    ((one, weight),) = Query.of(more=[([1.0, 2.0], 3)]).more
    assert isinstance(one, Vector)
    assert (one.values, weight) == ([1.0, 2.0], 3)


def test_all_that_is_given_goes_together() -> None:
    query = Query.of("q.jpg", id=3, vector=[1.0], text="cat", more="a.jpg", less=["b.jpg"])
    assert [type(what) for what, _ in query.examples] == [Picture, Own, Vector, Text, Picture, Picture]
    assert (len(query.more), len(query.less)) == (5, 1)
    both = Query.of(query, text="dog", less=7)
    assert (len(both.more), len(both.less)) == (6, 2)
    assert Query.of(query) == query


def test_only_one_example_that_is_no_text_can_be_judged() -> None:
    assert Query.of("a.jpg").is_one
    assert Query.of(more="a.jpg").is_one
    assert not Query.of(text="cat").is_one
    assert not Query.of("a.jpg", less="b.jpg").is_one


def test_a_crop_is_of_the_query() -> None:
    assert Query.of("a.jpg", crop=[1, 2, 3, 4]).more == (Example(Picture("a.jpg", "a.jpg", Box(1, 2, 3, 4))),)
    assert Query.of(IMAGE, crop=Box(0, 0, 2, 2), more="a.jpg").more[1] == Example(Picture("a.jpg", "a.jpg"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "something to look for, received nothing"),
        ({"less": "a.jpg"}, "something to look for"),
        ({"text": "  "}, "some words"),
        ({"text": 5}, "some words"),
        ({"id": 1.5}, "the id of a hit"),
        ({"more": [("a.jpg", 0)]}, "weight of more is 0; expected a number above 0"),
        ({"query": "a.jpg", "less": [("a.jpg", -1)]}, "or the example as `more`"),
        ({"more": [("a.jpg", float("nan"))]}, "above 0"),
        ({"more": [("a.jpg", float("inf"))]}, "above 0"),
        ({"more": 1.5}, "a list of examples"),
        ({"crop": (0, 0, 5, 5), "id": 3}, "a picture to crop"),
        ({"crop": (0, 0, 5, 5), "query": [1.0, 2.0]}, "a picture to crop"),
        ({"crop": (0, 0, 5), "query": "a.jpg"}, "in whole pixels"),
        ({"crop": (0, 0, 5.5, 5), "query": "a.jpg"}, "in whole pixels"),
        ({"crop": 5, "query": "a.jpg"}, "in whole pixels"),
        ({"crop": (0, 0, 0, 5), "query": "a.jpg"}, "x, y, width, height"),
        ({"crop": (-1, 0, 5, 5), "query": "a.jpg"}, "x, y, width, height"),
    ],
    ids=str,
)
def test_what_cannot_be_looked_for(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Query.of(**given)
