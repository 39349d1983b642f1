"""Pictures that move to names which were taken: renumbered, swapped, turned round. Their facts go with them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection, SyncReport
from lookalike.collection.sync.report import Progress
from lookalike.collection.sync.settle import Settling
from lookalike.images.find import Found, Skipped, find

from .conftest import PICTURES, Draw

pytestmark = pytest.mark.thorough

NAMES = [*(f"{i}.png" for i in range(PICTURES - 1)), "below/last.png"]


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    """Every picture has a fact: its first name."""
    with Collection.open(folder) as opened:
        opened.sync()
        opened.describe({folder / name: {"first": name} for name in NAMES})
        yield opened


def move(folder: Path, names: Mapping[str, str]) -> None:
    """Give files other names, all at once; what has such a name is overwritten."""
    for i, name in enumerate(names):
        (folder / name).rename(folder / f".{i}")
    for i, name in enumerate(names.values()):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f".{i}").replace(folder / name)


def first_names(collection: Collection) -> dict[str, object]:
    """Of every indexed picture what its fact says."""
    return {
        os.path.relpath(path, collection.place.base): collection.facts(path).get("first") for path in collection.paths()
    }


def what_is_known(collection: Collection) -> dict[str, tuple[int, bytes]]:
    """Of every picture its id and its vector."""
    with collection._catalogue.reading():
        ids = {os.fsdecode(item.path): item.id for item in collection._catalogue.items() if item.state == "indexed"}
    return {path: (ids[path], collection.vector(os.path.join(collection.place.base, path)).tobytes()) for path in ids}


def counts(report: SyncReport) -> dict[str, int]:
    names = ("new", "changed", "moved", "unchanged", "removed", "embedded")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def follow(collection: Collection, settle: float, progress: Progress | None = None) -> SyncReport:
    """A round of a watch for which files settle in so many seconds."""
    return collection._sync(progress, 64, False, 0, Settling(settle))


MOVES = {
    "a swap": {"0.png": "1.png", "1.png": "0.png"},
    "a swap across folders": {"0.png": "below/last.png", "below/last.png": "0.png"},
    "a cycle of three": {"0.png": "1.png", "1.png": "2.png", "2.png": "0.png"},
    "a cycle of three and a swap": {
        "0.png": "1.png", "1.png": "2.png", "2.png": "0.png", "3.png": "below/last.png", "below/last.png": "3.png",
    },
    "renumbered upwards": {f"{i}.png": f"{i + 1}.png" for i in range(PICTURES - 1)},
    "renumbered into another folder": {"0.png": "1.png", "1.png": "2.png", "2.png": "elsewhere/2.png"},
    "to a free name": {"0.png": "z.png"},
}  # fmt: skip


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("names", MOVES.values(), ids=MOVES)
def test_what_moves_keeps_its_facts_its_id_and_its_vector(
    collection: Collection, folder: Path, names: dict[str, str], batch: int
) -> None:
    before = what_is_known(collection)
    move(folder, names)
    assert counts(collection.sync(batch=batch)) == {"moved": len(names), "unchanged": PICTURES - len(names)}
    expected = {names.get(name, name): name for name in NAMES}
    expected = {name: first for name, first in expected.items() if first}
    assert first_names(collection) == expected
    assert what_is_known(collection) == {name: before[first] for name, first in expected.items()}
    assert counts(collection.sync()) == {"unchanged": PICTURES}
    assert Collection.verify(folder) == []


def test_renumbered_after_one_was_removed(collection: Collection, folder: Path) -> None:
    (folder / "0.png").unlink()
    move(folder, {f"{i}.png": f"{i - 1}.png" for i in range(1, PICTURES - 1)})
    assert counts(collection.sync()) == {"moved": PICTURES - 2, "removed": 1, "unchanged": 1}
    expected = {f"{i - 1}.png": f"{i}.png" for i in range(1, PICTURES - 1)} | {"below/last.png": "below/last.png"}
    assert first_names(collection) == expected


def test_moved_over_another(collection: Collection, folder: Path) -> None:
    move(folder, {"0.png": "1.png"})
    assert counts(collection.sync()) == {"moved": 1, "removed": 1, "unchanged": PICTURES - 2}
    assert first_names(collection) == {"1.png": "0.png"} | {name: name for name in NAMES[2:]}


def test_a_new_picture_among_renumbered_ones_has_no_facts_yet(collection: Collection, folder: Path, draw: Draw) -> None:
    move(folder, {"0.png": "1.png", "1.png": "2.png", "2.png": "9.png"})
    draw(folder / "0.png", seed=100)
    assert counts(collection.sync()) == {"new": 1, "moved": 3, "unchanged": PICTURES - 3, "embedded": 1}
    moved = {"1.png": "0.png", "2.png": "1.png", "9.png": "2.png"}
    assert first_names(collection) == {name: name for name in NAMES[3:]} | moved | {"0.png": None}


def test_a_picture_that_cannot_be_read_in_the_place_of_one_that_moved(collection: Collection, folder: Path) -> None:
    move(folder, {"0.png": "1.png"})
    (folder / "0.png").write_text("no picture")
    report = collection.sync()
    assert counts(report) == {"moved": 1, "removed": 1, "unchanged": PICTURES - 2}
    assert [failure.path for failure in report.failed] == [str(folder / "0.png")]
    assert first_names(collection) == {"1.png": "0.png"} | {name: name for name in NAMES[2:]}


def test_a_picture_moves_to_the_name_of_one_that_could_not_be_read(collection: Collection, folder: Path) -> None:
    (folder / "bad.png").write_text("no picture")
    collection.sync()
    move(folder, {"0.png": "bad.png"})
    assert counts(collection.sync()) == {"moved": 1, "unchanged": PICTURES - 1}
    assert collection.failed() == []
    assert first_names(collection)["bad.png"] == "0.png"


def damage(path: Path) -> bytes:
    """Let a picture be unreadable, and give what it held."""
    content = path.read_bytes()
    path.write_text("no picture")
    return content


def test_a_restored_picture_keeps_its_facts_though_a_copy_of_it_is_gone(collection: Collection, folder: Path) -> None:
    shutil.copyfile(folder / "0.png", folder / "copy.png")
    collection.sync()
    collection.describe({folder / "copy.png": {"first": "copy"}})
    content = damage(folder / "0.png")
    assert len(collection.sync().failed) == 1
    (folder / "0.png").write_bytes(content)
    (folder / "copy.png").unlink()
    assert counts(collection.sync()) == {"new": 1, "removed": 1, "unchanged": PICTURES - 1}
    assert first_names(collection) == {name: name for name in NAMES}
    assert Collection.verify(folder) == []


@pytest.mark.parametrize("place", ["z.png", "1.png", "bad.png"])
@pytest.mark.parametrize("before", [None, "a picture", "no picture, too"])
def test_a_picture_that_could_not_be_read_is_restored_elsewhere(
    collection: Collection, folder: Path, draw: Draw, place: str, before: str | None
) -> None:
    (folder / "bad.png").write_text("never was one")
    content = damage(folder / "0.png")
    assert len(collection.sync().failed) == 2
    (folder / place).write_bytes(content)
    if before is None:
        (folder / "0.png").unlink()
    elif before == "a picture":
        draw(folder / "0.png", seed=100)
    else:
        (folder / "0.png").write_text(before)
    report = collection.sync(batch=1)
    assert report.new == 1 + (before == "a picture")
    expected = {name: name for name in NAMES} | {"0.png": None, place: "0.png"}
    assert first_names(collection) == {k: v for k, v in expected.items() if k != "0.png" or before == "a picture"}
    assert collection.sync().changes == 0
    assert Collection.verify(folder) == []


def test_a_picture_that_moves_and_cannot_be_read_there_keeps_its_facts_for_later(
    collection: Collection, folder: Path
) -> None:
    content = damage(folder / "0.png")
    collection.sync()
    whole, broken = folder / "z.png", content[:200] + bytes(len(content) - 200)
    (folder / "0.png").unlink()
    whole.write_bytes(content)

    def break_it(done: int, total: int) -> None:
        if done == 0:
            whole.write_bytes(broken)

    collection.sync(break_it)
    whole.write_bytes(content)
    collection.sync()
    assert first_names(collection).get("z.png") == "0.png"


def test_what_an_earlier_version_remembers_of_a_picture_that_cannot_be_read_is_enough(
    collection: Collection, folder: Path
) -> None:
    """It forgot the content."""
    content = damage(folder / "0.png")
    collection.sync()
    with collection._access.writer(0) as catalogue, catalogue.writing():
        failed = catalogue.with_path(b"0.png")
        assert failed
        catalogue.update([failed._replace(sha256=None)])
    shutil.copyfile(folder / "1.png", folder / "0.png")
    assert counts(collection.sync()) == {"new": 1, "unchanged": PICTURES - 1}
    (folder / "0.png").write_bytes(content)
    assert counts(collection.sync()) == {"changed": 1, "unchanged": PICTURES - 1, "embedded": 1}
    assert first_names(collection) == {name: name for name in NAMES}


def test_a_copy_is_no_move(collection: Collection, folder: Path) -> None:
    shutil.copyfile(folder / "0.png", folder / "copy.png")
    shutil.copyfile(folder / "0.png", folder / "1.png")
    assert counts(collection.sync()) == {"new": 1, "changed": 1, "unchanged": PICTURES - 1}
    found = first_names(collection)
    assert (found["0.png"], found["1.png"], found["copy.png"]) == ("0.png", "1.png", None)


def test_copies_of_one_picture_that_move_are_told_apart_by_their_names(collection: Collection, folder: Path) -> None:
    for name in ("x.png", "b.png", "a.png"):
        shutil.copyfile(folder / "0.png", folder / "below" / name)
    collection.sync()
    collection.describe({folder / "below" / name: {"first": name} for name in ("x.png", "b.png", "a.png")})
    (folder / "below").rename(folder / "above")
    (folder / "above" / "x.png").rename(folder / "above" / "0.png")  # which comes before those that keep their names
    assert counts(collection.sync()) == {"moved": 4, "unchanged": PICTURES - 1}
    found = first_names(collection)
    assert {name: found[f"above/{name}"] for name in ("0.png", "a.png", "b.png", "last.png")} == {
        "0.png": "x.png",
        "a.png": "a.png",
        "b.png": "b.png",
        "last.png": "below/last.png",
    }


def test_an_original_that_was_put_aside_keeps_its_facts(collection: Collection, folder: Path, draw: Draw) -> None:
    move(folder, {"0.png": "0 (original).png"})
    draw(folder / "0.png", seed=100)
    assert counts(collection.sync()) == {"new": 1, "moved": 1, "unchanged": PICTURES - 1, "embedded": 1}
    assert first_names(collection)["0 (original).png"] == "0.png"


def test_a_picture_whose_new_file_is_being_written_keeps_its_facts(collection: Collection, folder: Path) -> None:
    shutil.copyfile(folder / "0.png", folder / "z.png")  # its time is now
    (folder / "0.png").unlink()
    (folder / "1.png").unlink()
    size = (folder / "z.png").stat().st_size
    other = (folder / "1.png").with_name("x.png")
    other.write_bytes(bytes(size + 1))  # of another size than either
    report = follow(collection, 3600)
    assert (report.moved, report.unsettled, report.kept, report.removed) == (0, 2, 1, 1)
    assert report.indexed + report.kept == len(collection) == PICTURES - 1
    report = follow(collection, 0)
    assert (report.moved, report.removed, report.embedded, len(report.failed)) == (1, 0, 0, 1)
    assert first_names(collection)["z.png"] == "0.png"


UNSETTLED = [(moves, new) for moves in MOVES for new in MOVES[moves].values()]


@pytest.mark.parametrize(("moves", "written"), UNSETTLED, ids=[f"{moves}: {new}" for moves, new in UNSETTLED])
def test_a_move_of_which_one_file_is_being_written_waits_for_it(
    collection: Collection, folder: Path, moves: str, written: str
) -> None:
    before, names = what_is_known(collection), MOVES[moves]
    move(folder, names)
    for name in names.values():
        os.utime(folder / name, None if name == written else (1, 1))
    follow(collection, 3600)
    report = follow(collection, 0)
    assert (report.new, report.changed, report.removed, report.embedded) == (0, 0, 0, 0)
    expected = {names.get(name, name): name for name in NAMES}
    assert first_names(collection) == expected
    assert what_is_known(collection) == {name: before[first] for name, first in expected.items()}


@pytest.mark.parametrize("written", ["0.png", "0 (original).png"])
def test_an_original_that_was_put_aside_keeps_its_facts_while_one_of_both_is_being_written(
    collection: Collection, folder: Path, draw: Draw, written: str
) -> None:
    move(folder, {"0.png": "0 (original).png"})
    draw(folder / "0.png", seed=100)
    for name in ("0.png", "0 (original).png"):
        os.utime(folder / name, None if name == written else (1, 1))
    seen: list[tuple[int, int]] = []
    report = follow(collection, 3600, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1, 1)
    assert counts(report) == {"unchanged": PICTURES - 1}
    assert report.unsettled == 2
    assert counts(follow(collection, 0)) == {"new": 1, "moved": 1, "unchanged": PICTURES - 1, "embedded": 1}
    assert first_names(collection) == {name: name for name in NAMES} | {"0.png": None, "0 (original).png": "0.png"}


def test_what_has_nothing_to_do_with_a_file_that_is_being_written_does_not_wait(
    collection: Collection, folder: Path, draw: Draw
) -> None:
    move(folder, {"1.png": "2.png", "2.png": "1.png"})
    shutil.copyfile(folder / "3.png", folder / "copy.png")
    for name in ("1.png", "2.png", "copy.png"):
        os.utime(folder / name, (1, 1))
    draw(folder / "0.png", seed=100, size=(99, 66))
    report = follow(collection, 3600)
    assert (report.new, report.moved, report.unsettled) == (1, 2, 1)


def test_a_picture_that_is_touched_on_its_way_keeps_its_facts(collection: Collection, folder: Path) -> None:
    before = what_is_known(collection)
    move(folder, {"0.png": "z.png", "1.png": "2.png", "2.png": "1.png"})

    def touch(done: int, total: int) -> None:
        """After the files were found, and before they are read."""
        if done == 0:
            for name in ("z.png", "2.png"):
                os.utime(folder / name, (2, 2))

    report = collection.sync(touch)
    assert (report.moved, report.removed, report.kept, report.unsettled) == (0, 0, 1, 3)
    assert counts(collection.sync()) == {"moved": 3, "unchanged": PICTURES - 3}
    assert first_names(collection)["z.png"] == "0.png"
    assert what_is_known(collection)["1.png"] == before["2.png"]


@pytest.mark.parametrize(("old", "new"), [("0.png", "below/new.png"), ("below/last.png", "0a.png")])
def test_a_picture_that_moves_while_the_folder_is_looked_through_keeps_its_facts(
    collection: Collection, folder: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    """It is seen where it was and where it is, or at neither."""
    before = what_is_known(collection)

    def moving(top: str) -> Iterator[Found | Skipped]:
        monkeypatch.undo()
        for number, entry in enumerate(find(top)):
            yield entry
            if number == 2:
                (folder / old).rename(folder / new)

    monkeypatch.setattr("lookalike.collection.sync.compare.find", moving)
    assert collection.sync().changes == 0
    assert counts(collection.sync()) == {"moved": 1, "unchanged": PICTURES - 1}
    assert what_is_known(collection)[new] == before[old]


def test_a_picture_that_is_away_for_a_moment_is_no_news(collection: Collection, folder: Path) -> None:
    """As when a program takes the old one away before it puts the new one there."""
    (folder / "0.png").rename(folder / "0.png~")

    def put_back(done: int, total: int) -> None:
        (folder / "0.png~").replace(folder / "0.png")

    report = collection.sync(put_back)
    assert (report.unchanged, report.kept, report.removed) == (PICTURES - 1, 1, 0)
    assert counts(collection.sync()) == {"unchanged": PICTURES}
    assert first_names(collection)["0.png"] == "0.png"


def test_moved_and_sealed(collection: Collection, folder: Path) -> None:
    collection.optimize()
    before = what_is_known(collection)
    move(folder, MOVES["a cycle of three"])
    assert counts(collection.sync()) == {"moved": 3, "unchanged": PICTURES - 3}
    assert what_is_known(collection)["0.png"] == before["2.png"]
    (path, distance, _), *_ = collection.search(np.frombuffer(before["2.png"][1], np.float32), k=1)
    assert (os.path.relpath(path, folder), round(distance, 5)) == ("0.png", 0)


def test_anything_that_may_be_done_while_files_are_being_written(
    collection: Collection, folder: Path, draw: Draw
) -> None:
    """Names are dealt out anew, some pictures are new, and some files have not settled: the same as all at once."""
    dice = random.Random(2)
    for turn in range(40):
        before = {name: first for name, first in first_names(collection).items() if first}
        known = what_is_known(collection)
        names = dice.sample([*NAMES, "x.png", "below/y.png", "z.png"], len(before) + 1)
        moves = dict(zip(before, names, strict=False))
        move(folder, moves)
        draw(folder / names[-1], seed=1000 + turn)
        for name in names:
            os.utime(folder / name, None if dice.random() < 0.3 else (1 + turn, 1))
        follow(collection, 3600)
        follow(collection, 0)
        expected = {new: before[old] for old, new in moves.items()}
        assert first_names(collection) == {names[-1]: None} | expected
        assert {name: known[old] for old, name in moves.items()}.items() <= what_is_known(collection).items()
        (folder / names[-1]).unlink()
        assert collection.sync().removed == 1
    assert Collection.verify(folder) == []


def test_anything_that_may_be_done_at_once(collection: Collection, folder: Path, draw: Draw) -> None:
    """Names are dealt out anew, some pictures are new and some gone: what is said of each is what was said of it."""
    dice = random.Random(1)
    before: dict[str, str] = {name: name for name in NAMES}  # what is said of the picture of each name
    for turn in range(12):
        names = dice.sample([*NAMES, "x.png", "below/y.png"], PICTURES)
        kept = dice.sample(sorted(before), PICTURES - dice.randrange(3))
        move(
            folder,
            dict(zip(kept, names, strict=False)) | {name: f".gone{name[-5]}" for name in before.keys() - {*kept}},
        )
        fresh = names[len(kept) :]
        for name in fresh:
            draw(folder / name, seed=100 * turn + names.index(name) + 100)
        report = collection.sync(batch=dice.choice([1, 64]))
        moved = {new: old for old, new in zip(kept, names, strict=False)}
        changed = [name for name in fresh if name in before and name not in kept]
        assert counts(report) == {
            name: count
            for name, count in {
                "new": len(fresh) - len(changed),
                "changed": len(changed),
                "moved": sum(new != old for new, old in moved.items()),
                "unchanged": sum(new == old for new, old in moved.items()),
                "removed": len(before) - len(kept) - len(changed),
                "embedded": len(fresh),
            }.items()
            if count
        }
        expected = {name: before[old] for name, old in moved.items()} | {name: before.get(name) for name in changed}
        assert first_names(collection) == dict.fromkeys(names) | expected
        collection.describe({folder / name: {"first": f"{turn}/{name}"} for name in fresh})
        before = {name: str(first) for name, first in first_names(collection).items()}
    assert Collection.verify(folder) == []
