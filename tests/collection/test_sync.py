"""Bringing a collection up to date: what is embedded, what is not, and what is remembered."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection, SyncReport
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.sync.compare import Survey, compare
from lookalike.collection.sync.sync import Sync
from lookalike.errors import ArgumentError, NoPicturesError
from lookalike.images.find import Found, Skipped, find
from lookalike.models import Input
from lookalike.models import model as registry

from .conftest import PICTURES, Draw, Python


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    with Collection.open(folder) as opened:
        opened.sync()
        yield opened


def vectors(collection: Collection) -> dict[str, np.ndarray]:
    """The vector of every picture, by the name of its file."""
    index = collection._access.with_index(lambda index: index)
    assert index
    with collection._catalogue.reading():
        items = collection._catalogue.items()
    return {os.fsdecode(item.path): index[item.id] for item in items if item.state == "indexed"}


def ids(collection: Collection) -> dict[str, int]:
    with collection._catalogue.reading():
        return {os.fsdecode(item.path): item.id for item in collection._catalogue.items()}


def counts(report: SyncReport) -> dict[str, int]:
    """What is not zero, but for the text file that lies among the pictures."""
    names = ("new", "changed", "moved", "unchanged", "removed", "kept", "embedded")
    listed = {"skipped": len(report.skipped) - 1, "failed": len(report.failed), "lost": len(report.lost)}
    return {name: n for name, n in ({n: getattr(report, n) for n in names} | listed).items() if n}


def test_the_first_sync_indexes_everything(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    with Collection.open(folder) as collection:
        report = collection.sync(lambda done, total: seen.append((done, total)), batch=4)
        assert counts(report) == {"new": PICTURES, "embedded": PICTURES}
        assert [Path(entry.path).name for entry in report.skipped] == ["notes.txt"]
        assert report.found == PICTURES + 1
        assert len(collection) == PICTURES
        assert sorted(collection.paths()) == sorted(str(path) for path in folder.rglob("*.png"))
    assert seen == [(done, PICTURES) for done in range(PICTURES + 1)], "picture by picture, though by batches of 4"


def test_progress_counts_what_is_recognised_and_what_is_decoded(folder: Path, draw: Draw) -> None:
    with Collection.open(folder) as collection:
        collection.sync(batch=4)
        shutil.copyfile(folder / "0.png", folder / "copy.png")
        os.utime(folder / "1.png", ns=(1, 1))
        (folder / "2.png").rename(folder / "moved.png")
        (folder / "text.jpg").write_text("a text")
        for i in range(3):
            draw(folder / f"new{i}.png", seed=100 + i)
        seen: list[tuple[int, int]] = []
        collection.sync(lambda done, total: seen.append((done, total)), batch=2)
    assert seen == [(done, 7) for done in range(8)]


def test_a_second_sync_does_nothing(collection: Collection) -> None:
    before = collection.info()
    assert counts(collection.sync()) == {"unchanged": PICTURES}
    assert collection.info() == before


def test_a_new_picture_is_embedded_alone(collection: Collection, folder: Path, draw: Draw) -> None:
    draw(folder / "new.png", seed=100)
    assert counts(collection.sync()) == {"new": 1, "unchanged": PICTURES, "embedded": 1}
    assert len(collection) == PICTURES + 1


def test_a_changed_picture_gets_a_new_id_and_its_own_vector(collection: Collection, folder: Path, draw: Draw) -> None:
    before, vector = ids(collection), vectors(collection)["0.png"]
    draw(folder / "0.png", seed=100, size=(100, 70))
    assert counts(collection.sync()) == {"changed": 1, "unchanged": PICTURES - 1, "embedded": 1}
    after = ids(collection)
    assert after.pop("0.png") > max(before.values())
    assert after.items() <= before.items()
    assert not np.array_equal(vectors(collection)["0.png"], vector)


def test_a_touched_picture_is_not_embedded(collection: Collection, folder: Path) -> None:
    before = ids(collection)
    os.utime(folder / "0.png", ns=(1, 1))
    assert counts(collection.sync()) == {"unchanged": PICTURES}
    assert ids(collection) == before
    assert counts(collection.sync()) == {"unchanged": PICTURES}


def test_same_size_and_another_content(collection: Collection, folder: Path) -> None:
    one, other = (folder / "0.png").read_bytes(), folder / "0.png"
    other.write_bytes(one[:-1] + bytes([one[-1] ^ 1]))
    os.utime(other, ns=(1, 1))
    report = collection.sync()
    assert report.changed + len(report.failed) == 1


def test_a_removed_picture_is_found_no_more(collection: Collection, folder: Path) -> None:
    (folder / "0.png").unlink()
    assert counts(collection.sync()) == {"removed": 1, "unchanged": PICTURES - 1}
    found = collection.search(np.ones(collection.model.dim), k=PICTURES)
    assert len(found) == PICTURES - 1
    assert str(folder / "0.png") not in {hit.path for hit in found}


def test_a_moved_picture_keeps_its_id_and_is_not_embedded(collection: Collection, folder: Path) -> None:
    number = ids(collection)["0.png"]
    (folder / "elsewhere").mkdir()
    (folder / "0.png").rename(folder / "elsewhere" / "renamed.png")
    assert counts(collection.sync()) == {"moved": 1, "unchanged": PICTURES - 1}
    assert ids(collection)["elsewhere/renamed.png"] == number
    assert "0.png" not in ids(collection)


def test_a_moved_picture_is_recognised_after_an_interruption(collection: Collection, folder: Path, draw: Draw) -> None:
    (folder / "0.png").rename(folder / "z.png")
    draw(folder / "a.png", seed=100)

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collection.sync(stop, batch=1)
    report = collection.sync()
    assert report.embedded <= 1
    assert len(collection) == PICTURES + 1


def test_renaming_in_a_row_needs_no_embedding(collection: Collection, folder: Path) -> None:
    expected = vectors(collection)
    for i in reversed(range(4)):
        (folder / f"{i}.png").replace(folder / f"{i + 1}.png")
    report = collection.sync()
    assert report.embedded == 0
    assert len(collection) == PICTURES - 1
    found = vectors(collection)
    for i in range(4):
        np.testing.assert_array_equal(found[f"{i + 1}.png"], expected[f"{i}.png"])


def test_two_pictures_that_change_places(collection: Collection, folder: Path) -> None:
    expected = vectors(collection)
    (folder / "0.png").rename(folder / "x")
    (folder / "1.png").rename(folder / "0.png")
    (folder / "x").rename(folder / "1.png")
    collection.sync()
    found = vectors(collection)
    np.testing.assert_array_equal(found["0.png"], expected["1.png"])
    np.testing.assert_array_equal(found["1.png"], expected["0.png"])


def test_copies_are_embedded_once(folder: Path) -> None:
    for name in ("copy.png", "below/copy.png"):
        shutil.copyfile(folder / "0.png", folder / name)
    with Collection.open(folder) as collection:
        report = collection.sync(batch=2)
        assert counts(report) == {"new": PICTURES + 2, "embedded": PICTURES}
        shutil.copyfile(folder / "1.png", folder / "later.png")
        assert counts(collection.sync()) == {"new": 1, "unchanged": PICTURES + 2}
        found = vectors(collection)
    np.testing.assert_array_equal(found["copy.png"], found["0.png"])
    np.testing.assert_array_equal(found["later.png"], found["1.png"])


def test_what_cannot_be_read_is_remembered_until_it_changes(collection: Collection, folder: Path, draw: Draw) -> None:
    bad = folder / "text.jpg"
    bad.write_text("a text")
    report = collection.sync()
    assert counts(report) == {"unchanged": PICTURES, "failed": 1}
    assert (report.failed[0].path, "text" in report.failed[0].reason) == (str(bad), True)
    assert report.found == PICTURES + 2
    totals: list[int] = []
    again = collection.sync(lambda _, total: totals.append(total))
    assert (again.failed, set(totals)) == (report.failed, {0})
    assert collection.failed() == report.failed
    draw(bad, seed=100)
    assert counts(collection.sync()) == {"new": 1, "unchanged": PICTURES, "embedded": 1}
    bad.write_text("a text again")
    assert counts(collection.sync()) == {"unchanged": PICTURES, "failed": 1}
    assert len(collection) == PICTURES
    bad.unlink()
    assert counts(collection.sync()) == {"unchanged": PICTURES}
    assert collection.failed() == []


def test_what_could_not_be_read_is_tried_again_when_asked(folder: Path, draw: Draw) -> None:
    picture = draw(folder / "late.png", 77)
    whole, times = picture.read_bytes(), (1, 1)
    picture.write_bytes(whole[:100] + bytes(len(whole) - 100))
    os.utime(picture, times)
    with Collection.open(folder) as collection:
        assert collection.sync().newly_failed == 1
        picture.write_bytes(whole)  # as when a failing drive reads again: same size, same time
        os.utime(picture, times)
        report = collection.sync()
        assert (report.new, len(report.failed), report.newly_failed) == (0, 1, 0)
        report = collection.sync(retry=True)
        assert (report.new, len(report.failed)) == (1, 0)


def test_what_fails_again_for_the_same_reason_is_not_written_again(folder: Path) -> None:
    (folder / "text.jpg").write_text("a text")
    with Collection.open(folder) as collection:
        collection.sync()
        before = collection.info()
        assert len(collection.sync(retry=True).failed) == 1
        assert collection.info() == before


def test_an_unreadable_picture_is_tried_again(folder: Path, python: Python, unprivileged: tuple[str, ...]) -> None:
    (folder / "0.png").chmod(0)
    script = "import lookalike, sys; print(len(lookalike.open(sys.argv[1]).failed()))"
    assert python(script, folder, prefix=unprivileged).stdout == "1\n"
    (folder / "0.png").chmod(0o600)
    with Collection.open(folder) as collection:
        assert counts(collection.sync()) == {"new": 1, "unchanged": PICTURES - 1, "embedded": 1}


def test_a_picture_that_stays_unreadable_is_written_down_once(
    folder: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
    os.utime(folder / "0.png", (1, 1))  # else it is not opened
    (folder / "0.png").chmod(0)
    script = """
import lookalike, sys
with lookalike.Collection.open(sys.argv[1]) as collection:
    reports = [collection.sync() for _ in range(3)]
    with collection._access.reading() as about:
        print([(report.removed, report.newly_failed, len(report.failed)) for report in reports], about.next_id)
"""
    done = python(script, folder, prefix=unprivileged)
    (folder / "0.png").chmod(0o600)
    assert done.stdout == f"[(0, 1, 1), (0, 0, 1), (0, 0, 1)] {PICTURES + 2}\n", done.stderr


def test_a_source_that_is_missing_keeps_its_pictures(tmp_path: Path, folder: Path, draw: Draw) -> None:
    draw(tmp_path / "disk" / "a.png", seed=200)
    with Collection.create([folder, tmp_path / "disk"], tmp_path / "index") as collection:
        collection.sync()
        (tmp_path / "disk").rename(tmp_path / "away")
        report = collection.sync()
        assert counts(report) == {"unchanged": PICTURES, "kept": 1, "lost": 1}
        assert str(tmp_path / "disk") in report.lost[0].reason
        (tmp_path / "disk").mkdir()  # the empty folder that a disk is mounted on
        assert counts(collection.sync()) == {"unchanged": PICTURES, "kept": 1, "lost": 1}
        assert len(collection) == PICTURES + 1
        (tmp_path / "disk").rmdir()
        (tmp_path / "away").rename(tmp_path / "disk")
        assert counts(collection.sync()) == {"unchanged": PICTURES + 1}


Meanwhile = Callable[[Path, Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Let something happen in the middle of the next look through a source: after two of its files."""

    def arrange(source: Path, happens: Callable[[], object]) -> None:
        def disturbed(top: str) -> Iterator[Found | Skipped]:
            if Path(top) == source:
                monkeypatch.setattr("lookalike.collection.sync.compare.find", find)
            for number, entry in enumerate(find(top)):
                if Path(top) == source and number == 2:
                    happens()
                yield entry

        monkeypatch.setattr("lookalike.collection.sync.compare.find", disturbed)

    return arrange


@pytest.mark.parametrize("how", ["gone", "empty", "another"])
def test_a_source_that_goes_away_while_it_is_looked_through_keeps_its_pictures(
    tmp_path: Path, folder: Path, draw: Draw, meanwhile: Meanwhile, how: str
) -> None:
    draw(tmp_path / "home" / "a.png", seed=200)
    away = tmp_path / "away"

    def go_away() -> None:
        folder.rename(away)
        if how == "another":
            draw(folder / "another.png", seed=300)
        elif how == "empty":
            folder.mkdir()

    with Collection.create([folder, tmp_path / "home"], tmp_path / "index") as collection:
        collection.sync()
        meanwhile(folder, go_away)
        report = collection.sync()
        assert (report.unchanged, report.kept, report.removed) == (1, PICTURES, 0)
        assert [source.path for source in report.lost] == [str(folder)]
        assert len(collection) == PICTURES + 1
        if folder.exists():
            shutil.rmtree(folder)
        away.rename(folder)
        assert counts(collection.sync()) == {"unchanged": PICTURES + 1}


def test_the_only_source_that_goes_away_while_it_is_looked_through_is_an_error(
    tmp_path: Path, folder: Path, meanwhile: Meanwhile
) -> None:
    with Collection.create(folder, tmp_path / "index") as collection:
        collection.sync()
        meanwhile(folder, lambda: folder.rename(tmp_path / "away"))
        with pytest.raises(NoPicturesError, match="went away"):
            collection.sync()
        assert len(collection) == PICTURES


def test_a_source_that_goes_away_later_on_keeps_its_pictures(tmp_path: Path, folder: Path, draw: Draw) -> None:
    draw(tmp_path / "home" / "a.png", seed=200)
    with Collection.create([folder, tmp_path / "home"], tmp_path / "index") as collection:
        collection.sync()
        (folder / "0.png").unlink()

        def go_away(done: int, total: int) -> None:
            if folder.exists():
                folder.rename(tmp_path / "away")

        report = collection.sync(go_away)
        assert counts(report) == {"unchanged": PICTURES, "kept": 1, "lost": 1}
        (tmp_path / "away").rename(folder)
        assert counts(collection.sync()) == {"unchanged": PICTURES, "removed": 1}


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_folder_that_is_deleted_takes_its_pictures_along(
    folder: Path, draw: Draw, meanwhile: Meanwhile, when: str
) -> None:
    draw(folder / "later" / "deeper" / "a.png", seed=200)
    with Collection.open(folder) as collection:
        assert collection.sync().new == PICTURES + 1
        if when == "meanwhile":
            meanwhile(folder, lambda: shutil.rmtree(folder / "later"))
        else:
            shutil.rmtree(folder / "later")
        assert counts(collection.sync()) == {"unchanged": PICTURES, "removed": 1}


def test_a_disk_below_a_source_that_is_a_source_of_its_own_keeps_its_pictures(
    tmp_path: Path, folder: Path, draw: Draw
) -> None:
    draw(folder / "disk" / "a.png", seed=200)
    with Collection.create([folder, folder / "disk"], tmp_path / "index") as collection:
        assert collection.sync().new == PICTURES + 1
        (folder / "disk" / "a.png").rename(tmp_path / "away.png")
        assert counts(collection.sync()) == {"unchanged": PICTURES, "kept": 1, "lost": 1}
        (folder / "disk").rmdir()
        assert counts(collection.sync()) == {"unchanged": PICTURES, "kept": 1, "lost": 1}


@pytest.mark.parametrize("source", ["file", "link"])
def test_a_source_that_is_one_file_may_be_replaced_and_lost(
    tmp_path: Path, folder: Path, draw: Draw, source: str
) -> None:
    picture = draw(tmp_path / "disk" / "a.png", seed=200)
    if source == "link":
        (tmp_path / "link.png").symlink_to(picture)
        picture = tmp_path / "link.png"
    with Collection.create([folder, picture], tmp_path / "index") as collection:
        assert collection.sync().new == PICTURES + 1
        draw(tmp_path / "other.png", seed=201, size=(99, 66)).replace(tmp_path / "disk" / "a.png")
        assert counts(collection.sync()) == {"unchanged": PICTURES, "changed": 1, "embedded": 1}
        (tmp_path / "disk").rename(tmp_path / "away")
        assert counts(collection.sync()) == {"unchanged": PICTURES, "kept": 1, "lost": 1}


@pytest.fixture
def with_a_picture(tmp_path: Path, folder: Path, draw: Draw) -> Iterator[Collection]:
    """A folder and a picture by its name, which has a fact, beside another one that is no source."""
    draw(tmp_path / "one" / "other.png", seed=201)
    with Collection.create([folder, draw(tmp_path / "one" / "x.png", seed=200)], tmp_path / "index") as collection:
        collection.sync()
        collection.describe({tmp_path / "one" / "x.png": {"stars": 5}})
        yield collection


def test_a_picture_that_was_a_source_and_is_gone_is_none_any_more(
    with_a_picture: Collection, tmp_path: Path, folder: Path, draw: Draw
) -> None:
    (tmp_path / "one" / "x.png").unlink()
    assert counts(with_a_picture.sync()) == {"unchanged": PICTURES, "removed": 1}
    assert with_a_picture.info().roots == [str(folder)]
    draw(tmp_path / "one" / "x.png", seed=200)
    assert counts(with_a_picture.sync()) == {"unchanged": PICTURES}


@pytest.mark.parametrize("killed", [False, True])
def test_a_picture_that_was_a_source_and_moved_into_another_is_none_any_more(
    with_a_picture: Collection, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "one" / "x.png").rename(folder / "x.png")
    if killed:
        with monkeypatch.context() as patched:
            patched.setattr(Sync, "_copied", stopped)
            with pytest.raises(KeyboardInterrupt):
                with_a_picture.sync()
    moved = {"unchanged": PICTURES + 1} if killed else {"unchanged": PICTURES, "moved": 1}
    assert counts(with_a_picture.sync()) == moved
    assert with_a_picture.info().roots == [str(folder)]
    assert with_a_picture.facts(folder / "x.png")["stars"] == 5
    assert counts(with_a_picture.sync()) == {"unchanged": PICTURES + 1}


def test_a_picture_that_was_a_source_is_a_folder_now(with_a_picture: Collection, tmp_path: Path, draw: Draw) -> None:
    (tmp_path / "one" / "x.png").unlink()
    draw(tmp_path / "one" / "x.png" / "a.png", seed=202)
    assert counts(with_a_picture.sync()) == {"new": 1, "unchanged": PICTURES, "removed": 1, "embedded": 1}
    assert counts(with_a_picture.sync()) == {"unchanged": PICTURES + 1}


def test_a_picture_that_was_a_source_is_a_broken_link_now(with_a_picture: Collection, tmp_path: Path) -> None:
    (tmp_path / "one" / "x.png").unlink()
    (tmp_path / "one" / "x.png").symlink_to("nowhere.png")
    assert counts(with_a_picture.sync()) == {"unchanged": PICTURES, "kept": 1, "lost": 1}


@pytest.mark.parametrize("mode", [0, 0o400])
def test_a_picture_that_is_a_source_is_kept_where_its_folder_is_closed(
    with_a_picture: Collection, tmp_path: Path, python: Python, unprivileged: tuple[str, ...], mode: int
) -> None:
    (tmp_path / "one").chmod(mode)
    script = """
import lookalike, sys
with lookalike.Collection.open(sys.argv[1]) as collection:
    report = collection.sync()
    print(report.kept, report.unchanged, report.removed, len(report.lost), len(collection.info().roots))
"""
    done = python(script, tmp_path / "index", prefix=unprivileged)
    (tmp_path / "one").chmod(0o700)
    assert done.stdout == f"1 {PICTURES} 0 1 2\n", done


def test_no_source_left_is_an_error_and_changes_nothing(tmp_path: Path, folder: Path) -> None:
    with Collection.create(folder, tmp_path / "index") as collection:
        collection.sync()
        folder.rename(tmp_path / "away")
        with pytest.raises(NoPicturesError, match="photos"):
            collection.sync()
        assert len(collection) == PICTURES


def test_a_folder_that_cannot_be_read_keeps_its_pictures(
    folder: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
    (folder / "below").chmod(0)
    script = """
import lookalike, sys
with lookalike.Collection.open(sys.argv[1]) as collection:
    report = collection.sync()
    print(report.kept, report.removed, len(collection), report.skipped)
"""
    done = python(script, folder, prefix=unprivileged)
    (folder / "below").chmod(0o700)
    assert done.stdout.startswith(f"1 0 {PICTURES} "), done
    assert "below" in done.stdout


def test_a_source_around_the_collection_that_cannot_be_read_keeps_its_pictures(
    tmp_path: Path, folder: Path, draw: Draw, python: Python, unprivileged: tuple[str, ...]
) -> None:
    draw(tmp_path / "elsewhere" / "a.png", seed=200)
    around = tmp_path / "around"
    around.mkdir()
    folder.rename(around / "photos")
    draw(around / "beside" / "b.png", seed=201)
    index = around / "photos" / "index"
    with Collection.create([around, tmp_path / "elsewhere"], index) as collection:
        assert collection.sync().new == PICTURES + 2
    around.chmod(0o300)
    script = """
import lookalike, sys
with lookalike.Collection.open(sys.argv[1]) as collection:
    report = collection.sync()
    print(report.kept, report.removed, report.unchanged, len(report.lost))
"""
    done = python(script, index, prefix=unprivileged)
    around.chmod(0o700)
    assert done.stdout == f"{PICTURES + 1} 0 1 1\n", done


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        (b"a.png", True),
        (b"below/a.png", False),
        (b"../a.png", True),
        (b"../open/a.png", False),
        (b"../../a.png", True),
        (b"../../../a.png", False),
    ],
)
def test_the_innermost_source_decides_whether_a_picture_is_out_of_reach(path: bytes, kept: bool) -> None:
    item = Item(1, path, 1, 1, b"", 1, 1, "indexed", None)
    lost = {b"../..": Skipped("/", "gone")}
    differences = compare([item], Survey(lost=lost, read={b"below", b"../open"}), retry=False)
    assert (differences.kept == [item]) == kept
    assert (differences.vanished == [item]) != kept


def test_hidden_pictures_are_skipped_and_the_collection_is_not_mentioned(folder: Path, draw: Draw) -> None:
    draw(folder / ".cache" / "a.png", seed=100)
    draw(folder / ".b.png", seed=101)
    for place in (folder / ".lookalike", folder / ".index"):
        with Collection.create(folder, place) as collection:
            report = collection.sync()
        assert report.new == PICTURES
        assert {Path(s.path).name for s in report.skipped if s.reason == "hidden"} == {".cache", ".b.png"}
        shutil.rmtree(place)


def test_all_pictures_deleted(collection: Collection, folder: Path, draw: Draw) -> None:
    for path in folder.rglob("*.png"):
        path.unlink()
    assert counts(collection.sync()) == {"removed": PICTURES}
    assert collection.search(np.ones(collection.model.dim)) == []
    draw(folder / "again.png", seed=300)
    assert counts(collection.sync()) == {"new": 1, "embedded": 1}
    assert len(collection.search(np.ones(collection.model.dim))) == 1


def test_overlapping_sources_hold_each_picture_once(tmp_path: Path, folder: Path) -> None:
    sources: list[Path | str] = [folder, folder / "below", folder / "0.png", f"{folder}/below/../."]
    with Collection.create(sources, tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": PICTURES, "embedded": PICTURES}
        assert len(set(collection.paths())) == PICTURES


def test_a_file_given_by_name_is_not_skipped_as_well(tmp_path: Path, folder: Path, draw: Draw) -> None:
    named = draw(folder / "new.png", seed=100).rename(folder / "of no known extension")
    with Collection.create([folder, named], tmp_path / "index") as collection:
        report = collection.sync()
    assert counts(report) == {"new": PICTURES + 1, "embedded": PICTURES + 1}
    assert report.found == sum(path.is_file() for path in folder.rglob("*"))


def test_a_source_around_the_collection(tmp_path: Path, folder: Path) -> None:
    with Collection.create(folder / "below", folder / "index") as collection:
        collection.sync()
    with Collection.create(tmp_path, folder / "index") as collection:
        report = collection.sync()
        assert (report.new, report.unchanged) == (PICTURES - 1, 1)
        assert sorted(collection.paths()) == sorted(str(path) for path in folder.rglob("*.png"))


def test_a_source_whose_name_ends_in_dots_below_a_link(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "disk" / "pictures.." / "a.png", seed=1)
    (tmp_path / "link").symlink_to("disk")
    with Collection.create(tmp_path / "link" / "pictures..", tmp_path / "link" / "index") as collection:
        collection.sync()
        assert ids(collection) == {"pictures../a.png": 1}
        assert collection.vector(tmp_path / "disk" / "pictures.." / "a.png").shape == (collection.model.dim,)


def test_a_moved_disk_works(tmp_path: Path, folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
    moved = tmp_path / "moved"
    folder.rename(moved)
    with Collection.open(moved) as collection:
        assert counts(collection.sync()) == {"unchanged": PICTURES}
        assert all(Path(path).is_file() for path in collection.paths())


def test_names_are_bytes(folder: Path, draw: Draw) -> None:
    names = [b"latin-\xe9.png", b"new\nline.png", "\u202eright to left.png".encode(), b"n" * 251 + b".png"]
    for i, name in enumerate(names):
        draw(folder / "plain.png", seed=400 + i).rename(Path(os.fsdecode(bytes(folder) + b"/" + name)))
    with Collection.open(folder) as collection:
        assert counts(collection.sync()) == {"new": PICTURES + 4, "embedded": PICTURES + 4}
        assert counts(collection.sync()) == {"unchanged": PICTURES + 4}
        found = {os.fsencode(path) for path in collection.paths()}
        assert {bytes(folder) + b"/" + name for name in names} <= found
        query = os.fsdecode(bytes(folder) + b"/" + names[0])
        assert len(collection.search(query, k=100)) == PICTURES + 3


@pytest.mark.parametrize("time_ns", [-(10**18), 0, 2**63 - 1, 2**63 + 10**9])
def test_any_time_that_a_file_may_have(folder: Path, time_ns: int) -> None:
    seconds, rest = divmod(time_ns, 10**9)
    subprocess.run(["touch", "-d", f"@{seconds}.{rest:09}", folder / "0.png"], check=True)
    with Collection.open(folder) as collection:
        assert collection.sync().new == PICTURES
        assert counts(collection.sync()) == {"unchanged": PICTURES}


def test_a_batch_of_none_is_refused(collection: Collection) -> None:
    with pytest.raises(ArgumentError, match="batch"):
        collection.sync(batch=0)


class Meddling:
    """A model that lets something happen while pictures are embedded, which is after they were read."""

    name, hash, dim, input = "meddling", "0" * 64, 3, Input(8, "squeeze")

    def __init__(self) -> None:
        self.happens: Callable[[], object] = lambda: None

    def embed(self, batch: np.ndarray) -> np.ndarray:
        self.happens()
        return np.asarray(batch.mean(axis=(1, 2)) + 1, np.float32)


@pytest.fixture
def meddling(monkeypatch: pytest.MonkeyPatch) -> Meddling:
    model = Meddling()
    monkeypatch.setitem(registry._models, "meddling", model)
    return model


@pytest.mark.parametrize("how", ["written", "replaced", "removed"])
def test_a_picture_that_changes_while_it_is_read_is_left_to_the_next_sync(
    folder: Path, draw: Draw, meddling: Meddling, how: str
) -> None:
    def meddle() -> None:
        if how == "written":
            with (folder / "0.png").open("ab") as file:
                file.write(b"more")
        elif how == "replaced":
            draw(folder.parent / "other.png", seed=100).replace(folder / "0.png")
        else:
            (folder / "0.png").unlink()
        meddling.happens = lambda: None

    meddling.happens = meddle
    with Collection.create(folder, model="meddling") as collection:
        report = collection.sync()
        assert (report.new, report.unsettled, report.failed) == (PICTURES - 1, 1, [])
        assert report.found == PICTURES + 1
        assert [Path(entry.path).name for entry in report.skipped] == ["notes.txt", "0.png"]
        report = collection.sync()
        assert (report.new, report.unsettled) == (how != "removed", 0)
        assert len(collection) == PICTURES - (how == "removed")


def test_an_indexed_picture_that_changes_while_it_is_read_stays_as_it_was(
    folder: Path, draw: Draw, meddling: Meddling
) -> None:
    with Collection.create(folder, model="meddling") as collection:
        collection.sync()
        before = ids(collection)
        draw(folder / "0.png", seed=100, size=(80, 80))
        meddling.happens = lambda: draw(folder / "0.png", seed=101, size=(90, 90))
        assert counts(collection.sync()) == {"unchanged": PICTURES - 1, "embedded": 1, "skipped": 1}
        assert ids(collection) == before
        meddling.happens = lambda: None
        assert counts(collection.sync()) == {"unchanged": PICTURES - 1, "changed": 1, "embedded": 1}


def test_the_times_of_the_stages_add_up(folder: Path) -> None:
    with Collection.open(folder) as collection:
        report = collection.sync()
    assert list(report.seconds) == ["find", "decode", "embed", "commit", "seal"]
    assert all(seconds > 0 for seconds in report.seconds.values())
    assert sum(report.seconds.values()) <= report.elapsed
    assert all(seconds > 0 for seconds in report.processor.values())


def test_pictures_are_kept_whose_reader_is_not_installed_any_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "0.png").rename(folder / "phone.heic")  # its content says that it is a PNG: that is enough here
    with Collection.open(folder) as collection:
        monkeypatch.setattr("lookalike.images.extras._is_installed", lambda _: True)
        assert collection.sync().new == PICTURES
        monkeypatch.setattr("lookalike.images.extras._is_installed", lambda _: False)
        report = collection.sync()
        assert (report.kept, report.removed) == (1, 0)
        (folder / "phone.heic").unlink()
        report = collection.sync()
        assert (report.kept, report.removed) == (0, 1)
