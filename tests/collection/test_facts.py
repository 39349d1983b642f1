"""Facts of pictures: where they come from, what keeps them, and that conditions find by them."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.collection import Collection
from lookalike.errors import ArgumentError, BusyError, DamagedError, PictureError

from .conftest import PICTURES, Draw, Python, draw_picture


def photograph(path: Path, seed: int, taken: str = "2021:06:05 12:13:14", camera: str = "EOS 5D") -> Path:
    """A JPEG as a camera writes it."""
    draw_picture(path, seed)
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Canon", camera
        exif.get_ifd(0x8769)[0x9003] = taken
        image.save(path, "JPEG", exif=exif)
    return path


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    """Two photographs among the pictures, `below/camera.jpg` of 2021 and `old.jpg` of 1999."""
    photograph(folder / "below" / "camera.jpg", seed=20)
    photograph(folder / "old.jpg", seed=21, taken="1999:01:02 03:04:05", camera="EOS D30")
    with Collection.open(folder) as opened:
        opened.sync()
        yield opened


def names(collection: Collection, where: str) -> list[str]:
    return sorted(os.path.basename(path) for path in collection.paths(where))


def given_to(collection: Collection, path: Path) -> dict[str, object]:
    """What was given, by its names alone."""
    return {name: value for name, value in collection.facts(path).items() if name in ("stars", "label", "x")}


# -- where they come from


def test_facts_of_a_file_and_from_exif(folder: Path, collection: Collection) -> None:
    moment = datetime(2022, 3, 4, 5, 6, 7, 800_000, UTC).timestamp()
    os.utime(folder / "below" / "camera.jpg", (moment, moment))
    collection.sync()
    assert collection.facts(folder / "below" / "camera.jpg") == {
        "path": "below/camera.jpg",
        "folder": "below",
        "name": "camera.jpg",
        "ext": "jpg",
        "size": (folder / "below" / "camera.jpg").stat().st_size,
        "width": 96,
        "height": 64,
        "modified": "2022-03-04T05:06:07",
        "taken": "2021-06-05T12:13:14",
        "year": 2021,
        "month": 6,
        "day": 5,
        "taken_from": "EXIF",
        "camera": "Canon EOS 5D",
    }
    assert names(collection, "year >= 2020 and camera = 'Canon EOS 5D'") == ["camera.jpg"]
    assert names(collection, "folder = '.' and ext in ('jpg', 'JPG')") == ["old.jpg"]
    assert names(collection, "modified < '2022-03-05'") == ["camera.jpg"]
    assert names(collection, "camera is missing") == sorted(p.name for p in folder.rglob("*.png"))


def test_conditions_are_met_inside_the_search(folder: Path, collection: Collection) -> None:
    hits = collection.search(folder / "0.png", k=1, where="camera contains 'CANON'")
    assert len(hits) == 1, "though it is not the nearest of all"
    assert hits[0].path.endswith(".jpg")
    assert len(collection.search(folder / "0.png", where="camera contains 'canon'")) == 2
    assert collection.search(folder / "0.png", where="width > 5000") == []
    assert [hit.path for hit in collection.search(folder / "old.jpg", where="year < 2000")] == []
    facts = collection.facts_of(hit.id for hit in hits)
    assert facts == {hits[0].id: collection.facts(hits[0].path)}
    assert collection.facts_of([10**6]) == {}


def test_names_that_are_not_utf8(folder: Path, collection: Collection) -> None:
    name = os.fsdecode(b"\xff'\".png")
    shutil.copyfile(folder / "0.png", folder / name)
    collection.sync()
    assert collection.facts(folder / name)["name"] == "\\xff'\".png"
    assert [os.path.basename(p) for p in collection.paths("name contains '\\xff'")] == [name]
    assert collection.describe({folder / name: {"x": 1}}).pictures == 1
    assert [os.path.basename(p) for p in collection.paths("x = 1")] == [name]


def test_a_copy_has_the_exif_of_its_content_and_facts_of_its_own(folder: Path, collection: Collection) -> None:
    collection.describe({folder / "old.jpg": {"stars": 1}})
    shutil.copyfile(folder / "old.jpg", folder / "copy.jpg")
    collection.sync()
    assert collection.facts(folder / "copy.jpg")["year"] == 1999
    assert given_to(collection, folder / "copy.jpg") == {}
    collection.describe({folder / "copy.jpg": {"stars": 2}})
    assert [names(collection, f"stars = {stars}") for stars in (1, 2)] == [["old.jpg"], ["copy.jpg"]]


def test_exif_that_an_earlier_version_did_not_read_is_read_once(folder: Path, collection: Collection) -> None:
    with collection._catalogue.writing():
        collection._catalogue.metadata.remove(range(100))
    photograph(folder / "below" / "camera.jpg", seed=20, taken="2001:01:01 00:00:00")  # changed since
    os.utime(folder / "0.png", ns=(1, 1))
    shutil.copyfile(folder / "old.jpg", folder / "copy.jpg")
    assert names(collection, "camera is not missing") == []
    seen: list[tuple[int, int]] = []
    report = collection.sync(lambda done, total: seen.append((done, total)), batch=2)
    assert (report.unchanged, report.new, report.changed, report.embedded) == (PICTURES + 1, 1, 1, 1)
    todo = PICTURES + 3  # but the changed and the touched one are new or read as such
    assert seen == [(done, todo) for done in range(todo + 1)]
    assert names(collection, "year = 1999") == ["copy.jpg", "old.jpg"]
    assert names(collection, "year = 2001") == ["camera.jpg"]
    collection.sync()
    seen.clear()
    collection.sync(lambda done, total: seen.append((done, total)))
    assert seen == [(0, 0)]


def test_exif_of_a_picture_that_cannot_be_read_now_is_read_later(
    folder: Path, collection: Collection, python: Python, unprivileged: tuple[str, ...]
) -> None:
    with collection._catalogue.writing():
        collection._catalogue.metadata.remove(range(100))
    (folder / "old.jpg").chmod(0)
    script = "import lookalike, sys; lookalike.open(sys.argv[1])"
    assert python(script, folder, prefix=unprivileged).returncode == 0
    assert names(collection, "year > 0") == ["camera.jpg"]
    (folder / "old.jpg").chmod(0o600)
    collection.sync()
    assert names(collection, "year > 0") == ["camera.jpg", "old.jpg"]
    seen: list[tuple[int, int]] = []
    collection.sync(lambda done, total: seen.append((done, total)))
    assert seen == [(0, 0)]


# -- what was given


def test_what_may_be_given(folder: Path, collection: Collection) -> None:
    facts = {
        "stars": np.int8(5),
        "ratio": np.float32(0.5),
        "favourite": np.bool_(True),
        "label": 'it\'s "so" \\ größe\n',
        "labels": ("cat", "dog"),
        "born": date(2020, 1, 2),
        "gap": float("nan"),
        "none": None,
        "nothing": "",
        "focal length": 50,
        "größe": 2**63 - 1,
    }
    described = collection.describe({folder / "0.png": facts, "elsewhere.png": {"stars": 1}})
    assert (described.pictures, described.unknown) == (1, ["elsewhere.png"])
    kept = {name: value for name, value in collection.facts(folder / "0.png").items() if name in facts}
    assert kept == {
        "stars": 5,
        "ratio": 0.5,
        "favourite": True,
        "label": 'it\'s "so" \\ größe\n',
        "labels": ["cat", "dog"],
        "born": "2020-01-02",
        "focal length": 50,
        "größe": 2**63 - 1,
    }
    for where in (
        "stars = 5.0", "ratio <= 0.5", "favourite = true", "label contains 'IT''S \"SO\" \\ GRÖSSE'", "labels = 'dog'",
        "born >= '2020'", "\"focal length\" > 49.9", "größe = 9223372036854775807", "labels contains 'o'",
        "labels in ('x', 'cat')", "not labels = 'bird'", "favourite != false", "labels is not missing",
    ):  # fmt: skip
        assert names(collection, f"({where}) and stars is not missing") == ["0.png"], where
    for where in ("labels = 'do'", "labels != 'dog'", "favourite = false", "label = 'it'"):
        assert names(collection, where) == [], where
    with pytest.raises(ArgumentError, match="'gap' at character 1"):
        collection.paths("gap is missing")


def test_giving_again_replaces_and_none_takes_away(folder: Path, collection: Collection) -> None:
    collection.describe([(folder / "0.png", {"stars": 1, "label": "a"}), (folder / "1.png", {"stars": 2})])
    collection.describe({folder / "0.png": {"stars": 3, "x": 1}, folder / "1.png": {"stars": None}})
    assert given_to(collection, folder / "0.png") == {"stars": 3, "label": "a", "x": 1}
    assert given_to(collection, folder / "1.png") == {}
    assert names(collection, "stars > 0") == ["0.png"]
    collection.describe({folder / "0.png": {"label": None}})
    with pytest.raises(ArgumentError, match=r"known here \(.*stars.*\)"):
        collection.paths("label = 'a'")


def test_what_is_given_stands_before_exif_and_the_file(folder: Path, collection: Collection) -> None:
    collection.describe({folder / "old.jpg": {"year": 2000, "width": 1, "name": ["a", "b"], "camera": "other"}})
    assert collection.facts(folder / "old.jpg")["year"] == 2000
    assert names(collection, "year in (1999, 2000)") == names(collection, "year = 2000") == ["old.jpg"]
    assert names(collection, "width < 96") == ["old.jpg"]
    assert names(collection, "name = 'b'") == ["old.jpg"]
    assert names(collection, "name = 'old.jpg'") == []
    assert names(collection, "name = '0.png'") == ["0.png"]
    assert names(collection, "camera contains 'canon'") == ["camera.jpg"]
    collection.describe({folder / "old.jpg": dict.fromkeys(["year", "width", "name", "camera"])})
    assert names(collection, "year = 1999 and width = 96 and name = 'old.jpg'") == ["old.jpg"]


def test_given_facts_stay_with_a_picture_that_moves_changes_or_fails(
    folder: Path, collection: Collection, draw: Draw
) -> None:
    collection.describe({folder / name: {"stars": i} for i, name in enumerate(["0.png", "1.png", "2.png", "3.png"])})
    (folder / "0.png").rename(folder / "moved.png")
    draw(folder / "1.png", seed=90, size=(100, 70))
    (folder / "2.png").write_bytes(b"no picture any more")
    (folder / "3.png").unlink()
    report = collection.sync()
    assert (report.moved, report.changed, len(report.failed), report.removed) == (1, 1, 1, 1)
    assert [names(collection, f"stars = {i}") for i in range(4)] == [["moved.png"], ["1.png"], [], []]
    draw(folder / "2.png", seed=91)
    draw(folder / "3.png", seed=92)
    collection.sync()
    assert names(collection, "stars = 2") == ["2.png"]
    assert given_to(collection, folder / "3.png") == {}
    with collection._catalogue.reading():
        items = {item.id for item in collection._catalogue.items()}
    rows = collection._catalogue._database.select_all("metadata", "id, exif, given")
    assert {row[0] for row in rows} == items, "nothing is kept of what is gone"


def test_a_picture_is_named_through_a_link(tmp_path: Path, folder: Path, collection: Collection) -> None:
    (tmp_path / "link").symlink_to(folder)
    (folder / "alias.png").symlink_to(folder / "0.png")
    collection.sync()
    described = collection.describe({tmp_path / "link" / "0.png": {"x": 1}, folder / "alias.png": {"x": 2}})
    assert (described.pictures, described.unknown) == (2, [])
    assert names(collection, "x = 1") == ["0.png"]
    assert names(collection, "x = 2") == ["alias.png"]
    assert collection.facts(tmp_path / "link" / "alias.png")["x"] == 2
    assert np.array_equal(collection.vector(folder / "alias.png"), collection.vector(folder / "0.png"))


def test_a_name_is_unknown_when_its_last_picture_is_gone(folder: Path, collection: Collection, draw: Draw) -> None:
    collection.describe(
        {folder / "0.png": {"stars": 5, "label": "a"}, folder / "1.png": {"stars": "many", "label": "b"}}
    )
    (folder / "0.png").unlink()
    draw(folder / "1.png", seed=93)
    collection.sync()
    assert {name: kinds for name, kinds in collection.info().facts.items() if name in ("stars", "label")} == {
        "label": ["text"],
        "stars": ["text"],
    }
    (folder / "1.png").unlink()
    collection.sync()
    with pytest.raises(ArgumentError, match="received 'label'"):
        collection.paths("label = 'b'")


@pytest.mark.parametrize("name", ["\ud800.png", "a\0b/c.png"])
def test_what_no_file_can_be_called(collection: Collection, name: str) -> None:
    for ask in (
        lambda: collection.describe({name: {"x": 1}}),
        lambda: collection.facts(name),
        lambda: collection.given([name]),
        lambda: collection.vector(name),
    ):
        with pytest.raises(ArgumentError, match="which no file can have"):
            ask()


def test_facts_that_cannot_be_given_change_nothing(folder: Path, collection: Collection) -> None:
    collection.describe({folder / "0.png": {"stars": 1}})
    before = collection.info()
    good = (folder / "1.png", {"stars": 2})
    for bad in (
        {"path": "x"}, {"": 1}, {" a": 1}, {'a"b': 1}, {"a\\b": 1}, {"a\n": 1}, {3: 1}, {"x" * 101: 1},
        {"a": 2**63}, {"a": float("inf")}, {"a": {"b": 1}}, {"a": [1]}, {"a": "\0"}, {"a": "\ud800"}, {"a": "x" * 4097},
        {"a": b"x"}, {f"x{i}": "y" * 4000 for i in range(20)}, {f"x{i}": i for i in range(1001)},
    ):  # fmt: skip
        with pytest.raises(ArgumentError, match="expected"):
            collection.describe([good, (folder / "2.png", bad)])
    with pytest.raises(ArgumentError, match="each picture once"):
        collection.describe([good, (folder / "." / "1.png", {"stars": 3})])
    for i in range(16):
        collection.describe({folder / "2.png": {f"x{i}": "y" * 4000}})
    with pytest.raises(ArgumentError, match="at most 64 KiB"):
        collection.describe([good, (folder / "2.png", {"x": "y" * 4000})])
    assert names(collection, "stars > 0") == ["0.png"]
    assert collection.info().indexed == before.indexed


def test_facts_of_no_picture(folder: Path, collection: Collection) -> None:
    with pytest.raises(PictureError, match="expected an indexed picture"):
        collection.facts(folder / "notes.txt")
    with pytest.raises(PictureError):
        collection.facts(folder.parent / "0.png")


def test_only_the_writer_gives_facts(folder: Path, collection: Collection) -> None:
    from lookalike.collection.lock import writer_lock

    with writer_lock(collection.place.directory), pytest.raises(BusyError):
        collection.describe({folder / "0.png": {"x": 1}})


def test_readers_see_new_facts_without_opening_again(folder: Path, collection: Collection) -> None:
    with Collection.open(folder) as reader:
        collection.describe({folder / "1.png": {"x": 1}})
        assert [Path(hit.path).name for hit in reader.search(folder / "0.png", where="x = 1")] == ["1.png"]
        collection.describe({folder / "1.png": {"x": 2}, folder / "2.png": {"x": 1}})
        assert [Path(hit.path).name for hit in reader.search(folder / "0.png", where="x = 1")] == ["2.png"]


def test_the_ids_of_a_few_conditions_are_kept(folder: Path, collection: Collection) -> None:
    for i in range(40):
        collection.search(folder / "0.png", where=f"width > {i}")
    assert len(collection._access._opened.filters) == 16
    assert len(collection.search(folder / "0.png", where="width > 39", k=100)) == PICTURES + 1


# -- damage

DAMAGES = [
    ("UPDATE metadata SET exif = replace(exif, '1999', '1998')", "metadata"),
    ("UPDATE metadata SET given = replace(given, '1', '2')", "metadata"),
    ("UPDATE metadata SET exif = CAST(exif AS BLOB)", "metadata"),
    ("DELETE FROM metadata WHERE id = 1", "metadata"),
    ("UPDATE fields SET name = 'starz'", "fields"),
    ("DELETE FROM fields", "fields"),
]


@pytest.mark.parametrize(("statement", "table"), DAMAGES)
def test_a_row_changed_or_lost_behind_our_back_is_refused(
    folder: Path, collection: Collection, statement: str, table: str
) -> None:
    collection.describe({folder / "0.png": {"stars": 1}})
    collection.close()
    with closing(sqlite3.connect(collection.place.catalogue)) as connection:
        for event in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER {table}_{event}")
        connection.execute(statement)
        connection.commit()
    with Collection.open(folder) as damaged:
        with pytest.raises(DamagedError, match=f"table {table}.*mend it by `lookalike repair"):
            damaged.search(folder / "0.png", where="year = 1999 or stars = 1")
        with pytest.raises(DamagedError, match=f"table {table}"):
            damaged.paths("year = 1999 or stars = 1")


@pytest.mark.parametrize("change", ["width = 7", "state = 'failed'", "size = 'big'", "sha256 = NULL", "crc = 'none'"])
def test_a_row_of_an_item_that_no_hit_would_have_shown_is_refused(
    folder: Path, collection: Collection, change: str
) -> None:
    collection.close()
    with closing(sqlite3.connect(collection.place.catalogue)) as connection:
        connection.execute("DROP TRIGGER items_UPDATE")
        connection.execute(f"UPDATE items SET {change} WHERE path = CAST('3.png' AS BLOB)")
        connection.commit()
    with Collection.open(folder) as damaged:
        for where in ("width > 50 and name != '3.png'", "size > 2000000 and year = 1999"):
            with pytest.raises(DamagedError, match=r"table items|vectors for"):
                damaged.search(folder / "0.png", where=where)
            with pytest.raises(DamagedError, match="table items"):
                damaged.paths(where)


def test_checksums_of_rows_of_all_kinds_are_right(folder: Path, collection: Collection) -> None:
    (folder / "bad.png").write_text("no picture")
    (folder / os.fsdecode(b"latin-\xe9.png")).symlink_to(folder / "0.png")
    collection.sync()
    collection.describe({folder / "bad.png": {"x": "a'b"}, folder / "0.png": {"x": "\U0001f600"}})
    assert names(collection, "x is missing and width > 0 and not ext = 'gif'") == sorted(
        os.path.basename(path) for path in collection.paths() if not path.endswith("/0.png")
    )


def test_damaged_pictures_are_found_by_that(folder: Path) -> None:
    file = BytesIO()
    Image.effect_noise((400, 300), 90).save(file, "JPEG")
    (folder / "half.jpg").write_bytes(file.getvalue()[: len(file.getvalue()) // 2] + b"\xff\xd9")
    (folder / "whole.jpg").write_bytes(file.getvalue())
    with Collection.open(folder) as collection:
        report = collection.sync()
        assert report.damaged == [str(folder / "half.jpg")]
        assert collection.facts(folder / "half.jpg")["damaged"] is True
        assert collection.paths("damaged = true") == [str(folder / "half.jpg")]
        assert str(folder / "whole.jpg") not in collection.paths("damaged != true")
        assert str(folder / "whole.jpg") in collection.paths("damaged is missing")
        assert [collection.path(id) for id in collection.damaged()] == [str(folder / "half.jpg")]
        collection.describe({str(folder / "half.jpg"): {"damaged": False}})
        assert collection.damaged() == set()
        assert collection.sync().damaged == []
