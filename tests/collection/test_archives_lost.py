"""Archives that are away, damaged, or change while they are read: nothing of them is lost, and all of it is said."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lookalike.collection import Collection
from lookalike.collection.sealed import segments
from lookalike.errors import NoPicturesError, WriteError
from lookalike.images.archives import reader
from tests.archived import pack, stamp
from tests.faults import pictures
from tests.faults.pictures import encoded

from .archiving import KINDS, counts, ids, made, members, state, synced
from .conftest import Draw, Python

pytestmark = [pytest.mark.thorough, pytest.mark.usefixtures("tiles")]


def away(archive: Path) -> str:
    archive.unlink()
    return "cannot be read (No such file or directory)"


def a_folder(archive: Path) -> str:
    archive.unlink()
    archive.mkdir()
    return "expected an archive, received a folder; name a regular file"


def a_pipe(archive: Path) -> str:
    archive.unlink()
    os.mkfifo(archive)
    return "expected an archive, received a pipe or a device; name a regular file"


def empty(archive: Path) -> str:
    archive.write_bytes(b"")
    return "expected a tar (plain, or packed by gzip, bzip2 or xz), a zip or a Parquet file, received none of them"


def a_text(archive: Path) -> str:
    archive.write_text("a text\n" * 1000)
    return "expected a tar (plain, or packed by gzip, bzip2 or xz), a zip or a Parquet file, received none of them"


def half(archive: Path) -> str:
    os.truncate(archive, archive.stat().st_size // 2)
    return "expected a whole "


def altered(archive: Path) -> str:
    data = bytearray(archive.read_bytes())
    for at in range(700, len(data), 500):
        data[at] ^= 0xFF
    archive.write_bytes(data)
    return "expected a whole "


FATES = [away, a_folder, a_pipe, empty, a_text, half, altered]
CASES = [("a.tar", fate) for fate in FATES] + [(name, fate) for name in KINDS[1:] for fate in (half, altered)]


@pytest.mark.parametrize(("name", "fate"), CASES)
def test_an_archive_that_cannot_be_read_keeps_its_pictures(
    tmp_path: Path, name: str, fate: Callable[[Path], str]
) -> None:
    archive, other = pack(tmp_path / name, members(*range(1, 9)), 0), pack(tmp_path / "other.tar", members(9), 0)
    pictures.write(str(tmp_path / "photos" / "10.png"), 10)
    sources = [archive, tmp_path / "photos", other]
    synced(sources, tmp_path)
    before, all_ids = state(tmp_path), ids(tmp_path)
    saved = shutil.copy2(archive, tmp_path / "saved")
    reason = fate(archive)
    pack(other, members(9, 11), 1)
    for attempt in range(2):
        with Collection.open(tmp_path / "index") as collection:
            report = collection.sync(retry=bool(attempt))
        if attempt == 0:
            assert counts(report) == {"new": 1, "embedded": 1, "unchanged": 2, "kept": 8, "lost": 1}
        (lost,) = report.lost
        assert (lost.path, lost.total) == (str(archive), 1)
        assert lost.reason.startswith(reason)
        assert str(archive) not in lost.reason
    assert state(tmp_path) == before | {f"{other}/11.png": 11}
    if archive.is_dir():
        archive.rmdir()
    os.replace(saved, archive)
    assert counts(synced(sources, tmp_path)) == {"unchanged": 11}
    assert ids(tmp_path).items() >= all_ids.items()


@pytest.mark.parametrize("fate", FATES)
def test_where_no_source_can_be_read_the_error_names_each(tmp_path: Path, fate: Callable[[Path], str]) -> None:
    archive, other = pack(tmp_path / "a.tar", members(*range(1, 9)), 0), pack(tmp_path / "b.zip", members(9), 0)
    synced([archive, other], tmp_path)
    other.unlink()
    fate(archive)
    with Collection.open(tmp_path / "index") as collection:
        with pytest.raises(NoPicturesError) as error:
            collection.sync()
        assert f"{archive}: expected a" in str(error.value) or f"{archive}: cannot be read" in str(error.value)
        assert f"{other}: cannot be read (No such file or directory)" in str(error.value)
        assert len(collection) == 9


@pytest.mark.parametrize("damage", [half, altered, a_text])
def test_a_damaged_archive_makes_no_collection(tmp_path: Path, damage: Callable[[Path], str]) -> None:
    archive = pack(tmp_path / "a.tar", members(*range(1, 9)), 0)
    damage(archive)
    if damage is a_text:  # which may as well be called a picture
        assert counts(synced(archive, tmp_path)) == {"failed": 1}
        return
    with pytest.raises(Exception, match=r"a\.tar: expected a whole tar archive"):
        made(archive, tmp_path)
    assert not (tmp_path / "index").exists()


def test_another_archive_where_a_parquet_with_a_column_was(tmp_path: Path) -> None:
    archive = pack(tmp_path / "a.parquet", members(1, 2), 0)
    other = pack(tmp_path / "b.parquet", members(3), 0)
    sources = [archive, other]
    with Collection.create(sources, tmp_path / "index", model=pictures.MODEL, key="image") as collection:
        collection.sync()
        pack(tmp_path / "a.tar", members(1, 2, 4), 1).replace(archive)
        report = collection.sync()
        assert counts(report) == {"kept": 2, "unchanged": 1, "lost": 1}
        assert report.lost[0].reason == "expected no column of a tar, received 'image'; leave it out"


def test_parquet_without_its_extra_keeps_its_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, other = pack(tmp_path / "a.parquet", members(1, 2), 0), pack(tmp_path / "b.tar", members(3), 0)
    synced([archive, other], tmp_path)
    pack(archive, members(1, 2, 4), 1)
    with monkeypatch.context() as patch, Collection.open(tmp_path / "index") as collection:
        patch.setattr(reader, "find_spec", lambda name: None)
        report = collection.sync()
        assert counts(report) == {"kept": 2, "unchanged": 1, "lost": 1}
        assert "pip install 'lookalike[parquet]'" in report.lost[0].reason
    assert counts(synced([archive, other], tmp_path)) == {
        "unchanged": 3,
        "new": 1,
        "embedded": 1,
    }


UNREADABLE = """
import sys
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    report = collection.sync(retry=True)
    print(report.kept, report.unchanged, [(each.path, each.reason) for each in report.lost])
"""


CREATE = """
import sys
from lookalike.collection import Collection
from lookalike.errors import LookalikeError
try:
    Collection.create(sys.argv[1], sys.argv[2])
except LookalikeError as error:
    print(type(error).__name__, error)
"""


def test_an_archive_that_may_not_be_read_makes_no_collection(
    tmp_path: Path, python: Python, unprivileged: tuple[str, ...]
) -> None:
    archive = pack(tmp_path / "a.tar", members(1), 0)
    archive.chmod(0)
    done = python(CREATE, archive, tmp_path / "index", prefix=unprivileged)
    assert done.stdout.startswith(f"ReadError {archive}: "), done.stderr
    assert "Permission denied" in done.stdout
    assert not (tmp_path / "index").exists()


def test_an_archive_that_may_not_be_read(
    tmp_path: Path, draw: Draw, python: Python, unprivileged: tuple[str, ...]
) -> None:
    draw(tmp_path / "photos" / "0.png", seed=0)
    archive = pack(tmp_path / "a.tar", {"x.png": draw(tmp_path / "1.png", seed=1).read_bytes()}, 0)
    with Collection.create([tmp_path / "photos", archive], tmp_path / "index") as collection:
        collection.sync()
    stamp(archive, 1)
    archive.chmod(0)
    done = python(UNREADABLE, tmp_path / "index", prefix=unprivileged)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"1 1 [('{archive}', \"expected to read it, received 'Permission denied'")
    archive.chmod(stat.S_IRUSR)
    assert python(UNREADABLE, tmp_path / "index", prefix=unprivileged).stdout == "0 2 []\n"


# -- in the middle


def padded(seeds: range) -> dict[str, bytes]:
    """More than is read ahead of the model."""
    return {f"{seed}.png": encoded(seed) + bytes(8192) for seed in seeds}


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[int]]:
    """Let something happen while the second batch is embedded; what was embedded."""

    def happen(act: Callable[[], object]) -> list[int]:
        batches: list[int] = []

        def embedded(seeds: list[int]) -> None:
            batches.append(len(seeds))
            if len(batches) == 2:
                act()

        monkeypatch.setattr(pictures.model, "embedded", embedded)
        return batches

    return happen


def append(archive: Path) -> None:
    with archive.open("ab") as file:
        file.write(bytes(10240))


def replace(archive: Path) -> None:
    pack(archive, padded(range(500, 1000)), 1)


def cut(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


@pytest.mark.parametrize("name", ["a.tar", "a.zip"])
@pytest.mark.parametrize("change", [append, replace, cut, Path.unlink])
def test_an_archive_that_changes_while_it_is_read(tmp_path: Path, name: str, change: Any, during: Any) -> None:
    archive = pack(tmp_path / name, padded(range(500)), 0)
    other = pack(tmp_path / "z.tar", members(501), 0)
    whole = shutil.copy2(archive, tmp_path / "whole")
    batches = during(lambda: change(archive))
    with made([archive, other], tmp_path) as collection:
        report = collection.sync(batch=20)
        assert report.new == len(collection)
        assert 21 <= len(collection) < 500, "the other one is taken in, and of this one what was read before"
        assert len(batches) <= 500 // 20
        if change is Path.unlink:
            assert [each.reason for each in report.lost] == ["cannot be read (No such file or directory)"]
        else:
            assert report.lost == []
            assert [(each.path, each.reason) for each in report.skipped] == [
                (str(archive), "changed or gone while it was read; the next sync takes it")
            ]
            assert report.unsettled == 1
        assert report.found == report.indexed + sum(each.total for each in report.skipped)
        before = len(collection)
    assert Collection.verify(tmp_path / "index") == []
    shutil.copyfile(whole, archive)
    stamp(archive, 2)
    report = synced([archive, other], tmp_path)
    assert counts(report) == {"unchanged": before, "new": 501 - before, "embedded": 501 - before}


def test_what_is_kept_is_counted_where_a_known_archive_changes_while_it_is_read(tmp_path: Path, during: Any) -> None:
    archive = pack(tmp_path / "a.tar", padded(range(400)), 0)
    synced(archive, tmp_path)
    mixed = {**padded(range(100, 800)), **{f"{seed}.png": encoded(seed + 100) for seed in range(100, 110)}}
    pack(archive, mixed, 1)
    during(lambda: append(archive))
    with Collection.open(tmp_path / "index") as collection:
        report = collection.sync(batch=20)
        assert report.unsettled == 1
        assert report.indexed + report.kept == len(collection) >= 400
        assert report.removed == 0
        assert report.unchanged >= 290
    assert Collection.verify(tmp_path / "index") == []


def test_a_disk_that_is_full_is_no_damage_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = pack(tmp_path / "a.tar", members(1, 2, 3), 0)

    def seal(*arguments: object, **options: object) -> None:
        raise WriteError(28, "no room")

    with made(archive, tmp_path) as collection, monkeypatch.context() as patch:
        patch.setattr(segments, "MOST_PENDING", 1)
        patch.setattr(segments, "seal", seal)
        with pytest.raises(WriteError, match="no room"):
            collection.sync(batch=1)
    assert counts(synced(archive, tmp_path)) == {"unchanged": 1, "new": 2, "embedded": 2}
