"""What a repair that was stopped has lost is told by the next one, once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from lookalike.collection import Collection, LostFacts, RepairReport
from lookalike.collection.sealed import segments
from lookalike.errors import DamagedError, WriteError
from tests.segment_files import forget_rows, segment

from .conftest import Draw, Python


@pytest.fixture
def photos(tmp_path: Path, draw: Draw) -> Path:
    """Five pictures with facts: of one the facts are lost, of another the row; a third is gone, a fourth changed.

    The file with the vectors of all of them is gone, too.
    """
    folder = tmp_path / "photos"
    for i in range(5):
        draw(folder / f"{i}.png", seed=i)
    with Collection.open(folder) as collection:
        collection.sync()
        collection.describe({path: {"mine": Path(path).name} for path in collection.paths()})
    with closing(sqlite3.connect(folder / ".lookalike" / "catalogue.sqlite")) as connection:
        connection.execute("UPDATE metadata SET given = '{}' WHERE id = 1")
        connection.execute("UPDATE items SET size = size + 1 WHERE id = 2")
        connection.commit()
    segment(folder / ".lookalike").unlink()
    forget_rows(folder / ".lookalike")
    (folder / "2.png").unlink()
    draw(folder / "3.png", seed=33)
    return folder


def losses(report: RepairReport) -> tuple[object, ...]:
    return sorted(report.lost), sorted(report.lost_ids), sorted(report.lost_facts), report.lost_items


def expected(folder: Path) -> tuple[object, ...]:
    lost = [
        (str(folder / "2.png"), "its vector was damaged, and its file is gone"),
        (
            str(folder / "3.png"),
            "the file has another content now; the next sync indexes that; its facts are kept",
        ),
    ]
    facts = [
        LostFacts(1, str(folder / "0.png"), None),
        LostFacts(2, "", {"mine": "1.png"}),
        LostFacts(3, str(folder / "2.png"), {"mine": "2.png"}),
    ]
    return lost, [3, 4], facts, 1


def interrupt(done: int, total: int) -> NoReturn:
    raise KeyboardInterrupt


def fail(*_: object, **__: object) -> NoReturn:
    raise WriteError("a full disk")


def require_told(folder: Path) -> None:
    """One more repair tells all that was lost, and a third has nothing to tell."""
    report = Collection.repair(folder)
    assert losses(report) == expected(folder)
    assert "catalogue.sqlite.damaged-1" in report.done[0]
    assert "the segment 000001-" in report.done[1]
    assert Collection.verify(folder) == []
    again = Collection.repair(folder)
    assert (again.done, again.lost_anything) == ([], False)


def test_undisturbed(photos: Path) -> None:
    require_told(photos)


def test_interrupted_while_embedding(photos: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Collection.repair(photos, interrupt)
    assert any("a repair was stopped" in problem for problem in Collection.verify(photos))
    require_told(photos)


def test_failed_when_all_was_committed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(segments, "seal", fail)
        with pytest.raises(WriteError):
            Collection.repair(photos)
    with Collection.open(photos) as collection:
        collection.sync()
    (problem,) = Collection.verify(photos)
    assert "a repair was stopped" in problem
    require_told(photos)


@pytest.mark.parametrize("placed", [False, True])
def test_killed_when_the_new_catalogue_is_put_in_place(photos: Path, python: Python, placed: bool) -> None:
    script = f"""
import os, signal, sys
from lookalike.collection import Collection
from lookalike.collection.catalogue.database import Database
replace = Database.replace
def killed(path, fresh):
    if {placed}:
        replace(path, fresh)
    os.kill(os.getpid(), signal.SIGKILL)
Database.replace = killed
Collection.repair(sys.argv[1])
"""
    assert python(script, photos).returncode == -9
    report = Collection.repair(photos)
    assert losses(report) == expected(photos)


def test_the_catalogue_is_damaged_again(photos: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Collection.repair(photos, interrupt)
    file = photos / ".lookalike" / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    data[61] ^= 4  # of the version
    file.write_bytes(data)
    with pytest.raises(DamagedError, match="the version number"):
        Collection.open(photos)
    with pytest.raises(KeyboardInterrupt):
        Collection.repair(photos, interrupt)
    report = Collection.repair(photos)
    assert losses(report) == expected(photos)
    assert [f"damaged-{i}" in " ".join(report.done) for i in (1, 2)] == [True, True]


def test_what_is_embedded_in_the_end_was_not_lost(photos: Path, draw: Draw) -> None:
    """Its file is back when the stopped repair is run again."""
    with pytest.raises(KeyboardInterrupt):
        Collection.repair(photos, interrupt)
    draw(photos / "2.png", seed=2)
    report = Collection.repair(photos)
    assert report.lost_ids == [4]
    assert [lost.id for lost in report.lost_facts] == [2, 1]
