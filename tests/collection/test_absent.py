"""What is known of pictures outlives their absence: ids, facts, what no sync should forget without a word."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.errors import IdError

from .conftest import PICTURES, Draw


@pytest.fixture
def photos(folder: Path) -> Iterator[Collection]:
    """A collection whose pictures have stars."""
    with Collection.open(folder) as collection:
        collection.sync()
        collection.describe({path: {"stars": number} for number, path in enumerate(collection.paths())})
        yield collection


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.png") if ".lookalike" not in path.parts)


def known(collection: Collection) -> dict[str, tuple[int, object]]:
    """The id and stars of each picture, by its name."""
    ids = {collection.path(int(id)): int(id) for id in collection.examine(lambda index, _: index.ids)}
    return {os.path.basename(path): (id, collection.facts(path).get("stars")) for path, id in ids.items()}


def whole(collection: Collection) -> None:
    """Nothing is wrong with it, as one that opens it anew finds, too."""
    assert Collection.verify(collection.place.directory) == []
    with Collection.open(collection.place.directory) as other:
        assert known(other) == known(collection)
        assert len(other.search(vector=other.vector(other.paths()[0]), k=100)) == len(other)


def away(folder: Path, to: Path) -> None:
    for path in pictures(folder):
        (to / path.relative_to(folder).parent).mkdir(parents=True, exist_ok=True)
        shutil.move(path, to / path.relative_to(folder))


def test_all_pictures_are_away_for_one_sync(photos: Collection, folder: Path, tmp_path: Path) -> None:
    before = known(photos)
    assert sorted(stars for _, stars in before.values()) == list(range(PICTURES))  # type: ignore[type-var]
    away(folder, tmp_path / "away")
    report = photos.sync()
    assert (report.removed, report.absent, report.kept_days, len(photos)) == (PICTURES, PICTURES, 90, 0)
    assert [tuple(each) for each in report.emptied] == [(str(folder), PICTURES)]
    assert photos.info().absent == PICTURES
    away(tmp_path / "away", folder)
    report = photos.sync()
    assert (report.returned, report.new, report.absent, report.emptied) == (PICTURES, 0, 0, [])
    assert report.embedded == 0, "their vectors were in a segment all the while"
    assert known(photos) == before
    assert len(photos.paths("stars >= 3")) == PICTURES - 3
    whole(photos)
    assert photos.sync().unchanged == PICTURES


def test_vectors_that_are_in_no_segment_are_made_again(
    photos: Collection, folder: Path, tmp_path: Path, draw: Draw
) -> None:
    for number in range(20):
        draw(folder / "more" / f"{number}.png", seed=100 + number)
    photos.sync()
    draw(folder / "new.png", seed=200)
    photos.sync()
    photos.describe({str(folder / "new.png"): {"stars": 9}})
    assert photos.info().pending == 1
    before = known(photos)
    with Collection.open(folder) as reader:
        for _ in range(2):
            assert known(reader) == before
            (folder / "new.png").rename(tmp_path / "aside.png")
            photos.sync()
            assert "new.png" not in known(reader)
            (tmp_path / "aside.png").rename(folder / "new.png")
            report = photos.sync()
            assert (report.returned, report.embedded, photos.info().pending) == (1, 1, 1)
            assert known(photos) == before
    whole(photos)
    photos.optimize()
    whole(photos)


def test_a_picture_comes_back_under_another_name(photos: Collection, folder: Path, tmp_path: Path) -> None:
    path = pictures(folder)[0]
    id, stars = known(photos)[path.name]
    path.rename(tmp_path / "aside.png")
    photos.sync()
    assert path.name not in known(photos)
    (tmp_path / "aside.png").rename(folder / "other.png")
    report = photos.sync()
    assert (report.returned, report.moved) == (1, 0)
    assert known(photos)["other.png"] == (id, stars)
    whole(photos)


def test_a_reader_follows_what_comes_back(photos: Collection, folder: Path, tmp_path: Path) -> None:
    """Removed from a segment and brought back to it; and pending ones, which are not in any."""
    photos.optimize()
    with Collection.open(folder) as reader:
        for _ in range(2):
            before = known(photos)
            assert len(reader.search(vector=reader.vector(reader.paths()[0]), k=PICTURES)) == PICTURES
            path = pictures(folder)[0]
            path.rename(tmp_path / "aside.png")
            photos.sync()
            assert len(reader.search(vector=reader.vector(reader.paths()[0]), k=PICTURES)) == PICTURES - 1
            (tmp_path / "aside.png").rename(path)
            photos.sync()
            assert len(reader.search(vector=reader.vector(str(path)), k=PICTURES)) == PICTURES
            assert known(reader) == known(photos) == before
    whole(photos)


def test_a_copy_of_what_is_there_is_none_that_came_back(photos: Collection, folder: Path, tmp_path: Path) -> None:
    path = pictures(folder)[0]
    copy = folder / "copy.png"
    shutil.copy(path, copy)
    photos.sync()
    photos.describe({str(copy): {"stars": 100}})
    id, _ = known(photos)["copy.png"]
    copy.unlink()
    photos.sync()
    shutil.copy(path, folder / "another.png")
    assert photos.sync().new == 1
    assert known(photos)["another.png"][1] is None
    shutil.copy(path, folder / "below" / "copy.png")
    assert photos.sync().returned == 1
    assert known(photos)["copy.png"] == (id, 100)
    whole(photos)


def test_two_of_one_content_come_back_each_as_itself(photos: Collection, folder: Path, tmp_path: Path) -> None:
    shutil.copy(pictures(folder)[0], folder / "copy.png")
    photos.sync()
    photos.describe({str(folder / "copy.png"): {"stars": 100}})
    before = known(photos)
    away(folder, tmp_path / "away")
    photos.sync()
    away(tmp_path / "away", folder)
    assert photos.sync().returned == PICTURES + 1
    assert known(photos) == before
    whole(photos)


def test_one_that_comes_back_where_another_is_now(photos: Collection, folder: Path, tmp_path: Path, draw: Draw) -> None:
    path = pictures(folder)[0]
    before = known(photos)[path.name]
    path.rename(tmp_path / "aside.png")
    photos.sync()
    draw(path, seed=100)
    photos.sync()
    photos.describe({str(path): {"stars": 7}})
    other = known(photos)[path.name]
    (tmp_path / "aside.png").rename(path)
    report = photos.sync()
    assert (report.returned, report.removed, report.absent) == (1, 1, 1)
    assert known(photos)[path.name] == before
    draw(folder / "again.png", seed=100)
    assert photos.sync().returned == 1
    assert known(photos)["again.png"] == other
    whole(photos)


def test_one_that_could_not_be_read_before_it_was_gone(photos: Collection, folder: Path, tmp_path: Path) -> None:
    path = pictures(folder)[0]
    stars = known(photos)[path.name][1]
    shutil.copy(path, tmp_path / "aside.png")
    path.write_text("damaged")
    assert len(photos.sync().failed) == 1
    path.unlink()
    photos.sync()
    shutil.copy(tmp_path / "aside.png", folder / "back.png")
    assert photos.sync().returned == 1
    assert known(photos)["back.png"][1] == stars
    whole(photos)


def test_they_are_forgotten_after_their_time(
    photos: Collection, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(photos)
    away(folder, tmp_path / "away")
    assert photos.sync().absent == PICTURES
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + 89 * 86_400 * 10**9)
    assert photos.sync().absent == PICTURES
    monkeypatch.setattr(time, "time_ns", lambda: now + 91 * 86_400 * 10**9)
    assert photos.sync().absent == 0
    monkeypatch.undo()
    away(tmp_path / "away", folder)
    assert photos.sync().new == PICTURES
    assert {id for id, _ in known(photos).values()}.isdisjoint(id for id, _ in before.values())
    whole(photos)


def test_for_how_long_is_as_was_said(photos: Collection, folder: Path, tmp_path: Path) -> None:
    photos.keep_facts(7)
    away(folder, tmp_path / "away")
    report = photos.sync()
    assert (report.absent, report.kept_days) == (PICTURES, 7)
    photos.keep_facts(0)
    assert photos.info().absent == 0, "forgotten at once"
    away(tmp_path / "away", folder)
    assert photos.sync().new == PICTURES
    away(folder, tmp_path / "away")
    assert photos.sync().absent == 0
    assert photos.info().kept_days == 0


def test_a_picture_that_is_gone_can_be_searched_by(photos: Collection, folder: Path) -> None:
    photos.optimize()
    path = pictures(folder)[0]
    id = known(photos)[path.name][0]
    expected = [hit.path for hit in photos.search(id=id)]
    path.unlink()
    photos.sync()
    assert [hit.path for hit in photos.search(id=id)] == expected
    hits = photos.search(id=str(path))
    assert [hit.path for hit in hits] == expected
    assert hits.query == photos.path(id) == str(path)
    assert "gone" in str(photos.originals([id])[id])
    photos.optimize()
    with pytest.raises(IdError, match="vector is not kept any more"):
        photos.search(id=id)


def test_archives(tmp_path: Path, draw: Draw) -> None:
    from tests.archived import pack

    members = {f"{number}.png": draw(tmp_path / "x.png", seed=number).read_bytes() for number in range(4)}
    archive = pack(tmp_path / "a.tar", members, 0)
    with Collection.create(archive, tmp_path / "index") as collection:
        collection.sync()
        collection.describe({path: {"stars": number} for number, path in enumerate(collection.paths())})
        before = known(collection)
        pack(archive, {"0.png": members["0.png"]}, 1)
        assert collection.sync().absent == 3
        pack(archive, members, 2)
        assert collection.sync().returned == 3
        assert known(collection) == before
        whole(collection)


def test_a_rescue_keeps_them(photos: Collection, folder: Path, tmp_path: Path) -> None:
    before = known(photos)
    photos.keep_facts(1000)
    away(folder, tmp_path / "away")
    photos.sync()
    away(tmp_path / "away" / "below", folder / "below")
    photos.sync()
    photos.close()
    with closing(sqlite3.connect(photos.place.catalogue)) as connection, connection:
        connection.execute("UPDATE totals SET digest = digest + 1 WHERE name = 'roots'")
    assert Collection.verify(folder)
    Collection.repair(folder)
    assert Collection.verify(folder) == []
    away(tmp_path / "away", folder)
    with Collection.open(folder) as collection:
        assert collection.sync().kept_days == 1000
        assert known(collection) == before
        whole(collection)
