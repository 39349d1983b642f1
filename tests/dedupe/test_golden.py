"""Undo files of every format that was ever written are obeyed; plans of an earlier one are refused with a cure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from lookalike import demo
from lookalike.collection import Collection
from lookalike.dedupe import Outcome, give_back, read_plan, take_back
from lookalike.errors import NotAnIndexError

GOLDEN = Path(__file__).parent / "golden"
KEEPER = "a.webp"
COPIES = ["b.webp", "below/c.webp", os.fsdecode(b"below/\xe9\n.webp")]
TIMES = [10**18 + number * 10**12 + 7 for number in range(1, 4)]


def original() -> Path:
    return sorted(Path(demo.folder(), "burgers").iterdir())[0]


def golden(name: str, folder: Path, inode: int = 0) -> Path:
    """The file as it would be if it had been written for pictures in this folder."""
    text = (GOLDEN / name).read_text("ascii").replace("/PLACE", os.fspath(folder))
    text = text.replace("424242424242", str(inode))
    text = text.replace("4242424240", str(os.geteuid())).replace("4242424241", str(os.getegid()))
    (folder / name).write_text(text)
    return folder / name


def test_moves_of_version_1_are_taken_back_with_their_facts(tmp_path: Path) -> None:
    photos, to = tmp_path / "photos", tmp_path / "to"
    for folder in (photos, to / "below"):
        folder.mkdir(parents=True)
    shutil.copy(original(), photos / KEEPER)
    with Collection.open(photos) as collection:
        collection.sync()
    for name, time in zip(COPIES, TIMES, strict=True):
        shutil.copy(original(), to / name)
        os.utime(to / name, ns=(time, time))
    file = os.fspath(golden("undo-1-move.json", tmp_path))
    take_back(file, outcome := Outcome())
    assert (outcome.done, outcome.left) == (3, [])
    assert [(photos / name).stat().st_mtime_ns for name in COPIES] == TIMES
    assert give_back(file) == 3
    with Collection.open(photos) as collection:
        assert [collection.facts(photos / name)["label"] for name in COPIES] == ["b.webp", "c.webp", "?\n.webp"]


def test_links_of_version_1_are_parted(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "below").mkdir(parents=True)
    shutil.copy(original(), photos / KEEPER)
    for name in COPIES:
        (photos / name).hardlink_to(photos / KEEPER)
    file = golden("undo-1-link.json", tmp_path, (photos / KEEPER).stat().st_ino)
    take_back(os.fspath(file), outcome := Outcome())
    assert (outcome.done, outcome.left) == (3, [])
    assert [(photos / name).stat().st_nlink for name in (KEEPER, *COPIES)] == [1] * 4
    assert [(photos / name).stat().st_mtime_ns for name in COPIES] == TIMES


def test_plans_of_version_1_are_to_be_made_again(tmp_path: Path) -> None:
    with pytest.raises(NotAnIndexError, match="make it again"):
        read_plan(os.fspath(golden("plan-1.json", tmp_path)))
