"""A rescue reads the catalogue's file beside SQLite: that takes nothing from connections to it, here or elsewhere."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.beside import open_beside
from lookalike.errors import ReadError, WriteError
from tests.segment_files import segment

from .conftest import Draw, Python

FLIP = """
import sys
with open(sys.argv[1], "r+b") as file:
    byte = file.read(int(sys.argv[2]) + 1)[-1]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1]))
"""

SYNC = """
import sys
from lookalike.collection import Collection
with Collection.open(sys.argv[1]) as collection:
    collection.sync()
    print(len(collection))
"""

READER = """
import sys
from lookalike.collection import Collection
with Collection.open(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.readline()
"""


def refuse(*_: object) -> NoReturn:
    raise PermissionError(1, "Operation not permitted")  # as of links on exFAT


@pytest.mark.parametrize("how", ["refused", "refused, the header is damaged", "failed, where there are no links"])
def test_a_repair_that_ends_early_loses_no_later_commit(
    tmp_path: Path, draw: Draw, python: Python, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Without this process's locks, another would take itself for the last one, and delete the WAL that is in use here.

    Files are damaged by others: closing a descriptor of one would drop these locks here, too.
    """
    photos, index = tmp_path / "photos", tmp_path / "index"
    for i in range(3):
        draw(photos / f"{i}.png", seed=i)
    with Collection.create(photos, index) as collection:
        collection.sync()
    vectors = segment(index)
    with closing(sqlite3.connect(index / "catalogue.sqlite")) as connection:
        connection.execute("UPDATE metadata SET exif = '[]' WHERE id = 1")
        connection.commit()
    with Collection.open(index) as collection, monkeypatch.context() as patch:
        if how.startswith("refused"):
            vectors.rename(tmp_path / "segment")
            photos.rename(tmp_path / "away")
        else:
            patch.setattr(os, "link", refuse)
            patch.setattr(os, "rename", refuse)
        if "header" in how:
            python(FLIP, index / "catalogue.sqlite", 5)
        with pytest.raises((ReadError, WriteError)) as error:
            Collection.repair(index)
        assert str(error.value).count("received") == 1
        patch.undo()
        if "header" in how:
            python(FLIP, index / "catalogue.sqlite", 5)
        if how.startswith("refused"):
            (tmp_path / "segment").rename(vectors)
            (tmp_path / "away").rename(photos)
        for i in range(3, 6, 2):
            draw(photos / f"{i}.png", seed=i)
            assert python(SYNC, index).stdout == f"{i + 1}\n"
            draw(photos / f"{i + 1}.png", seed=i + 1)
            collection.sync()
            assert len(collection) == i + 2
    assert python(SYNC, index).stdout == "7\n"
    with Collection.open(index) as collection:
        assert collection.sync().unchanged == 7


def test_a_reader_that_closes_meanwhile_writes_the_wal_into_the_file(
    with_a_wal: Path, python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = with_a_wal / ".lookalike" / "catalogue.sqlite"
    command = [sys.executable, "-c", READER, str(with_a_wal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "open\n"
        python(FLIP, file, 5)
        copyfile = shutil.copyfile

        def copy_and_let_it_close(source: str, target: str) -> None:
            copyfile(source, target)
            if reader.poll() is None:
                reader.communicate("\n")
                assert not Path(f"{file}-wal").exists()

        monkeypatch.setattr(shutil, "copyfile", copy_and_let_it_close)
        Collection.repair(with_a_wal)
        assert reader.poll() == 0
    with Collection.open(with_a_wal) as collection:
        assert [collection.facts(path)["stars"] for path in collection.paths()] == [5, 5, 5]
    assert Collection.verify(with_a_wal) == []


def test_the_wal_of_a_rescue_that_was_killed_is_not_taken(with_a_wal: Path, python: Python) -> None:
    file = with_a_wal / ".lookalike" / "catalogue.sqlite"
    shutil.copyfile(f"{file}-wal", f"{file}.rescue-wal")
    with Collection.open(with_a_wal) as collection:
        collection.describe({path: {"stars": 4} for path in collection.paths()})
    python(FLIP, file, 5)
    Collection.repair(with_a_wal)
    with Collection.open(with_a_wal) as collection:
        assert [collection.facts(path)["stars"] for path in collection.paths()] == [4, 4, 4]


def test_a_name_that_a_killed_rescue_gave_to_the_wal_is_not_given_again(with_a_wal: Path, python: Python) -> None:
    file = with_a_wal / ".lookalike" / "catalogue.sqlite"
    os.link(f"{file}-wal", f"{file}.damaged-1-wal")
    command = [sys.executable, "-c", READER, str(with_a_wal)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "open\n"
        python(FLIP, file, 5)
        (done,) = Collection.repair(with_a_wal).done
        reader.communicate("\n")
    assert done.endswith("catalogue.sqlite.damaged-2")
    assert Path(f"{file}.damaged-2-wal").exists()


def test_a_file_is_held_by_one_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"contents")
    first, second = open_beside(str(path)), open_beside(str(path))
    assert first.fileno() == second.fileno()
    first.close()
    assert second.read() == open_beside(str(path)).read() == b"contents"
