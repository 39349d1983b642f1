"""Searching by all kinds of queries, with a model of colours that reads their names."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import lookalike
from lookalike.collection import Collection, Hits, Query
from lookalike.collection.sure import FEWEST
from lookalike.errors import ArgumentError, IdError, ModelError, PictureError, VectorError
from lookalike.fitting import Box, Input
from lookalike.models import register

from .conftest import PICTURES, Draw

RED = [122.5, -117.5, -117.5]
COLOURS = {"red": (250, 10, 10), "green": (10, 250, 10), "blue": (10, 10, 250), "yellow": (250, 250, 10)}


class Colours:
    """The mean colour, around grey; of a text the colour that it names."""

    name = "colours"
    hash = "1"
    dim = 3
    input = Input(8, "squeeze")

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        around_grey: NDArray[np.float32] = batch.mean(axis=(1, 2), dtype=np.float32) - np.float32(127.5)
        return around_grey

    def embed_text(self, texts: list[str]) -> NDArray[np.float32]:
        return np.array([COLOURS[text.split()[-1]] for text in texts], np.float32) - np.float32(127.5)


@pytest.fixture(scope="module")
def colours() -> str:
    register("colours", Colours)
    return "colours"


def paint(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


@pytest.fixture
def paints(tmp_path: Path, colours: str) -> Iterator[Collection]:
    """red.png, green.png, blue.png, yellow.png."""
    folder = tmp_path / "paints"
    folder.mkdir()
    for name, colour in COLOURS.items():
        paint(folder / f"{name}.png", colour)
    with Collection.create(folder, model=colours) as collection:
        collection.sync()
        yield collection


def names(hits: Hits) -> list[str]:
    return [Path(hit.path).stem for hit in hits]


def at(collection: Collection, name: str) -> str:
    return os.path.join(collection.info().roots[0], f"{name}.png")


def test_by_text(paints: Collection) -> None:
    for name in COLOURS:
        hits = paints.search(text=f"something {name}", k=1)
        assert names(hits) == [name]
        assert (hits.query, hits.match, hits[0].score) == (None, None, None)


def test_by_text_without_a_model_that_reads(folder: Path) -> None:
    class Greys(Colours):
        name = "greys"
        embed_text = property()  # which is no attribute

    register("greys", Greys)
    with Collection.create(folder, model="greys") as collection:
        collection.sync()
        with pytest.raises(ModelError, match=r"reads text, received greys, .*clip:NAME.*the shipped one"):
            collection.search(text="a cat")


def test_by_id_the_item_itself_is_left_out_and_a_copy_is_not(paints: Collection) -> None:
    shutil.copy(at(paints, "red"), at(paints, "copy"))
    paints.sync()
    (red,) = [hit for hit in paints.search(text="red") if names(Hits([hit], query=None, recall=1)) == ["red"]]
    for key in (red.id, np.int64(red.id), red.path, Path(red.path)):
        hits = paints.search(id=key, k=4)
        assert names(hits)[0] == "copy"
        assert "red" not in names(hits)
        assert hits.query == red.path
    assert names(paints.search(red.id, k=4)) == names(paints.search(id=red.id, k=4))
    assert paints.path(red.id) == red.path


def test_an_item_whose_file_is_gone_is_searched_by_all_the_same(paints: Collection) -> None:
    os.remove(at(paints, "red"))
    assert names(paints.search(id=at(paints, "red"), k=1)) == ["yellow"]


@pytest.mark.parametrize("id", [99, 0, 2**62])
def test_no_such_id(paints: Collection, id: int) -> None:
    for search in (paints.path, lambda key: paints.search(id=key)):
        with pytest.raises(IdError, match=f"received {id}"):
            search(id)


def test_ids_and_paths_of_nothing(paints: Collection) -> None:
    with pytest.raises(IdError, match="received -1"):
        paints.search(id=-1)
    with pytest.raises(PictureError, match="indexed"):
        paints.search(id="nowhere.png")


def test_by_bytes_and_by_a_stream(paints: Collection) -> None:
    data = Path(at(paints, "red")).read_bytes()
    for query in (data, io.BytesIO(data), data + b"\0"):  # the last is no content that is known
        hits = paints.search(query, k=2)
        assert names(hits)[0] == "red"
        assert hits[0].distance == pytest.approx(0, abs=1e-6)
        assert hits.query is None
    with open(at(paints, "red"), "rb") as stream:
        assert names(paints.search(stream, k=1)) == ["red"]
    with pytest.raises(PictureError, match="its content is text"):
        paints.search(b"this is a text, and no picture")


def test_by_vector(paints: Collection) -> None:
    vector = paints.vector(at(paints, "blue"))
    for given in (vector, vector.tolist(), vector.astype(np.float64)):
        assert names(paints.search(vector=given, k=1)) == names(paints.search(given, k=1)) == ["blue"]
    with pytest.raises(VectorError, match="3 numbers"):
        paints.search(vector=np.ones(4))
    with pytest.raises(VectorError, match="received 2 vectors"):
        paints.search(vector=np.ones((2, 3)))


def test_more_and_less(paints: Collection) -> None:
    red, green = at(paints, "red"), at(paints, "green")
    both = paints.search(more=[red, green], k=4)
    assert names(both) == ["yellow", "blue"], "red and green make yellow, and are not found themselves"
    assert both.match is None
    assert names(paints.search(red, more=green, k=4)) == names(both)
    assert names(paints.search(text="yellow", less=red, k=2)) == ["yellow", "green"]
    assert names(paints.search(text="yellow", less=[(green, 0.9)], k=2)) == ["yellow", "red"]
    assert names(paints.search(text="yellow", less=[RED], k=2)) == ["yellow", "green"]


def test_weights_pull(paints: Collection) -> None:
    red, green = at(paints, "red"), at(paints, "green")
    assert names(paints.search(more=[(RED, 9), green], k=1)) == ["red"]
    assert names(paints.search(Query.of(RED, more=[(green, 0.1)]), k=1)) == ["red"]
    with pytest.raises(VectorError, match="opposites"):
        paints.search(more=[red, [-x for x in paints.vector(red).tolist()]])
    with pytest.raises(ArgumentError, match="something to look for"):
        paints.search(less=red)
    with pytest.raises(ArgumentError, match="something to look for"):
        paints.search()


def test_a_part_of_a_picture(tmp_path: Path, paints: Collection) -> None:
    half = Image.new("RGB", (40, 30), COLOURS["red"])
    half.paste(COLOURS["blue"], (20, 0, 40, 30))
    half.save(at(paints, "half"))
    paints.sync()
    for query in (at(paints, "half"), half, Path(at(paints, "half")).read_bytes()):
        hits = paints.search(query, crop=(21, 0, 19, 30), k=1)
        assert names(hits) == ["blue"], "though the whole of it is indexed, and known by its hash"
        assert hits[0].distance == pytest.approx(0, abs=1e-5)
        assert names(paints.search(query, crop=Box(0, 0, 19, 30), k=1)) == ["red"]
    assert "half" not in names(paints.search(at(paints, "half"), crop=(21, 0, 19, 30)))
    assert "half" in names(paints.search(Path(at(paints, "half")).read_bytes(), crop=(21, 0, 19, 30)))
    with pytest.raises(PictureError, match="within its 40 x 30 pixels"):
        paints.search(at(paints, "half"), crop=(30, 0, 20, 20))


def test_a_crop_is_of_the_upright_picture(tmp_path: Path, paints: Collection) -> None:
    lying = Image.new("RGB", (30, 40), COLOURS["red"])
    lying.paste(COLOURS["blue"], (0, 20, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right: blue is at the left then
    lying.save(tmp_path / "lying.png", exif=exif)
    assert names(paints.search(tmp_path / "lying.png", crop=(0, 0, 19, 30), k=1)) == ["blue"]


def test_an_example_that_cannot_be_read_is_named(tmp_path: Path, paints: Collection) -> None:
    (tmp_path / "text.jpg").write_text("a text")
    for more in ("missing.png", tmp_path / "text.jpg"):
        with pytest.raises(PictureError) as caught:
            paints.search(at(paints, "red"), more=more)
        assert caught.value.path == str(more)


# -- how sure ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, colours: str) -> Iterator[Collection]:
    """40 reds of many shades, and as many blues."""
    folder = tmp_path_factory.mktemp("many")
    random = np.random.default_rng(0)
    for name in ("red", "blue"):
        for i in range(40):
            shade = np.clip(np.array(COLOURS[name]) + random.integers(-10, 10, 3) * 4, 0, 255).tolist()
            paint(folder / f"{name}{i}.png", tuple(shade))
    with Collection.create(folder, model=colours) as collection:
        collection.sync()
        yield collection


def test_a_hit_unpacks_as_before_and_has_a_score(many: Collection) -> None:
    hits = many.search(RED, k=3)
    for hit in hits:
        path, distance, id = hit
        assert (path, distance, id) == (hit.path, hit.distance, hit.id)
        assert hit.score is not None
        assert f"score={hit.score!r})" in repr(hit)
    assert hits.match is True


def test_green_is_no_good_match_among_reds_and_blues(many: Collection, tmp_path: Path) -> None:
    hits = many.search(paint(tmp_path / "green.png", COLOURS["green"]), k=5)
    assert len(hits) == 5
    assert hits.match is False
    assert all(hit.score is not None and hit.score < 0.1 for hit in hits)
    assert hits.kin is not None
    assert hits.kin < 0.1
    assert many.search(tmp_path / "green.png", max_distance=0.0).match is False


def test_what_a_condition_leaves_is_held_against_all(many: Collection) -> None:
    assert many.search(RED, where="name contains 'red'").match is True
    blues = many.search(RED, where="name contains 'blue'")
    assert (len(blues), blues.match) == (10, False)


def test_what_is_not_told(many: Collection, paints: Collection) -> None:
    assert many.search(text="red").match is None
    assert many.search(RED, less=[[-1.0, -1.0, 1.0]]).match is None
    assert len(paints) < FEWEST
    few = paints.search(RED)
    assert (few.match, few.kin, {hit.score for hit in few}) == (None, None, {None})


def test_it_goes_with_the_state_of_the_collection(tmp_path: Path, colours: str) -> None:
    (tmp_path / "paints").mkdir()
    for i in range(FEWEST):
        paint(tmp_path / "paints" / f"{i}.png", (200, 10 + i, 10))
    with Collection.create(tmp_path / "paints", model=colours) as collection:
        collection.sync()
        before = collection.search(RED, k=1)
        assert collection.search(RED, k=1)[0].score == before[0].score
        os.remove(tmp_path / "paints" / "0.png")
        collection.sync()
        assert collection.search(RED, k=1).match is None, "one fewer"


def test_several_pictures_of_which_some_are_known(paints: Collection, tmp_path: Path) -> None:
    first, second = (paint(tmp_path / f"{i}.png", (200, 50 * i, 9)) for i in (1, 2))
    assert len(paints.search(Query.of(first, more=[second, at(paints, "red")]))) == 3


def test_the_default_model_by_all_but_text(folder: Path, draw: Draw, tmp_path: Path) -> None:
    with lookalike.open(folder) as collection:
        path = collection.paths()[0]
        given: list[dict[str, Any]] = [
            {"query": path},
            {"id": path},
            {"vector": collection.vector(path)},
            {"more": path},
            {"query": draw(tmp_path / "q.png", seed=90), "less": path},
        ]
        for each in given:
            assert len(collection.search(**each, k=3)) == 3
        assert len(collection.search(id=path, k=PICTURES)) == PICTURES - 1
