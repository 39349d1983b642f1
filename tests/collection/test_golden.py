"""Collections that older versions wrote are opened, brought up to date, and found complete."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.schema import VERSION
from lookalike.errors import DamagedError

from .conftest import Python

GOLDEN = Path(__file__).parent / "golden"


def test_version_1(tmp_path: Path) -> None:
    """17 pictures, one of them pending; one was removed after the seal, and one cannot be read."""
    shutil.copytree(GOLDEN / "v1", tmp_path / ".lookalike")
    for _ in range(2):
        with Collection.open(tmp_path) as collection:
            assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
            assert (len(collection), len(collection.failed())) == (17, 1)
            assert not any(path.endswith("03.png") for path in collection.paths())
            hits = collection.search(np.ones(collection.model.dim), k=20)
            assert sorted(hit.path for hit in hits) == sorted(collection.paths())


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    """9 pictures, one of them pending, two with facts; one was removed after the seal, and one cannot be read."""
    shutil.copytree(GOLDEN / "v2", tmp_path / ".lookalike")
    return tmp_path


def require_version_2(folder: Path) -> None:
    with Collection.open(folder) as collection:
        assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
        assert (len(collection), len(collection.failed()), collection.things) == (9, 1, "pictures")
        assert collection._catalogue.containers.all() == []
        names = [Path(path).name for path in collection.paths()]
        assert "3.png" not in names
        assert "last.png" in names
        hits = collection.search(np.ones(collection.model.dim), k=20)
        assert sorted(hit.path for hit in hits) == sorted(collection.paths())
        assert collection.paths("stars = 5") == [str(folder / "0.png")]
        assert collection.paths("labels = 'b' and seen = true") == [str(folder / "5.png")]
    assert Collection.verify(folder) == []


def test_version_2(version_2: Path) -> None:
    for _ in range(2):
        require_version_2(version_2)


def test_version_2_as_a_kill_left_it_is_migrated_or_not(version_2: Path, python: Python) -> None:
    """The process ends in the middle of the transaction: the file is of the old version, whole."""
    killed = """
import os, sqlite3, sys
from lookalike.collection.catalogue import database
migrate = database._migrate
def dies(connection):
    migrate(connection)
    os._exit(9)
database._migrate = dies
from lookalike.collection import Collection
Collection.open(sys.argv[1])
"""
    assert python(killed, version_2).returncode == 9
    with closing(sqlite3.connect(version_2 / ".lookalike" / "catalogue.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    require_version_2(version_2)


def test_version_2_that_is_damaged_is_rescued_into_this_version(version_2: Path) -> None:
    with closing(sqlite3.connect(version_2 / ".lookalike" / "catalogue.sqlite")) as connection:
        connection.execute("UPDATE metadata SET given = '{}' WHERE given LIKE '%stars%'")
        connection.commit()
    report = Collection.repair(version_2)
    assert [(Path(lost.path).name, lost.facts) for lost in report.lost_facts] == [("0.png", None)]
    with Collection.open(version_2) as collection:
        assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
        assert len(collection) == 9
        assert collection.paths("seen = true") == [str(version_2 / "5.png")]
    assert Collection.verify(version_2) == []


def test_version_3(tmp_path: Path) -> None:
    """11 pictures with a copy among them, two with facts, none with thumbnails; one was removed, one cannot be read."""
    shutil.copytree(GOLDEN / "v3", tmp_path / ".lookalike")
    for _ in range(2):
        with Collection.open(tmp_path) as collection:
            assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
            assert (len(collection), len(collection.failed())) == (11, 1)
            assert "3.png" not in map(os.path.basename, collection.paths())
            hits = collection.search(np.ones(collection.model.dim), k=20)
            assert sorted(hit.path for hit in hits) == sorted(collection.paths())
            assert collection.paths("stars = 5") == [str(tmp_path / "0.png")]
            assert len(collection._catalogue.looks.missing()) == 11
            assert collection._catalogue.absent.count() == 0
            assert collection._catalogue.next.model() is None
    assert Collection.verify(tmp_path) == []


@pytest.fixture
def version_4(tmp_path: Path) -> Path:
    """30 vectors of two files, which are there and unchanged; one has facts, and one more has no direction."""
    made = np.random.default_rng(0).standard_normal((25, 4)).astype(np.float32)
    made[7] = 0
    for name, rows in (("a.npy", made), ("b.npy", made[::-1][:6] + 1)):
        np.save(tmp_path / name, rows)
        os.utime(tmp_path / name, ns=(10**18,) * 2)
    shutil.copytree(GOLDEN / "v4", tmp_path / "v4")
    return tmp_path / "v4"


def test_version_4(version_4: Path) -> None:
    for _ in range(2):
        with Collection.open(version_4) as collection:
            assert collection._catalogue._database.execute("PRAGMA user_version") == [(VERSION,)]
            assert (len(collection), len(collection.failed()), collection.info().failed) == (30, 1, 1)
            assert collection.search(id="a.npy:3", k=1)[0].path != "a.npy:3"
            assert collection.paths("stars = 5") == ["a.npy:3"]
        assert Collection.verify(version_4) == []
    with Collection.open(version_4) as collection:
        for _ in range(2):
            report = collection.sync()
            assert (report.unchanged, len(report.failed), report.new, report.lost) == (30, 1, 0, [])
        assert [mark.items for mark in collection._catalogue.containers.marks.all()] == [25, 6]
    assert Collection.verify(version_4) == []


def test_verify_tells_how_far_it_came(version_4: Path) -> None:
    told: list[tuple[int, int]] = []
    assert Collection.verify(version_4, lambda done, total: told.append((done, total))) == []
    assert told == [(0, 61), (31, 61), (55, 61), (61, 61)]  # 31 items, then 24 and 6 vectors in its segments


def test_version_4_whose_number_is_damaged_is_told(version_4: Path) -> None:
    Collection.open(version_4).close()
    with closing(sqlite3.connect(version_4 / "catalogue.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(DamagedError, match="already exists"):
        Collection.open(version_4)
