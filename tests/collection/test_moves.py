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
from lookalike.collection.sync.settle import Settling

from .conftest import PICTURES, Draw

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
    report = collection._sync(None, 64, False, 0, Settling(3600))
    assert (report.moved, report.unsettled, report.kept, report.removed) == (0, 2, 1, 1)
    assert report.indexed + report.kept == len(collection) == PICTURES - 1
    report = collection._sync(None, 64, False, 0, Settling(0))
    assert (report.moved, report.removed, report.embedded, len(report.failed)) == (1, 0, 0, 1)
    assert first_names(collection)["z.png"] == "0.png"


def test_moved_and_sealed(collection: Collection, folder: Path) -> None:
    collection.optimize()
    before = what_is_known(collection)
    move(folder, MOVES["a cycle of three"])
    assert counts(collection.sync()) == {"moved": 3, "unchanged": PICTURES - 3}
    assert what_is_known(collection)["0.png"] == before["2.png"]
    (path, distance, _), *_ = collection.search(np.frombuffer(before["2.png"][1], np.float32), k=1)
    assert (os.path.relpath(path, folder), round(distance, 5)) == ("0.png", 0)


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
