"""What is done with a plan: files are moved or linked and taken back again; what has changed is left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lookalike.collection import Collection, SyncReport
from lookalike.dedupe import (
    Outcome,
    Plan,
    give_back,
    link_copies,
    move_others,
    read_plan,
    take_back,
    write_plan,
)
from lookalike.errors import ArgumentError, NotAnIndexError, WriteError

from ..conftest import Require
from .conftest import tree
from .hand import copies, group_of, large_and_copies

pytestmark = pytest.mark.thorough

COPIES = ["a.webp", "b.webp", "below/deep/c.webp"]


@pytest.fixture
def plan(collection: Collection, tmp_path: Path) -> Plan:
    """Keeps large.png of four."""
    path = os.fspath(tmp_path / "plan.json")
    write_plan(path, [collection], large_and_copies(Path(collection.place.shown)))
    return read_plan(path)


@pytest.fixture
def undo_file(tmp_path: Path) -> str:
    return os.fspath(tmp_path / "undo.json")


def moved(plan: Plan, to: Path, undo_file: str) -> Outcome:
    move_others(plan, os.fspath(to), undo_file, outcome := Outcome())
    return outcome


def linked(plan: Plan, undo_file: str) -> Outcome:
    link_copies(plan, undo_file, outcome := Outcome())
    return outcome


def undone(undo_file: str) -> Outcome:
    take_back(undo_file, outcome := Outcome())
    return outcome


def reasons(outcome: Outcome, photos: Path) -> dict[str, str]:
    return {os.path.relpath(path, photos): reason for path, reason in outcome.left}


def test_moves_below_the_same_folders_and_back(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    before, to = tree(photos), tmp_path / "to"
    outcome = moved(plan, to, undo_file)
    assert (outcome.done, outcome.left) == (3, [])
    assert outcome.bytes == sum(len(before[name][0]) for name in COPIES)
    assert tree(to) == {name: before[name] for name in COPIES}
    assert tree(photos) == {name: file for name, file in before.items() if name not in COPIES}
    assert undone(undo_file).done == 3
    assert tree(photos) == before
    assert tree(to) == {}
    again = undone(undo_file)
    assert (again.done, again.left) == (0, [])
    assert tree(photos) == before


def test_links_the_same_bytes_alone_and_parts_them_again(plan: Plan, photos: Path, undo_file: str) -> None:
    before = tree(photos)
    outcome = linked(plan, undo_file)
    assert (outcome.done, outcome.retimed, outcome.left) == (2, 2, [])
    assert len({(photos / name).stat().st_ino for name in COPIES}) == 1
    assert (photos / "large.png").stat().st_nlink == 1
    assert {name: file[0] for name, file in tree(photos).items()} == {name: file[0] for name, file in before.items()}
    assert undone(undo_file).done == 2
    assert tree(photos) == before
    again = undone(undo_file)
    assert (again.done, again.left) == (0, [])
    assert tree(photos) == before


def test_what_is_one_file_already_is_told(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    linked(plan, undo_file)
    os.utime(
        photos / "a.webp", ns=(0, plan.groups[0].others[1].file.mtime_ns)
    )  # the time that is planned for of b.webp
    again = linked(plan, os.fspath(tmp_path / "again"))
    assert again.done == 0
    assert "is one file with" in reasons(again, photos)["b.webp"]
    assert "time has changed" in reasons(again, photos)["below/deep/c.webp"]


def test_a_parted_link_lives_on_when_its_source_is_gone(plan: Plan, photos: Path, undo_file: str) -> None:
    before = tree(photos)
    linked(plan, undo_file)
    (photos / "a.webp").unlink()
    undone(undo_file)
    after = tree(photos)
    assert after == {name: file for name, file in before.items() if name != "a.webp"}


def test_other_names_of_a_copy_would_be_lost(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    (tmp_path / "name").hardlink_to(photos / "b.webp")
    before = tree(photos)
    outcome = linked(plan, undo_file)
    assert outcome.done == 1
    assert "other names (hard links)" in reasons(outcome, photos)["b.webp"]
    undone(undo_file)
    assert tree(photos) == before


def test_attributes_would_be_lost(plan: Plan, photos: Path, undo_file: str, require_or_skip: Require) -> None:
    try:
        os.setxattr(photos / "b.webp", "user.label", b"mine")
    except OSError:
        require_or_skip(None, "this file system keeps no attributes")
    outcome = linked(plan, undo_file)
    assert outcome.done == 1
    assert "other attributes" in reasons(outcome, photos)["b.webp"]
    assert os.getxattr(photos / "b.webp", "user.label") == b"mine"


def test_owner_and_mode_would_be_lost(plan: Plan, photos: Path, undo_file: str) -> None:
    (photos / "b.webp").chmod(0o600)
    if not os.geteuid():
        os.chown(photos / "below" / "deep" / "c.webp", 1, 1)
    before = tree(photos)
    outcome = linked(plan, undo_file)
    assert "another owner, group or mode" in reasons(outcome, photos)["b.webp"]
    assert outcome.done == (0 if not os.geteuid() else 1)
    assert tree(photos)["b.webp"] == before["b.webp"]


def rewrite(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def rewrite_keeping_size_and_time(path: Path) -> None:
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    rewrite(path)
    os.utime(path, ns=times)


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def become_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".x"))
    path.symlink_to(path.with_suffix(".x"))


def become_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


CHANGES: list[tuple[Callable[[Path], None], str]] = [
    (rewrite, "size or time"),
    (grow, "size or time"),
    (os.utime, "size or time"),
    (Path.unlink, "cannot be looked at"),
    (become_a_link, "no regular file"),
    (become_a_fifo, "no regular file"),
    (become_a_folder, "no regular file"),
    (rewrite_keeping_size_and_time, "bytes have changed"),
]


@pytest.mark.parametrize(("change", "why"), CHANGES)
@pytest.mark.parametrize("link", [False, True])
def test_what_changed_since_is_left_alone(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str, change: Callable[[Path], None], why: str, link: bool
) -> None:
    change(photos / "b.webp")
    before = os.lstat(photos / "b.webp") if os.path.lexists(photos / "b.webp") else None
    outcome = linked(plan, undo_file) if link else moved(plan, tmp_path / "to", undo_file)
    assert outcome.done == (1 if link else 2)
    assert list(reasons(outcome, photos)) == ["b.webp"]
    assert why in reasons(outcome, photos)["b.webp"]
    after = os.lstat(photos / "b.webp") if before else None
    assert (after and after.st_ino) == (before and before.st_ino)
    assert undone(undo_file).done == outcome.done


@pytest.mark.parametrize(("change", "why"), CHANGES)
def test_nothing_is_moved_when_the_keeper_changed(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str, change: Callable[[Path], None], why: str
) -> None:
    change(photos / "large.png")
    outcome = moved(plan, tmp_path / "to", undo_file)
    assert outcome.done == 0
    assert sorted(reasons(outcome, photos)) == COPIES
    assert all("was to be kept" in reason and why in reason for _, reason in outcome.left)
    assert not os.path.exists(undo_file)


@pytest.mark.parametrize(("change", "why"), [CHANGES[0], CHANGES[3], CHANGES[-1]])
def test_nothing_is_linked_to_what_changed(
    plan: Plan, photos: Path, undo_file: str, change: Callable[[Path], None], why: str
) -> None:
    change(photos / "a.webp")
    outcome = linked(plan, undo_file)
    assert outcome.done == 0
    assert sorted(reasons(outcome, photos)) == COPIES[1:]
    assert all(why in reason for _, reason in outcome.left)
    assert (photos / "b.webp").stat().st_nlink == 1
    assert not os.path.exists(undo_file)


def test_no_file_is_overwritten_there(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    to = tmp_path / "to"
    to.mkdir()
    (to / "a.webp").write_bytes(b"")  # empty, as a killed step would leave it: it is somebody's all the same
    (to / "b.webp").symlink_to("nowhere")
    (to / "below").write_bytes(b"no folder")
    before = tree(photos)
    outcome = moved(plan, to, undo_file)
    assert outcome.done == 0
    assert reasons(outcome, photos)["a.webp"] == f"{to}/a.webp is there already"
    assert set(reasons(outcome, photos)) == set(COPIES)
    assert not os.path.exists(undo_file), "there is nothing to undo"
    assert sorted(os.listdir(to)) == ["a.webp", "b.webp", "below"]
    assert tree(photos) == before


def test_no_file_is_overwritten_on_the_way_back(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    to = tmp_path / "to"
    moved(plan, to, undo_file)
    (photos / "a.webp").write_bytes(b"new")
    (to / "b.webp").write_bytes(b"edited")
    (to / "below/deep/c.webp").unlink()
    outcome = undone(undo_file)
    assert outcome.done == 0
    why = reasons(outcome, photos)
    assert why["a.webp"] == f"another file has its name now; it lies at {to}/a.webp"
    assert why["b.webp"] == "its bytes have changed"
    assert "neither there nor at" in why["below/deep/c.webp"]
    assert (photos / "a.webp").read_bytes() == b"new"
    assert (to / "b.webp").read_bytes() == b"edited"


def test_a_folder_that_is_gone_is_made_again(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    before = tree(photos)
    moved(plan, tmp_path / "to", undo_file)
    (photos / "below" / "deep").rmdir()
    undone(undo_file)
    assert tree(photos) == before


@pytest.mark.parametrize("to", ["", ".", "sub", "below", "below/deep", "not/there/yet"])
def test_not_among_the_pictures(plan: Plan, photos: Path, tmp_path: Path, undo_file: str, to: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(photos)
    for folder in (photos / to, link / to):
        with pytest.raises(ArgumentError, match="not among the pictures"):
            moved(plan, folder, undo_file)
    assert not os.path.exists(undo_file)


def test_beside_several_sources_will_do(photos: Path, tmp_path: Path, undo_file: str) -> None:
    camera = tmp_path / "camera"
    camera.mkdir()
    shutil.copy2(photos / "other.webp", camera / "again.webp")
    with Collection.create([photos, camera], tmp_path / "index") as collection:
        collection.sync()
        groups = [*copies(photos), group_of(2, camera / "again.webp", photos / "other.webp")]
        write_plan(os.fspath(tmp_path / "plan"), [collection], groups)
        plan = read_plan(os.fspath(tmp_path / "plan"))
        for source, among in ((photos, photos), (camera, camera / "below")):
            with pytest.raises(ArgumentError, match=f"not among the pictures in {source}"):
                moved(plan, among, undo_file)
        assert moved(plan, tmp_path / "aside", undo_file).done == 3
        assert collection.sync().removed == 3


def test_a_picture_that_is_a_source_is_left_alone(photos: Path, tmp_path: Path, undo_file: str) -> None:
    sources = [photos / "a.webp", photos / "b.webp"]
    with Collection.create(sources, tmp_path / "index") as collection:
        collection.sync()
        write_plan(os.fspath(tmp_path / "plan"), [collection], [group_of(1, *sources)])
        outcome = moved(read_plan(os.fspath(tmp_path / "plan")), tmp_path / "aside", undo_file)
    assert (outcome.done, not os.path.exists(undo_file)) == (0, True)
    assert [reason for _, reason in outcome.left] == ["it was given to be indexed by its own name, and would be missed"]


def test_a_hidden_folder_among_them_will_do(plan: Plan, photos: Path, undo_file: str) -> None:
    assert moved(plan, photos / ".aside", undo_file).done == 3
    with Collection.open(photos) as collection:
        assert collection.sync().removed == 3


def test_an_undo_file_is_never_overwritten(plan: Plan, photos: Path, tmp_path: Path) -> None:
    taken = tmp_path / "undo.json"
    taken.write_text("of another time")
    before = tree(photos)
    with pytest.raises(WriteError, match="File exists"):
        moved(plan, tmp_path / "to", os.fspath(taken))
    with pytest.raises(WriteError, match="File exists"):
        linked(plan, os.fspath(taken))
    assert tree(photos) == before
    assert taken.read_text() == "of another time"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_nothing_is_done_where_no_undo_file_can_be_written(plan: Plan, photos: Path, tmp_path: Path) -> None:
    before = tree(photos)
    with pytest.raises(WriteError, match="nothing was done"):
        moved(plan, tmp_path / "to", os.fspath(tmp_path / "no" / "undo.json"))
    assert tree(photos) == before


def test_another_file_system(plan: Plan, photos: Path, undo_file: str, require_or_skip: Require) -> None:
    elsewhere = Path("/dev/shm")
    there = elsewhere.is_dir() and os.access(elsewhere, os.W_OK) and elsewhere.stat().st_dev != photos.stat().st_dev
    require_or_skip(there, "there is no second file system in /dev/shm")
    to = elsewhere / f"lookalike-{os.getpid()}"
    before = tree(photos)
    try:
        with pytest.raises(ArgumentError, match=r"a folder on the file system of the pictures .* on another"):
            moved(plan, to / "not" / "there", undo_file)
        assert not to.exists()
        assert not os.path.exists(undo_file)
    finally:
        shutil.rmtree(to, ignore_errors=True)
    assert tree(photos) == before


def test_names_that_are_not_utf8(photos: Path, tmp_path: Path, undo_file: str) -> None:
    name = os.fsdecode(b"\xe9\n.webp")
    shutil.copy2(photos / "other.webp", photos / name)
    with Collection.open(photos) as collection:
        collection.sync()
        groups = [*copies(photos), group_of(2, photos / "other.webp", photos / name)]
        write_plan(os.fspath(tmp_path / "plan"), [collection], groups)
    before = tree(photos)
    plan = read_plan(os.fspath(tmp_path / "plan"))
    assert moved(plan, tmp_path / "to", undo_file).done == 3
    assert undone(undo_file).done == 3
    assert linked(plan, os.fspath(tmp_path / "links")).done == 3
    assert undone(os.fspath(tmp_path / "links")).done == 3
    assert tree(photos) == before


def test_a_name_of_255_bytes(photos: Path, tmp_path: Path, undo_file: str) -> None:
    name = "x" * 250 + ".webp"
    (photos / "b.webp").rename(photos / name)
    with Collection.open(photos) as collection:
        collection.sync()
        groups = [group_of(1, photos / "a.webp", photos / name, photos / "below/deep/c.webp")]
        write_plan(os.fspath(tmp_path / "plan"), [collection], groups)
    before = tree(photos)
    plan = read_plan(os.fspath(tmp_path / "plan"))
    assert linked(plan, undo_file).done == 2
    assert undone(undo_file).done == 2
    assert tree(photos) == before


def test_a_read_only_folder_is_left_alone(plan: Plan, photos: Path, tmp_path: Path, without_powers: list[str]) -> None:
    (photos / "below" / "deep").chmod(0o500)
    program = (
        "import sys; from lookalike.dedupe import *; plan = read_plan(sys.argv[1]); outcome = Outcome();"
        "move_others(plan, sys.argv[2], sys.argv[3], outcome); print(outcome.done, outcome.left)"
    )
    places = [os.fspath(tmp_path / name) for name in ("plan.json", "to", "undo")]
    command = [*without_powers, sys.executable, "-c", program, *places]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    (photos / "below" / "deep").chmod(0o700)
    assert done.stdout.startswith("2 "), done.stderr
    assert "Permission denied" in done.stdout
    assert not (tmp_path / "to/below/deep/c.webp").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"path": "relative"},
        {"path": 7},
        {"to": "relative"},
        {"did": "delete"},
        {"version": 2},
        {"lookalike": "dedupe plan"},
    ],
)
def test_a_changed_undo_file_is_refused(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str, change: dict[str, object]
) -> None:
    moved(plan, tmp_path / "to", undo_file)
    head, *lines = Path(undo_file).read_text().splitlines()
    Path(undo_file).write_text("\n".join([json.dumps(json.loads(head) | change), *lines]))
    before = tree(photos)
    with pytest.raises(NotAnIndexError, match="expected a dedupe undo"):
        undone(undo_file)
    assert tree(photos) == before


def test_an_undo_file_leads_out_of_its_folder(plan: Plan, tmp_path: Path, undo_file: str) -> None:
    moved(plan, tmp_path / "to", undo_file)
    text = Path(undo_file).read_text()
    Path(undo_file).write_text(text.replace('"a.webp"', '"../a.webp"'))
    with pytest.raises(NotAnIndexError, match="no path within a folder"):
        undone(undo_file)


# -- facts that were given


def describe(photos: Path) -> dict[str, dict[str, object]]:
    """Give each picture a fact of its own; what each has then."""
    with Collection.open(photos) as collection:
        collection.keep_facts(0)  # else they come back with their pictures, by a sync
        collection.describe({path: {"first name": os.path.basename(path)} for path in collection.paths()})
    return facts(photos)


def facts(photos: Path) -> dict[str, dict[str, object]]:
    with Collection.open(photos) as collection:
        return {path: dict(collection.facts(path)) for path in collection.paths()}


def sync(photos: Path) -> SyncReport:
    with Collection.open(photos) as collection:
        return collection.sync()


def keep_facts(photos: Path, days: int) -> None:
    """For so long the collection itself remembers what was given to pictures that are gone."""
    with Collection.open(photos) as collection:
        collection.keep_facts(days)


@pytest.mark.parametrize("days", [90, 0])
def test_facts_come_back_with_what_was_moved(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str, days: int
) -> None:
    before = describe(photos)
    keep_facts(photos, days)
    moved(plan, tmp_path / "to", undo_file)
    assert sync(photos).removed == 3
    assert len(facts(photos)) == len(before) - 3
    assert undone(undo_file).done == 3
    assert give_back(undo_file) == 3
    assert sync(photos).unchanged == len(before)
    assert facts(photos) == before
    assert give_back(undo_file) == 0, "they are there"


def test_facts_stay_where_no_sync_came_between(plan: Plan, photos: Path, tmp_path: Path, undo_file: str) -> None:
    before = describe(photos)
    moved(plan, tmp_path / "to", undo_file)
    undone(undo_file)
    assert give_back(undo_file) == 0
    assert sync(photos).unchanged == len(before)
    assert facts(photos) == before


@pytest.mark.parametrize("days", [90, 0])
def test_facts_are_given_back_to_the_same_picture_and_replace_none(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str, days: int
) -> None:
    before = describe(photos)
    keep_facts(photos, days)
    moved(plan, tmp_path / "to", undo_file)
    sync(photos)
    shutil.copy(photos / "other.webp", photos / "a.webp")  # another picture by that name
    undone(undo_file)
    sync(photos)
    b, c = (os.fspath(photos / name) for name in COPIES[1:])
    with Collection.open(photos) as collection:
        collection.describe({b: {"first name": "new", "stars": 1}})
    assert give_back(undo_file) == (0 if days else 1), "what the collection remembered is back by the sync"
    found = facts(photos)
    assert "first name" not in found[os.fspath(photos / "a.webp")]
    assert (found[b]["first name"], found[b]["stars"]) == ("new", 1)
    assert found[c] == before[c]


def test_links_keep_their_facts(plan: Plan, photos: Path, undo_file: str) -> None:
    before = describe(photos)
    linked(plan, undo_file)
    sync(photos)
    undone(undo_file)
    assert give_back(undo_file) == 0
    sync(photos)
    assert facts(photos) == before


def test_without_its_collection_a_plan_is_done_all_the_same(
    plan: Plan, photos: Path, tmp_path: Path, undo_file: str
) -> None:
    describe(photos)
    shutil.rmtree(photos / ".lookalike")
    assert moved(plan, tmp_path / "to", undo_file).done == 3
    assert undone(undo_file).done == 3
    assert give_back(undo_file) == 0
    assert not (photos / ".lookalike").exists()
