"""What others do meanwhile: to the collection, to the pictures, to the clock, to the disk."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.images import pool
from lookalike.models import model, register
from tests.conftest import LONG
from tests.faults import pictures
from tests.faults.observe import observe

from .conftest import Harness


@pytest.fixture
def folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve pictures, of a model that costs nothing."""
    if pictures.MODEL not in model._factories:
        register(pictures.MODEL, lambda: pictures.model)
    monkeypatch.setattr(pool, "DecoderPool", pictures.InProcess)
    for seed in range(12):
        pictures.write(str(place / "photos" / f"{seed}.png"), seed)
    return place / "photos"


def create(folder: Path) -> Collection:
    return Collection.create(folder, model=pictures.MODEL)


def test_many_writers_and_readers(harness: Harness) -> None:
    tally = harness("storm", "--seconds", 30 if LONG else 1)
    assert min(tally["synced"], tally["searched"]) > 3
    assert tally["busy"] > 0


@contextmanager
def meanwhile(work: object, *arguments: object) -> Iterator[None]:
    """Run `work` over and over in a thread."""
    done = threading.Event()

    def repeat() -> None:
        number = 1000
        while not done.is_set():
            number += 1
            work(number, *arguments)  # type: ignore[operator]

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def replace(number: int, path: str) -> None:
    pictures.write(path, number)


def overwrite(number: int, path: str) -> None:
    """In place, piece by piece, as a slow copy does."""
    pictures.expect([number])
    content = pictures.encoded(number)
    with open(path, "wb", buffering=0) as file:
        for at in range(0, len(content), 40):
            file.write(content[at : at + 40])
    pictures.touch(path, number)


def unlink_and_write(number: int, path: str) -> None:
    os.unlink(path)
    pictures.write(path, number)


@pytest.mark.parametrize("change", [replace, overwrite, unlink_and_write], ids=lambda change: change.__name__)
def test_a_picture_that_changes_while_it_is_read(folder: Path, change: object) -> None:
    path = folder / "3.png"
    with create(folder) as collection:
        with meanwhile(change, str(path)):
            for _ in range(300 if LONG else 40):
                collection.sync()
        collection.sync()
        state, _ = observe(collection, str(folder))
        assert state == {f"{seed}.png": seed for seed in range(12)} | {
            "3.png": pictures.seed_of_file(path.read_bytes())
        }


def test_a_clock_that_goes_backwards(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    with create(folder) as collection:
        collection.sync()
    for number in range(1, 5):
        monkeypatch.setattr(time, "time_ns", lambda number=number: now - number * 10**17)
        pictures.write(str(folder / "0.png"), 500 + number, time=-number)  # of the same size, and older than before
        pictures.write(str(folder / f"new{number}.png"), 600 + number, time=-(10**6) * number)
        with Collection.open(folder) as collection:
            report = collection.sync()
            assert (report.changed, report.new, report.unchanged) == (1, 1, 11 + number - 1)
            state, ids = observe(collection, str(folder))
            assert (state["0.png"], state[f"new{number}.png"]) == (500 + number, 600 + number)
            assert max(ids) == 12 + 2 * number, "ids are counted, not timed"
            assert collection.info().updated < collection.info().created
            assert collection.sync().unchanged == 12 + number


def test_a_disk_that_is_moved_after_a_kill(folder: Path) -> None:
    with create(folder) as collection:
        collection.sync()
        pictures.write(str(folder / "late.png"), 700)
        (folder / "0.png").unlink()
        collection.sync()
        expected, _ = observe(collection, str(folder))
        moved = folder.parent / "elsewhere" / "disk"
        shutil.copytree(folder, moved)  # as it is now: the last changes are in SQLite's WAL
        assert (moved / ".lookalike" / "catalogue.sqlite-wal").stat().st_size > 0
    shutil.rmtree(folder)
    with Collection.open(moved) as collection:
        assert observe(collection, str(moved))[0] == expected
        assert collection.sync().unchanged == len(expected)
        assert len(collection.search(np.ones(pictures.DIM), k=100)) == len(expected)
