"""Sealing: when, and what is left on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.collection.sealed import segments
from lookalike.collection.sealed.segments import open_sealed
from lookalike.errors import DamagedError, WriteError
from lookalike.images.thumb import THUMB_BYTES
from tests.segment_files import segment, undigested

from .conftest import PICTURES, Draw, Python


def files(collection: Collection) -> list[str]:
    return sorted(map(undigested, os.listdir(collection.place.segments)))


def test_few_new_pictures_wait_and_many_are_sealed(folder: Path, draw: Draw) -> None:
    for i in range(10):
        draw(folder / f"more{i}.png", seed=100 + i)
    with Collection.open(folder) as collection:
        collection.keep_facts(0)  # else the vectors of what is gone stay for a while
        collection.sync()
        assert (files(collection), collection.info().pending) == (["000001.segment"], 0)
        draw(folder / "one.png", seed=200)
        draw(folder / "two.png", seed=201)
        collection.sync()
        assert (files(collection), collection.info().pending) == (["000001.segment"], 2)
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 12
        draw(folder / "three.png", seed=202)
        collection.sync()
        assert (files(collection), collection.info().pending) == (["000001.segment", "000002.segment"], 0)
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 13
        for i in range(4):  # a quarter of the first file
            (folder / f"more{i}.png").unlink()
        collection.sync()
        assert files(collection) == ["000001.segment", "000002.segment"]
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 9
        (folder / "more4.png").unlink()
        collection.sync()
        assert files(collection) == ["000003.segment"]
        assert not len(collection._catalogue.removed())
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 8
        for i in range(5):
            draw(folder / f"last{i}.png", seed=300 + i)
        collection.sync()  # without the large file
        assert sorted(collection._catalogue.segments().values()) == [5, PICTURES + 8]
        assert files(collection) == ["000003.segment", "000004.segment"]
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 13


def test_much_is_sealed_before_a_sync_ends(folder: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of what was sealed meanwhile are not embedded again, and never more than so much is pending."""
    monkeypatch.setattr(segments, "MOST_PENDING", 4)
    for i in range(8):
        draw(folder / f"more{i}.png", seed=100 + i)
        shutil.copyfile(folder / f"more{i}.png", folder / f"zcopy{i}.png")
    pending: list[int] = []
    with Collection.open(folder) as collection:
        report = collection.sync(lambda *_: pending.append(collection._catalogue.pending_count()), batch=2)
        assert (report.new, report.embedded) == (PICTURES + 16, PICTURES + 8)
        assert max(pending) < 4
        assert len(collection.search(np.ones(1280), k=100)) == PICTURES + 16


def test_sealed_vectors_are_those_that_were_pending(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.open(folder) as collection:
        with monkeypatch.context() as unsealed:
            unsealed.setattr(segments, "seal", lambda *_: None)
            collection.sync()
        ids, vectors = collection._catalogue.pending()
        pending = dict(zip(ids.tolist(), vectors, strict=True))
        assert len(pending) == PICTURES
        collection.sync()
        with collection._catalogue.reading() as about:
            index = open_sealed(collection.place, collection._catalogue, about)
        assert set(index.ids.tolist()) == set(pending)
        for number, vector in pending.items():
            np.testing.assert_array_equal(index[number], vector)


def test_orphans_are_swept_by_the_writer_alone(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        for name in ("000007.segment", "000008.segment.tmp-1-1", "a person's note.txt"):
            (Path(collection.place.segments) / name).write_text("left by a killed process")
        collection.search(folder / "0.png")
        assert len(files(collection)) == 4
        collection.sync()
        assert files(collection) == ["000001.segment", "a person's note.txt"]


def test_the_space_of_sealed_vectors_is_given_back(folder: Path, draw: Draw) -> None:
    for i in range(30):
        draw(folder / f"more{i}.png", seed=100 + i)
    with Collection.open(folder) as collection:
        collection.sync()
        count = len(collection)
    assert count > 30
    kept = count * (THUMB_BYTES + 500)  # what stays: thumbnails, and rows of items
    assert (folder / ".lookalike" / "catalogue.sqlite").stat().st_size < kept + 30 * 1280 * 4


def test_a_damaged_segment_is_told_by_every_use_of_the_collection(folder: Path) -> None:
    lookalike.open(folder).close()
    path = segment(folder / ".lookalike")
    whole = path.read_bytes()
    for damage in (lambda: path.write_bytes(whole[:1000]), path.unlink):
        damage()
        with Collection.open(folder) as collection:
            for use in (collection.sync, collection.info, lambda: collection.search(folder / "0.png")):
                with pytest.raises(
                    DamagedError, match=r"000001-\w+\.segment.*mend it by `lookalike repair .*\.lookalike`"
                ):
                    use()


def test_a_picture_without_a_vector_is_damage(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        with collection._catalogue.writing():
            item = collection._catalogue.items()[0]
            collection._catalogue.add([item._replace(path=b"ghost.png", state="indexed")], [None])
        with pytest.raises(DamagedError, match=f"{PICTURES} vectors for {PICTURES + 1} pictures.*repair"):
            collection.search(folder / "0.png")


BEHIND_OUR_BACK = [
    "DELETE FROM pending WHERE id = (SELECT max(id) FROM pending)",
    "DELETE FROM pending WHERE id = (SELECT min(id) FROM pending)",
    "DELETE FROM items WHERE id = (SELECT max(id) FROM pending)",
    "UPDATE items SET state = 'failed' WHERE id = (SELECT max(id) FROM pending)",
    "INSERT INTO removed SELECT 1, row_crc(1)",
    "DELETE FROM totals WHERE name = 'removed'",
    "DROP TRIGGER pending_DELETE; DELETE FROM pending WHERE id = (SELECT min(id) FROM pending)",
]


@pytest.mark.parametrize("statement", BEHIND_OUR_BACK)
def test_a_reader_that_is_brought_along_tells_vectors_that_are_not_those_of_the_pictures(
    folder: Path, draw: Draw, statement: str
) -> None:
    for i in range(10):
        draw(folder / f"more{i}.png", seed=100 + i)
    with Collection.open(folder) as reader, Collection.open(folder) as writer:
        writer.sync()
        draw(folder / "one.png", seed=200)
        writer.sync()
        assert len(reader.search(np.ones(1280), k=100)) == PICTURES + 11
        draw(folder / "two.png", seed=201)
        writer.sync()
        assert writer.info().pending == 2
        with writer._access.writer(0) as catalogue, catalogue.writing():
            for each in statement.split("; "):
                catalogue._database.execute(each)
        for _ in range(2):
            with pytest.raises(DamagedError, match="lookalike repair"):
                reader.search(np.ones(1280), k=100)


def test_a_reader_follows_what_is_added_and_removed_and_sealed(folder: Path, draw: Draw) -> None:
    for i in range(10):
        draw(folder / f"more{i}.png", seed=100 + i)
    with Collection.open(folder) as reader, Collection.open(folder) as writer:
        for step in range(6):
            draw(folder / f"new{step}.png", seed=300 + step)
            (folder / f"more{step}.png").unlink()
            (folder / f"bad{step}.png").write_text("no picture")
            if step % 2:
                (folder / f"new{step - 1}.png").unlink()
            writer.sync()
            paths = {hit.path for hit in reader.search(np.ones(1280), k=100)}
            assert paths == set(writer.paths())
            os.utime(folder / "0.png", (step, step))
            assert writer.sync().changes == 0
            assert {hit.path for hit in reader.search(np.ones(1280), k=100)} == paths


def test_a_file_in_the_place_of_the_segments_folder(folder: Path) -> None:
    with Collection.open(folder) as collection:
        os.rmdir(collection.place.segments)
        Path(collection.place.segments).touch()
        with pytest.raises(WriteError, match="segments, received Not a directory"):
            collection.sync()


def test_a_reader_tells_a_later_file_of_the_same_name(folder: Path, draw: Draw) -> None:
    with Collection.open(folder) as reader, Collection.open(folder) as writer:
        writer.sync()
        assert len(reader.search(np.ones(1280), k=100)) == PICTURES
        with writer._catalogue.writing():
            writer._catalogue.remove(writer._catalogue.indexed().tolist())
        segments.seal(writer.place, writer._catalogue, everything=True)
        assert files(writer) == []
        writer.sync()
        assert files(writer) == ["000001.segment"]
        assert len(reader.search(np.ones(1280), k=100)) == PICTURES


TRUNCATE = """
import glob, os, sys
import numpy as np
from lookalike.collection import Collection
from lookalike.errors import DamagedError
with Collection.open(sys.argv[1]) as collection:
    collection.search(np.ones(1280), k=3)
    (path,) = glob.glob(collection.place.segments + "/*.segment")
    os.truncate(path, 5000)
    try:
        collection.search(np.ones(1280), k=3)
    except DamagedError as error:
        print(error)
    Collection.repair(sys.argv[1])
    print(len(collection.search(np.ones(1280), k=3)))
"""


def test_a_segment_that_another_program_truncates(folder: Path, python: Python) -> None:
    """Between two searches: without a look at its size the second ends the process by SIGBUS."""
    lookalike.open(folder).close()
    done = python(TRUNCATE, folder)
    assert done.returncode == 0, done.stderr
    told, found = done.stdout.splitlines()
    assert "was truncated while it was in use" in told
    assert "lookalike repair" in told
    assert found == "3"
