"""Opening, searching and asking a collection."""

from __future__ import annotations

import json
import math
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lookalike
from lookalike.collection import Collection
from lookalike.errors import (
    ArgumentError,
    DamagedError,
    LookalikeError,
    ModelError,
    NoPicturesError,
    NotAnIndexError,
    PictureError,
    VectorError,
)
from lookalike.models import DEFAULT, Input, get_model, register
from tests.segment_files import segment, undigested

from .conftest import PICTURES, Draw, Python


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    with lookalike.open(folder) as opened:
        yield opened


def names(hits: list[lookalike.collection.Hit]) -> list[str]:
    return [Path(hit.path).name for hit in hits]


# -- opening ------------------------------------------------------------------------------------------


def test_a_folder_keeps_its_collection_within(folder: Path, collection: Collection) -> None:
    assert len(collection) == PICTURES
    assert [*map(undigested, os.listdir(folder / ".lookalike" / "segments"))] == ["000001.segment"]
    with Collection.open(folder / ".lookalike") as same:
        assert same.paths() == collection.paths()


def test_a_collection_elsewhere(tmp_path: Path, folder: Path) -> None:
    with Collection.create(folder, tmp_path / "index") as made:
        made.sync()
    assert not (folder / ".lookalike").exists()
    with Collection.open(tmp_path / "index") as opened:
        assert sorted(opened.paths()) == sorted(str(path) for path in folder.rglob("*.png"))


def test_sources_are_added(tmp_path: Path, folder: Path, draw: Draw) -> None:
    with Collection.create(folder, tmp_path / "index") as made:
        made.sync()
    picture = draw(tmp_path / "one" / "more.png", seed=50)
    with Collection.create([picture], tmp_path / "index") as opened:
        assert (opened.sync().new, len(opened)) == (1, PICTURES + 1)
        assert sorted(opened.info().roots) == sorted([str(folder), str(picture)])


def test_paths_are_absolute_and_by_the_name_that_was_given(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    with lookalike.open("link") as opened:
        (hit,) = opened.search("link/0.png", k=1)
        assert hit.path.startswith(f"{tmp_path}/link/")
    with lookalike.open("photos") as opened:
        assert opened.search("link/0.png", k=1)[0].path.startswith(f"{folder}/")


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("missing", NotAnIndexError, "received nothing"),
        ("photos/0.png", NotAnIndexError, "received a file"),
        ("empty", NoPicturesError, "received none .JPEG, HEIC, PNG, .* are read"),
        ("texts", NoPicturesError, "received none"),
    ],
)
def test_a_place_that_holds_no_collection(
    tmp_path: Path, folder: Path, where: str, error: type[LookalikeError], message: str
) -> None:
    assert folder.is_dir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("no picture")
    with pytest.raises(error, match=message):
        Collection.open(tmp_path / where)
    assert not (tmp_path / where / ".lookalike").exists()


def test_a_folder_that_holds_only_archives_says_how_they_are_read(tmp_path: Path) -> None:
    for name in ("a.tar", "b.zip", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(NoPicturesError) as error:
        Collection.open(tmp_path)
    named = (
        f"name the archives to have their pictures read, {tmp_path}/a.tar and 1 more: lookalike index FILE --to PATH"
    )
    assert str(error.value).endswith(named)


def test_a_picture_that_is_called_an_archive_is_one(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "0.png", seed=0).rename(tmp_path / "x.zip")
    with Collection.create(tmp_path / "x.zip", tmp_path / "index") as collection:
        assert collection.sync().new == 1


def test_sources_and_places_that_cannot_be(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NoPicturesError, match="missing"):
        Collection.create(tmp_path / "missing", tmp_path / "index")
    with pytest.raises(ArgumentError, match="--to PATH"):
        Collection.create([folder, folder / "below"])
    with pytest.raises(ArgumentError, match="--to PATH"):
        Collection.create(folder / "0.png")
    with pytest.raises(ArgumentError, match="at least one"):
        Collection.create([])
    with pytest.raises(ArgumentError, match="holds other files"):
        Collection.create(folder, folder)
    with pytest.raises(ArgumentError, match="a file"):
        Collection.create(folder, folder / "0.png")
    assert sorted(os.listdir(tmp_path)) == ["photos"]


def test_a_place_that_nobody_may_look_into(
    tmp_path: Path, folder: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    script = """
import sys, lookalike
try:
    lookalike.Collection.create(*sys.argv[1:])
except lookalike.errors.WriteError as error:
    print(error)
"""
    done = python(script, folder, tmp_path / "closed", prefix=unprivileged)
    assert "closed, received Permission denied; allow it" in done.stdout, done


# -- searching -----------------------------------------------------------------------------------------


def test_the_querys_own_file_is_left_out_and_a_copy_is_found(
    tmp_path: Path, folder: Path, collection: Collection
) -> None:
    shutil.copyfile(folder / "0.png", folder / "copy.png")
    collection.sync()
    hits = collection.search(folder / "0.png", k=3)
    assert (len(hits), hits[0].path) == (3, str(folder / "copy.png"))
    assert hits[0].distance == 0.0
    assert "0.png" not in names(hits)
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    assert (hits.query, hits.recall) == (str(folder / "0.png"), 1.0)
    # through a link it is the same file; a copy elsewhere is another
    (tmp_path / "link.png").symlink_to(folder / "0.png")
    assert names(collection.search(tmp_path / "link.png", k=3)) == names(hits)
    shutil.copyfile(folder / "0.png", tmp_path / "outside.png")
    assert sorted(names(collection.search(tmp_path / "outside.png", k=2))) == ["0.png", "copy.png"]


def test_links_to_the_query_do_not_take_the_places_of_others(folder: Path, collection: Collection) -> None:
    for i in range(5):
        (folder / f"link{i}.png").symlink_to(folder / "0.png")
    assert collection.sync().new == 5
    hits = collection.search(folder / "0.png", k=3)
    assert len(hits) == 3
    assert not any(name.startswith("link") for name in names(hits))


def test_a_query_changed_since_is_still_left_out(folder: Path, collection: Collection, draw: Draw) -> None:
    draw(folder / "0.png", seed=70)
    assert "0.png" not in names(collection.search(folder / "0.png", k=PICTURES))


def test_by_path_by_image_and_by_vector_are_one(tmp_path: Path, folder: Path, collection: Collection) -> None:
    changed = (folder / "0.png").read_bytes() + b"\0"  # the same pixels, another content
    (tmp_path / "query.png").write_bytes(changed)
    by_path = collection.search(str(tmp_path / "query.png"), k=4)
    with Image.open(folder / "0.png") as image:
        by_image = collection.search(image, k=4)
        side = collection.model.input.side
        pixels = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
    by_vector = collection.search(collection.model.embed(pixels[np.newaxis])[0].tolist(), k=4)
    assert names(by_path) == names(by_image)
    assert names(by_path)[0] == names(by_vector)[0] == "0.png"
    assert by_path[0].distance == pytest.approx(0, abs=1e-3)
    assert (by_image.query, by_vector.query) == (None, None)


def test_the_vector_of_a_picture(folder: Path, collection: Collection) -> None:
    path = collection.paths()[0]
    hit, *_ = collection.search(collection.vector(path), k=1)
    assert hit.path == path
    assert hit.distance == 0.0
    with pytest.raises(PictureError, match="indexed"):
        collection.vector(folder / "no such.png")


def test_fewer_pictures_than_asked_for(folder: Path, collection: Collection) -> None:
    assert len(collection.search(folder / "0.png", k=10**6)) == PICTURES - 1
    assert len(collection.search(np.ones(collection.model.dim), k=10**6)) == PICTURES


def test_threads_share_a_collection_while_it_is_synced(folder: Path, collection: Collection, draw: Draw) -> None:
    for i in range(4):
        draw(folder / f"new{i}.png", seed=500 + i)
    with ThreadPoolExecutor(4) as threads:
        synced = threads.submit(collection.sync, batch=1)
        sizes = list(threads.map(lambda _: len(collection.search(np.ones(collection.model.dim), k=100)), range(40)))
        assert synced.result().new == 4
    assert set(sizes) <= {PICTURES, PICTURES + 4}
    assert len(collection.search(np.ones(collection.model.dim), k=100)) == PICTURES + 4


def test_max_distance(folder: Path, collection: Collection) -> None:
    hits = collection.search(folder / "0.png", k=PICTURES)
    limit = hits[1].distance
    assert collection.search(folder / "0.png", k=PICTURES, max_distance=limit) == hits[:2]
    assert len(collection.search(folder / "0.png", k=PICTURES, max_distance=2)) == PICTURES - 1
    refused = r"max_distance is NaN|expected max_distance of cosine, from 0 to 2, received (-0\.1|2\.1|inf)"
    for beyond in (-0.1, 2.1, math.inf, math.nan):
        with pytest.raises(
            ArgumentError,
            match=refused,
        ):
            collection.search(folder / "0.png", max_distance=beyond)


def test_an_image_without_pixels(collection: Collection) -> None:
    with pytest.raises(PictureError, match="without pixels"):
        collection.search(Image.new("RGB", (0, 5)))


def test_a_query_that_cannot_be_read(tmp_path: Path, collection: Collection) -> None:
    (tmp_path / "text.jpg").write_text("a text")
    for name, reason in (("missing.png", "No such file"), ("text.jpg", "text"), ("photos", "regular file")):
        with pytest.raises(PictureError, match=reason) as caught:
            collection.search(tmp_path / name)
        assert caught.value.path == str(tmp_path / name)


@pytest.mark.parametrize(
    "query",
    [np.ones(5), np.ones((2, 1280)), np.ones((4, 4, 3), np.uint8), [], [[1, 2], [3]], ["a"] * 1280, 7.0, object()],
    ids=lambda query: type(query).__name__,
)
def test_no_vector_of_the_model(collection: Collection, query: object) -> None:
    with pytest.raises(VectorError, match="1280 numbers"):
        collection.search(query)  # type: ignore[arg-type]


def test_a_vector_with_nan(collection: Collection) -> None:
    with pytest.raises(VectorError):
        collection.search(np.full(collection.model.dim, np.nan))


def test_k_and_recall_out_of_range(folder: Path, collection: Collection) -> None:
    for k in (0, -1, 1.5):
        with pytest.raises(ArgumentError, match="k"):
            collection.search(folder / "0.png", k=k)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="recall"):
        collection.search(folder / "0.png", recall=1.5)


def test_a_known_picture_needs_neither_pillow_nor_onnxruntime(folder: Path, python: Python) -> None:
    lookalike.open(folder).close()
    script = """
import sys, lookalike
with lookalike.open(sys.argv[1]) as collection:
    assert len(collection.search(sys.argv[2], k=3)) == 3
print(*{name.partition(".")[0] for name in sys.modules} & {"PIL", "onnxruntime", "subprocess", "multiprocessing"})
"""
    assert python(script, folder, folder / "0.png").stdout.split() == []


# -- models and information ----------------------------------------------------------------------------


class Mean:
    """A model that anyone could write: the mean colour."""

    name = "mean"
    hash = "1"
    dim = 3
    input = Input(8, "squeeze")

    def embed(self, batch: np.ndarray) -> np.ndarray:
        means: np.ndarray = batch.mean(axis=(1, 2), dtype=np.float32)
        return means


@pytest.fixture
def mean() -> Iterator[Mean]:
    model = Mean()
    if "mean" not in lookalike.models.model._factories:
        register("mean", lambda: model)
    Mean.hash = "1"
    yield model
    Mean.hash = "1"


def test_another_model(tmp_path: Path, folder: Path, mean: Mean) -> None:
    with Collection.create(folder, tmp_path / "index", model="mean") as collection:
        collection.sync()
        assert len(collection.search([1, 2, 3])) == PICTURES
        assert collection.info().model == "mean"
    with pytest.raises(ModelError, match=f"model mean.*received {DEFAULT}"):
        Collection.create(folder, tmp_path / "index", model=DEFAULT)
    with Collection.create(folder, tmp_path / "index") as collection:
        assert collection.sync().unchanged == PICTURES
    Mean.hash = "2"
    with pytest.raises(ModelError, match=r"hash 1.*received 2.*change the model by"):
        Collection.open(tmp_path / "index")
    with pytest.raises(ModelError, match="known"):
        Collection.create(folder, tmp_path / "other", model="nobody's")
    assert not (tmp_path / "other").exists()


def test_a_picture_without_a_usable_vector_fails(tmp_path: Path, folder: Path, mean: Mean) -> None:
    Image.new("RGB", (8, 8)).save(folder / "black.png")  # a zero vector has no direction
    with Collection.create(folder, tmp_path / "index", model="mean") as collection:
        report = collection.sync()
        assert [(Path(f.path).name, report.new) for f in report.failed] == [("black.png", PICTURES)]


def test_info(folder: Path, collection: Collection) -> None:
    (folder / "text.jpg").write_text("a text")
    collection.sync()
    info = collection.info()
    model = get_model()
    assert (info.indexed, info.failed, info.pending, info.segments) == (PICTURES, 1, 0, 1)
    assert (info.model, info.model_hash, info.dim, info.metric) == (model.name, model.hash, 1280, "cosine")
    assert (info.path, info.roots, info.read_only) == (str(folder / ".lookalike"), [str(folder)], None)
    assert info.created <= info.updated
    assert info.bytes_on_disk > PICTURES * 1280 * 4
    assert json.dumps(asdict(info), default=str)


def test_a_collection_as_python_shows_it(folder: Path, collection: Collection) -> None:
    assert repr(collection) == f"<Collection of {PICTURES} pictures in {folder}/.lookalike>"
    collection.close()
    assert repr(collection) == f"<Collection in {folder}/.lookalike>"


def test_a_closed_collection_may_be_closed_again(collection: Collection) -> None:
    collection.close()
    collection.close()
    with pytest.raises(LookalikeError, match="open it again"):
        collection.search(np.ones(collection.model.dim))


def test_a_log_that_outlived_its_catalogue_is_not_replayed(folder: Path, python: Python) -> None:
    script = """
import os, sys, lookalike
collection = lookalike.open(sys.argv[1])
os.kill(os.getpid(), 9)
"""
    assert python(script, folder).returncode == -9
    catalogue = folder / ".lookalike" / "catalogue.sqlite"
    assert catalogue.with_name("catalogue.sqlite-wal").stat().st_size > 0
    catalogue.unlink()
    Collection.repair(folder)
    with lookalike.open(folder) as collection:
        assert len(collection.search(np.ones(collection.model.dim), k=PICTURES)) == PICTURES


def test_another_programs_catalogue_beside_the_pictures(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(NotAnIndexError, match=r"another program.*name another place"):
        Collection.open(folder)
    with Collection.create(folder) as collection:  # which says where: within the folder's own
        collection.sync()
    with Collection.open(folder) as collection:
        assert len(collection) == PICTURES


def open_and_search(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.search(np.ones(collection.model.dim), k=PICTURES)


@pytest.mark.parametrize("name", ["catalogue.sqlite", "segment"])
@pytest.mark.parametrize("damage", ["removed", "truncated", "altered", "another", "empty"])
def test_damaged_files(tmp_path: Path, folder: Path, draw: Draw, name: str, damage: str) -> None:
    lookalike.open(folder).close()
    file = folder / ".lookalike" / name if name != "segment" else segment(folder / ".lookalike")
    data = bytearray(file.read_bytes())
    match damage:
        case "removed":
            file.unlink()
        case "truncated":
            file.write_bytes(data[: len(data) // 2])
        case "altered":
            for at in range(0, len(data), 512):
                data[at] ^= 0x55
            file.write_bytes(data)
        case "another":
            draw(tmp_path / "other" / "a.png", seed=1)
            lookalike.open(tmp_path / "other").close()
            other = tmp_path / "other" / ".lookalike"
            shutil.copyfile(other / name if name != "segment" else segment(other), file)
        case "empty":
            file.write_bytes(b"")
    with pytest.raises((DamagedError, NotAnIndexError), match=r"lookalike repair|delete .* and index again") as caught:
        open_and_search(folder)
    assert str(folder / ".lookalike") in str(caught.value)
    assert "\n" not in str(caught.value)
