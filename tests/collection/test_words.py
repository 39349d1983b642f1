"""Searching by words, with the shipped model and the pictures of the demonstration."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import lookalike
from lookalike.collection import Collection, Hits, classes_file
from lookalike.collection.classes import SURE, Classes
from lookalike.demo import folder as demo
from lookalike.errors import ArgumentError, ModelError
from lookalike.models import get_model, model
from lookalike.models.words import kinds as classes_of_kinds
from lookalike.models.words import words_of

from ..conftest import Require

STAMPS = Path("/usr/share/tuxpaint/stamps")
KINDS = ("clocks", "balloons", "berries", "dogs", "big_cats", "vehicles", "penguins")


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("words") / "photos"
    for kind in KINDS:
        shutil.copytree(Path(demo(), kind), place / kind)
    lookalike.open(place).close()
    return place


@pytest.fixture
def photos(indexed: Path) -> Iterator[Collection]:
    with Collection.open(indexed) as collection:
        yield collection


def folders(hits: Hits) -> list[str]:
    return [os.path.basename(os.path.dirname(hit.path)) for hit in hits]


def at(indexed: Path, name: str) -> str:
    return str(next(indexed.rglob(name)))


# -- a word alone --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "folder", "least"),
    [("clock", "clocks", 5), ("balloon", "balloons", 3), ("strawberry", "berries", 3), ("bird", "penguins", 3)],
)
def test_a_word_finds_what_it_says(photos: Collection, word: str, folder: str, least: int) -> None:
    assert folders(photos.search(text=word, k=least)) == [folder] * least


def test_distance_and_score_are_a_probability(photos: Collection) -> None:
    hits = photos.search(text="clocks", k=len(photos))
    assert len(hits) == len(photos)
    for hit in hits:
        assert hit.score is not None
        assert hit.distance == pytest.approx(1 - hit.score)
        assert 0 <= hit.score <= 1
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    assert (hits.recall, hits.match, hits.query, hits.kin) == (1.0, True, None, None)
    assert [(word.text, word.name) for word in hits.words] == [("clocks", "clock")]


def test_the_probability_is_that_of_the_stored_vector(photos: Collection) -> None:
    words = words_of("efficientnet-lite0")
    assert words is not None
    for word, lost in (("strawberry", 0.001), ("dog", 0.1)):  # what is behind the likeliest 32 classes is left out
        for hit in photos.search(text=word, k=3):
            classes = list(words.mean(word).classes)
            exact = words.probabilities(photos.vector(hit.path)[np.newaxis])[0, classes].sum()
            assert exact - lost <= (hit.score or 0) <= exact + 0.001


def test_what_is_above_sums_what_is_below(photos: Collection) -> None:
    fruit = {hit.path: hit.score or 0 for hit in photos.search(text="fruit", k=1000)}
    for hit in photos.search(text="strawberry", k=5):
        assert fruit[hit.path] >= (hit.score or 0)


def test_nothing_here_is_surely_so(photos: Collection) -> None:
    hits = photos.search(text="violin", k=3)
    assert hits.match is False
    assert all((hit.score or 0) < SURE for hit in hits)
    assert photos.search(text="violin", max_distance=0.1) == []


def test_limits_and_conditions(photos: Collection) -> None:
    near = photos.search(text="clock", k=100, max_distance=0.5)
    assert near
    assert all(hit.distance <= 0.5 for hit in near)
    only = photos.search(text="clock", k=5, where="folder = 'balloons'")
    assert folders(only) == ["balloons"] * 5


def test_an_unknown_word_and_an_empty_collection(photos: Collection, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="the nearest that it knows: flower"):
        photos.search(text="sunflower")
    Image.new("RGB", (300, 300)).save(tmp_path / "black.png")
    with Collection.open(tmp_path) as empty:
        assert empty.search(text="dog") == []


# -- together with pictures ----------------------------------------------------------------------------


def test_a_word_and_a_picture_together(indexed: Path, photos: Collection) -> None:
    """Of the clocks, first those that look like one of them; before the balloons, which are no clocks."""
    blue = at(indexed, "blue_clock_1.png")
    hits = photos.search(blue, k=100, text="clock")
    assert blue not in [hit.path for hit in hits]
    assert hits.query == blue
    alone = {hit.path: hit.distance for hit in photos.search(blue, k=100, exact=True)}
    words = {hit.path: hit.distance for hit in photos.search(text="clock", k=100)}
    for hit in hits:
        assert hit.distance == pytest.approx((alone[hit.path] + words[hit.path]) / 2, abs=1e-5)
        assert hit.score == pytest.approx(1 - words[hit.path])


def test_weights_and_unlike(indexed: Path, photos: Collection) -> None:
    one, other = at(indexed, "blue_clock_1.png"), at(indexed, "strawberry.png")
    to_one = {hit.path: hit.distance for hit in photos.search(one, k=100, exact=True)}
    to_other = {hit.path: hit.distance for hit in photos.search(other, k=100, exact=True)}
    to_word = {hit.path: hit.distance for hit in photos.search(text="fruit", k=100)}
    hits = photos.search(text="fruit", more=[(one, 3)], less=[(other, 0.5)], k=100)
    assert {one, other}.isdisjoint(hit.path for hit in hits)
    for hit in hits:
        middle = (to_word[hit.path] + 3 * to_one[hit.path]) / 4
        assert hit.distance == pytest.approx(middle + 0.5 * (middle - to_other[hit.path]), abs=1e-5)


# -- what changes --------------------------------------------------------------------------------------


def test_new_pictures_are_found_and_old_ones_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "photos"
    shutil.copytree(Path(demo(), "clocks"), place)
    looked: list[int] = []
    probabilities = words_of("efficientnet-lite0").probabilities  # type: ignore[union-attr]

    def counted(self: Any, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        looked.append(len(vectors))
        return probabilities(vectors)

    monkeypatch.setattr("lookalike.models.words.Words.probabilities", counted)
    with lookalike.open(place) as collection:
        count = len(collection)
        collection.search(text="clock")
        collection.search(text="dog")
        shutil.copy(Path(demo(), "dogs", "labrador.jpg"), place)
        os.remove(collection.search(text="clock", k=1)[0].path)
        collection.sync()
        assert Path(collection.search(text="dog", k=1)[0].path).name == "labrador.jpg"
        assert len(collection.search(text="clock", k=1000)) == count
    assert looked == [count, 1]


def test_progress_is_told(indexed: Path) -> None:
    told: list[tuple[int, int]] = []
    with Collection.open(indexed) as collection:
        collection.search(text="dog", progress=lambda done, total: told.append((done, total)))
        count = len(collection)
        collection.search(text="cat", progress=lambda done, total: told.append((done, total)))
    assert (told[0], told[-1]) == ((0, count), (count, count))


def test_classes_are_kept_by_the_likeliest_first(photos: Collection) -> None:
    words = words_of("efficientnet-lite0")
    assert words is not None
    found = photos.examine(lambda index, _: Classes.of(index, words, Classes.none(), None))
    assert (np.diff(found.ids) > 0).all()
    assert (np.diff(found.shares.astype(np.float32), axis=1) <= 0).all()
    assert (found.probability(range(1000)) <= 1).all()


# -- kinds ---------------------------------------------------------------------------------------------


def test_kinds_add_up(photos: Collection) -> None:
    kinds = photos.kinds()
    assert sum(kinds.probably.values()) + kinds.unsure == len(photos)
    assert list(kinds.probably.values()) == sorted(kinds.probably.values(), reverse=True)
    assert kinds.probably["clocks and watches"] >= 5
    assert kinds.probably["dogs"] >= 1
    words = words_of("efficientnet-lite0")
    assert words is not None
    found = photos.examine(lambda index, _: Classes.of(index, words, Classes.none(), None))
    every = {name: found.probability(numbers) for name, numbers in classes_of_kinds().items()}
    likeliest = np.array(list(every.values())).max(axis=0)
    assert kinds.unsure == (likeliest < SURE).sum()
    for name, count in kinds.probably.items():
        assert count == ((every[name] == likeliest) & (likeliest >= SURE)).sum()


# -- other models --------------------------------------------------------------------------------------


class Reader:
    """Sees what the shipped model sees, and reads: every text is a picture of a clock."""

    def __init__(self) -> None:
        self._seen = get_model()
        self.name, self.hash, self.dim, self.input = "reader", "1", self._seen.dim, self._seen.input

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._seen.embed(batch)

    def embed_text(self, texts: list[str]) -> NDArray[np.float32]:
        with Image.open(Path(demo(), "clocks", "blue_clock_1.png")) as picture:
            pixels = np.asarray(picture.convert("RGBA").convert("RGB").resize((self.input.side, self.input.side)))
        return np.concatenate([self.embed(pixels[np.newaxis])] * len(texts))


@pytest.mark.parametrize("name", ["reader", "efficientnet-lite0"])
def test_a_model_that_reads_text_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Even one that is called as the shipped one: `dog` is what its own text tower says."""
    made = Reader()
    made.name = name
    monkeypatch.setitem(model._models, name, made)
    for kind in ("clocks", "dogs"):
        shutil.copytree(Path(demo(), kind), tmp_path / "photos" / kind)
    with Collection.create(tmp_path / "photos", model=name) as collection:
        collection.sync()
        hits = collection.search(text="dog, or whatever", k=3)
        assert folders(hits) == ["clocks"] * 3
        assert (hits.words, hits.match) == ((), None)


def test_a_model_that_knows_no_words_has_no_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(model._models, "reader", Reader())
    shutil.copytree(Path(demo(), "dogs"), tmp_path / "dogs")
    with Collection.create(tmp_path / "dogs", model="reader") as collection:
        collection.sync()
        with pytest.raises(
            ModelError, match=r"expected a collection of the model efficientnet-lite0, .* received one of"
        ):
            collection.kinds()


# -- the trial on stamps -------------------------------------------------------------------------------


def test_words_put_the_right_stamp_first_or_second(tmp_path: Path, require_or_skip: Require) -> None:
    require_or_skip(STAMPS.is_dir(), "needs Debian's tuxpaint-stamps-default")
    place = tmp_path / "stamps"
    for kind in ("food/fruit", "animals/mammals", "animals/birds", "animals/fish", "town/cartoon", "hobbies/music"):
        for picture in sorted((STAMPS / kind).rglob("*.png")):
            (place / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(picture, place / kind / f"{len(list(place.rglob('*.png')))}-{picture.name}")
    with lookalike.open(place) as collection:
        for word in ("banana", "zebra", "elephant", "lemon", "pineapple", "strawberry", "pomegranate", "lion"):
            found = [Path(hit.path).stem.lower() for hit in collection.search(text=word, k=2)]
            assert any(word in name for name in found), (word, found)


# -- what is kept --------------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A collection that is large enough to keep what its pictures show."""
    monkeypatch.setattr(classes_file, "WORTH", 1)
    place = tmp_path / "photos"
    shutil.copytree(Path(demo(), "clocks"), place)
    lookalike.open(place).close()
    return place


def looked_at(place: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many pictures a search by words has to look at, by a process that has not searched yet."""
    told: list[tuple[int, int]] = []
    with Collection.open(place) as collection:
        hits = collection.search(text="wall clock", k=3, progress=lambda done, total: told.append((done, total)))
        assert [round(hit.distance, 3) for hit in hits] == sorted(round(hit.distance, 3) for hit in hits)
    return told[-1][1] if told else 0


def test_what_pictures_show_is_kept(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.open(many) as collection:
        count = len(collection)
        first = collection.search(text="wall clock")
    assert (many / ".lookalike" / "classes").is_file()
    assert looked_at(many, monkeypatch) == 0
    with Collection.open(many) as collection:
        assert collection.search(text="wall clock") == first
        shutil.copy(Path(demo(), "dogs", "labrador.jpg"), many)
        collection.sync()
        assert Path(collection.search(text="dog", k=1)[0].path).name == "labrador.jpg"
        assert collection.verify(many) == []
    assert looked_at(many, monkeypatch) == 0
    assert not list((many / ".lookalike").glob(".lookalike-*"))
    assert count + 1 == len(Collection.open(many))


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "key", "grow"])
def test_a_kept_file_that_is_damaged_or_of_another_collection_is_made_again(
    many: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Collection.open(many) as collection:
        first, count = collection.search(text="wall clock"), len(collection)
    kept = many / ".lookalike" / "classes"
    data = bytearray(kept.read_bytes())
    match change:
        case "flip":
            data[len(data) // 2] ^= 1
        case "key":
            data[20] ^= 1
            data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
        case "grow":
            data[40:48] = (2**40).to_bytes(8, "little")
            data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
        case _:
            del data[len(data) // 2 if change == "cut" else 0 :]
    kept.write_bytes(data)
    assert looked_at(many, monkeypatch) == count
    assert looked_at(many, monkeypatch) == 0
    with Collection.open(many) as collection:
        assert collection.search(text="wall clock") == first


def test_a_folder_that_may_not_be_written_is_searched_all_the_same(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("lookalike.collection.kept_file.os.replace", refuse)
    assert looked_at(many, monkeypatch) > 0
    assert not (many / ".lookalike" / "classes").exists()
