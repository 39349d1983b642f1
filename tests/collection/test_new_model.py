"""A collection changes its model: what stays, what is told, and what happens meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection, Progress, embedding
from lookalike.collection.sealed import segments
from lookalike.errors import ArgumentError, DamagedError, ModelError, ReadError
from lookalike.models import DEFAULT, get_model
from lookalike.vectors import write_vectors
from tests.archived import pack

from .conftest import PICTURES, Draw, Python

pytestmark = pytest.mark.thorough

OLD, NEW = "ahash", "phash:64"
GOLDEN = Path(__file__).parent / "golden"


class Stop(Exception):  # noqa: N818
    pass


def stop_after(count: int) -> Progress:
    def show(done: int, total: int) -> None:
        if done >= count:
            raise Stop

    return show


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BATCH", 2)


@pytest.fixture
def indexed(folder: Path) -> Path:
    with Collection.create(folder, model=OLD) as collection:
        assert collection.sync().new == PICTURES
        collection.describe({path: {"stars": 5} for path in collection.paths()})
    return folder


def ids(collection: Collection) -> dict[str, int]:
    return {hit.path: hit.id for hit in collection.search(np.ones(collection.model.dim), k=100)}


def made_by(name: str, collection: Collection) -> bool:
    """Whether all vectors are what the model makes of the pictures."""
    from lookalike.images.pool import DecoderPool, Loaded

    model = get_model(name)
    with DecoderPool() as pool:
        pictures = [each for each in pool.load(collection.paths(), model.input) if isinstance(each, Loaded)]
    vectors = model.embed(np.stack([each.pixels for each in pictures]))
    return all((collection.vector(each.path) == made).all() for each, made in zip(pictures, vectors, strict=True))


def test_ids_and_facts_stay_and_all_vectors_are_new(indexed: Path) -> None:
    with Collection.open(indexed) as collection:
        before = ids(collection)
    told: list[tuple[int, int]] = []
    report = Collection.change_model(indexed, NEW, progress=lambda done, total: told.append((done, total)))
    assert (report.changed, report.before, report.model, report.embedded) == (True, OLD, NEW, PICTURES)
    assert told[0] == (0, PICTURES)
    assert told[-1] == (PICTURES, PICTURES)
    with Collection.open(indexed) as collection:
        about = collection.info()
        assert (about.model, about.dim, about.model_hash) == (NEW, 64, get_model(NEW).hash)
        assert (about.next_model, about.next_vectors) == (None, 0)
        assert ids(collection) == before
        assert made_by(NEW, collection)
        assert all(collection.facts(path)["stars"] == 5 for path in before)
        assert collection.sync().unchanged == PICTURES
    assert Collection.verify(indexed) == []


@pytest.mark.parametrize("sealed", [False, True])
def test_interrupted_it_goes_on_and_the_old_model_answers_until_then(
    indexed: Path, sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sealed:
        monkeypatch.setattr(segments, "MOST_PENDING", 2)
    with pytest.raises(Stop):
        Collection.change_model(indexed, NEW, progress=stop_after(3))
    with Collection.open(indexed) as collection:
        about = collection.info()
        assert (about.model, about.next_model, about.next_vectors) == (OLD, NEW, 4)
        assert made_by(OLD, collection)
        assert len(collection.search(indexed / "0.png", k=10)) == PICTURES - 1
        assert collection.sync().unchanged == PICTURES
        collection.optimize()
    assert Collection.verify(indexed) == []
    report = Collection.change_model(indexed, NEW)
    assert (report.changed, report.embedded) == (True, PICTURES - 4)
    with Collection.open(indexed) as collection:
        assert made_by(NEW, collection)
        assert len(list((indexed / ".lookalike" / "segments").iterdir())) == collection.info().segments == 1


def test_what_comes_goes_moves_and_is_copied_meanwhile(indexed: Path, draw: Draw) -> None:
    with pytest.raises(Stop):
        Collection.change_model(indexed, NEW, progress=stop_after(2))
    with Collection.open(indexed) as collection:
        before = ids(collection)
        (indexed / "0.png").unlink()
        (indexed / "1.png").rename(indexed / "moved.png")
        shutil.copy(indexed / "2.png", indexed / "copy.png")
        draw(indexed / "3.png", seed=300)
        draw(indexed / "new.png", seed=301)
        collection.sync()
    draw(indexed / "later.png", seed=302)  # which no sync has seen
    (indexed / "4.png").rename(indexed / "moved later.png")
    assert Collection.change_model(indexed, NEW).changed
    with Collection.open(indexed) as collection:
        report = collection.sync()
        assert (report.new, report.moved, report.embedded, report.failed) == (1, 1, 1, [])
        assert made_by(NEW, collection)
        after = ids(collection)
        assert after[str(indexed / "moved.png")] == before[str(indexed / "1.png")]
        assert after[str(indexed / "moved later.png")] == before[str(indexed / "4.png")]
        assert collection.facts(indexed / "moved later.png")["stars"] == 5
        assert len(after) == PICTURES + 2
    assert Collection.verify(indexed) == []


def test_what_cannot_be_embedded_is_told_and_keeps_its_facts(indexed: Path, draw: Draw) -> None:
    (indexed / "0.png").unlink()
    (indexed / "1.png").write_bytes(b"no picture any more")
    draw(indexed / "2.png", seed=300)
    report = Collection.change_model(indexed, NEW)
    assert report.changed
    assert [Path(path).name for path, _ in report.failed] == ["0.png", "1.png", "2.png"]
    with Collection.open(indexed) as collection:
        assert len(collection) == PICTURES - 3
        report2 = collection.sync()
        assert (report2.new, len(report2.failed)) == (1, 1)
        assert collection.facts(indexed / "2.png")["stars"] == 5
        assert made_by(NEW, collection)
    assert Collection.verify(indexed) == []


def test_a_copy_stands_in_for_a_file_that_cannot_be_read(indexed: Path) -> None:
    shutil.copy(indexed / "3.png", indexed / "z.png")
    with Collection.open(indexed) as collection:
        collection.sync()
    (indexed / "3.png").unlink()
    report = Collection.change_model(indexed, NEW)
    assert (report.failed, report.embedded) == ([], PICTURES)


def test_a_source_that_is_away_keeps_the_old_model_until_it_is_back(indexed: Path, draw: Draw, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    draw(disk / "far.png", seed=400)
    with Collection.create([indexed, disk], tmp_path / "both", model=OLD) as collection:
        collection.sync()
    disk.rename(tmp_path / "unplugged")
    with pytest.raises(ReadError, match=r"received for 1 of them: .*disk.*; the others are done, and ahash answers"):
        Collection.change_model(tmp_path / "both", NEW)
    with Collection.open(tmp_path / "both") as collection:
        assert (collection.info().model, collection.info().next_vectors) == (OLD, PICTURES)
    (tmp_path / "unplugged").rename(disk)
    assert Collection.change_model(tmp_path / "both", NEW).embedded == 1
    disk.rename(tmp_path / "unplugged")
    report = Collection.change_model(tmp_path / "both", OLD, give_up=True)
    assert (report.changed, len(report.failed)) == (True, 1)
    (tmp_path / "unplugged").rename(disk)
    with Collection.open(tmp_path / "both") as collection:
        assert collection.sync().new == 1
        assert made_by(OLD, collection)


def test_pictures_in_an_archive(tmp_path: Path, draw: Draw) -> None:
    pictures = [draw(tmp_path / "drawn" / f"{seed}.png", seed=seed) for seed in range(4)]
    pack(tmp_path / "some.tar", {path.name: path.read_bytes() for path in pictures}, 1_700_000_000)
    with Collection.create(tmp_path / "some.tar", tmp_path / "index", model=OLD) as collection:
        collection.sync()
    report = Collection.change_model(tmp_path / "index", NEW)
    assert (report.changed, report.embedded, report.failed) == (True, 4, [])
    with Collection.open(tmp_path / "index") as collection:
        assert collection.sync().unchanged == 4
        expected = get_model(NEW).embed(pixels(pictures[2]))
        assert collection.vector(f"{tmp_path}/some.tar/2.png") == pytest.approx(expected[0])


def pixels(path: Path) -> np.ndarray:
    from lookalike.images.decode import decode

    return decode(path.read_bytes(), get_model(NEW).input).pixels[np.newaxis]


def test_the_same_model_changes_nothing_and_calls_off_what_is_under_way(indexed: Path) -> None:
    generation = catalogue_bytes(indexed)
    report = Collection.change_model(indexed, OLD)
    assert (report.changed, report.called_off) == (False, None)
    assert catalogue_bytes(indexed) == generation
    with pytest.raises(Stop):
        Collection.change_model(indexed, NEW, progress=stop_after(3))
    report = Collection.change_model(indexed, "dhash", progress=None)
    assert (report.called_off, report.changed, report.embedded) == (NEW, True, PICTURES)
    with pytest.raises(Stop):
        Collection.change_model(indexed, NEW, progress=stop_after(3))
    report = Collection.change_model(indexed, "dhash")
    assert (report.called_off, report.changed) == (NEW, False)
    with Collection.open(indexed) as collection:
        assert (collection.info().next_model, collection.info().next_vectors) == (None, 0)
        assert made_by("dhash", collection)


def catalogue_bytes(folder: Path) -> bytes:
    return (folder / ".lookalike" / "catalogue.sqlite").read_bytes()


def test_who_has_it_open_goes_on_with_the_new_model(indexed: Path, draw: Draw) -> None:
    outside = draw(indexed.parent / "outside.png", seed=60)
    with Collection.open(indexed) as collection, Collection.open(indexed, model=OLD) as insisting:
        assert len(collection.search(outside, k=3)) == len(insisting.search(outside, k=3)) == 3
        Collection.change_model(indexed, "dhash")  # as many dimensions
        (hit,) = collection.search(outside, k=1)
        assert collection.model.name == "dhash"
        expected = get_model("dhash").embed(pixels(outside))[0] @ collection.vector(hit.path) / 256
        assert hit.distance == pytest.approx(1 - expected, abs=1e-5)
        draw(indexed / "new.png", seed=61)
        assert collection.sync().new == 1
        assert made_by("dhash", collection)
        with pytest.raises(ModelError, match="expected the model dhash"):
            insisting.search(outside, k=3)


def test_the_old_model_need_not_be_there(indexed: Path, python: Python) -> None:
    script = """
import sys
from lookalike.collection import Collection
from lookalike.models import get_model, register
class Mine:
    name, hash, dim = "mine", "1", 64
    def __getattr__(self, name):
        return getattr(get_model("dhash:64"), name)
register("mine", Mine)
print(Collection.change_model(sys.argv[1], "mine").changed)
"""
    assert python(script, indexed).stdout == "True\n"
    with pytest.raises(ModelError, match="mine"):
        Collection.open(indexed)
    assert Collection.change_model(indexed, NEW).changed
    with Collection.open(indexed) as collection:
        assert made_by(NEW, collection)


def test_what_cannot_be_changed_is_refused(indexed: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a known model"):
        Collection.change_model(indexed, "phosh")
    vectors = np.random.default_rng(1).normal(size=(5, 8)).astype(np.float32)
    write_vectors(tmp_path / "v.h5", [([f"{i}" for i in range(5)], vectors)])
    with Collection.create(tmp_path / "v.h5", tmp_path / "vectors") as collection:
        collection.sync()
    with pytest.raises(ArgumentError, match="expected no model for vectors"):
        Collection.change_model(tmp_path / "vectors", NEW)


def test_damage_of_what_has_gathered_is_found_and_mended(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_PENDING", 2)
    with pytest.raises(Stop):
        Collection.change_model(indexed, NEW, progress=stop_after(3))
    segment = max((indexed / ".lookalike" / "segments").iterdir())
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 255
    segment.write_bytes(data)
    assert Collection.verify(indexed)
    with Collection.open(indexed) as collection:
        assert made_by(OLD, collection)
    report = Collection.repair(indexed)
    assert any("change of the model" in done for done in report.done)
    assert Collection.verify(indexed) == []
    assert Collection.change_model(indexed, NEW).changed
    with Collection.open(indexed) as collection:
        assert made_by(NEW, collection)


def test_a_rescued_catalogue_begins_the_change_anew(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_PENDING", 2)
    with pytest.raises(Stop):
        Collection.change_model(indexed, "dhash", progress=stop_after(3))
    damage_a_row(indexed)
    with pytest.raises(DamagedError), Collection.open(indexed) as collection:
        collection.paths()
    report = Collection.repair(indexed)
    assert any("the change of its model that was under way begins anew" in done for done in report.done)
    with Collection.open(indexed) as collection:
        assert (collection.info().model, collection.info().next_model) == (OLD, None)
        collection.sync()
        assert made_by(OLD, collection)
    assert Collection.change_model(indexed, "dhash").embedded == PICTURES


def damage_a_row(folder: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(folder / ".lookalike" / "catalogue.sqlite")) as database:
        database.create_function("row_crc", -1, lambda *_: 0)
        database.execute("UPDATE items SET size = size + 1 WHERE id = 2")
        database.commit()


@pytest.fixture
def slow(tmp_path: Path, draw: Draw) -> Path:
    folder = tmp_path / "many"
    for seed in range(300):
        draw(folder / f"{seed:03}.png", seed=seed)
    with Collection.create(folder, model=OLD) as collection:
        collection.sync()
    return folder


COMMAND = """
import sys, time
from lookalike.cli.main import run
from lookalike.collection import embedding
embedding.BATCH = 4
pause, *arguments = sys.argv[1:]
embed = embedding.embed
embedding.embed = lambda *given: (time.sleep(float(pause)), embed(*given))[1]
sys.exit(run(arguments))
"""


def run(*arguments: object, pause: float = 0) -> subprocess.Popen[str]:
    """The command line; after each batch of the change it pauses so many seconds."""
    command = [sys.executable, "-c", COMMAND, str(pause), *map(str, arguments)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def gathered(folder: Path) -> int:
    with Collection.open(folder) as collection:
        return collection.info().next_vectors


def test_killed_and_interrupted_at_any_moment_the_same_command_goes_on(slow: Path) -> None:
    with Collection.open(slow) as collection:
        before = ids(collection)
    count = 0
    for how, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        process = run("index", slow, "--model", NEW, pause=1)
        limit = time.monotonic() + 60
        while gathered(slow) <= count and time.monotonic() < limit and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None
        searched = run("search", slow / "007.png", slow, "-k", 1)
        out, said = searched.communicate()
        assert searched.returncode == 0, said
        assert out.startswith("0.")
        process.send_signal(how)
        said = process.communicate()[1]
        assert process.returncode == code
        if how == signal.SIGINT:
            assert f"of 300 pictures are embedded by {NEW}, the old model answers as before, and the same" in said
        with Collection.open(slow) as collection:
            about = collection.info()
            assert (about.model, about.next_model) == (OLD, NEW)
            assert about.next_vectors > count
            count = about.next_vectors
        assert Collection.verify(slow) == []
    shown = run("info", slow).communicate()[0]
    assert f"changing    to {NEW}: {count} of 300 are done, {OLD} answers until all are" in shown
    process = run("index", slow, "--model", NEW)
    said = process.communicate()[1]
    assert process.returncode == 0
    assert f"changing the model to {NEW}: 300 pictures to embed, of which {count} are done already" in said
    assert f"the model is {NEW} now, it was {OLD}: {300 - count} pictures embedded" in said
    with Collection.open(slow) as collection:
        assert made_by(NEW, collection)
        found = collection.search(np.ones(64), k=300)
        assert {hit.path: hit.id for hit in found}.items() >= before.items()
    again = run("index", slow, "--model", NEW)
    assert "model" not in again.communicate()[1]
    assert os.listdir(slow / ".lookalike")


def test_a_collection_of_the_default_models_earlier_version_keeps_it_until_it_is_changed(
    tmp_path: Path, draw: Draw
) -> None:
    folder = tmp_path / "photos"
    for i in range(3):
        draw(folder / f"long {i}.png", seed=i, size=(400, 120))
    shutil.copytree(GOLDEN / "v2", folder / ".lookalike")
    with Collection.open(folder) as collection:
        earlier = collection.model
        assert (earlier.name, earlier.input.fit) == (DEFAULT, "seamless")
        assert collection.sync().new == 3
        assert collection.sync().unchanged == 3
    with Collection.open(folder, model=DEFAULT) as collection:
        assert collection.model.hash == earlier.hash
        before = collection.vector(folder / "long 1.png")
        (hit,) = collection.search(draw(tmp_path / "alike.png", seed=1, size=(402, 120)), k=1)
        assert (Path(hit.path).name, collection.model.input.fit) == ("long 1.png", "seamless")
    report = Collection.change_model(folder, DEFAULT)
    assert (report.changed, report.before, report.model, report.embedded) == (True, DEFAULT, DEFAULT, 3)
    with Collection.open(folder) as collection:
        assert (collection.model.name, collection.model.input.fit) == (DEFAULT, "squares")
        assert not np.allclose(collection.vector(folder / "long 1.png"), before)
        (hit,) = collection.search(tmp_path / "alike.png", k=1)
        assert Path(hit.path).name == "long 1.png"
    assert not Collection.change_model(folder, DEFAULT).changed


@pytest.mark.parametrize("gone_meanwhile", [False, True])
def test_what_was_gone_and_comes_back_has_its_id_its_facts_and_a_new_vector(
    indexed: Path, tmp_path: Path, gone_meanwhile: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "MOST_PENDING", 2)
    picture, away = indexed / "0.png", tmp_path / "away.png"
    with Collection.open(indexed) as collection:
        before = ids(collection)
        if gone_meanwhile:
            with pytest.raises(Stop):
                Collection.change_model(indexed, NEW, progress=stop_after(4))
        picture.rename(away)
        assert collection.sync().removed == 1
    assert Collection.change_model(indexed, NEW).changed
    away.rename(picture)
    with Collection.open(indexed) as collection:
        collection.sync()
        assert made_by(NEW, collection)
        assert ids(collection) == before
        assert collection.facts(picture)["stars"] == 5
    assert Collection.verify(indexed) == []
