"""A rescue puts another file in the place of the catalogue: whoever had the old one open goes on with the new one."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.errors import DamagedError, LookalikeError

from .conftest import PICTURES, Draw, Python

REPAIR_AND_SYNC = """
import sys
from lookalike.collection import Collection
assert Collection.repair(sys.argv[1]).done
with Collection.open(sys.argv[1]) as collection:
    collection.sync()
"""


def hurt(folder: Path) -> None:
    """Damage the row that counts generations, so that the new catalogue begins to count anew, and one more."""
    file = folder / ".lookalike" / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    data[data.index(b"efficientnet-lite0") + 3] ^= 4
    with file.open("r+b") as opened:
        opened.write(data)


def test_readers_go_on_with_the_new_one(folder: Path, draw: Draw, python: Python) -> None:
    with Collection.open(folder) as first:
        first.sync()
    with Collection.open(folder) as reader, Collection.open(folder) as writer:
        for use in (reader, writer):
            assert len(use.search(np.ones(1280), k=100)) == PICTURES
        hurt(folder)
        draw(folder / "new.png", seed=50)
        done = python(REPAIR_AND_SYNC, folder)
        assert done.returncode == 0, done.stderr
        assert len(reader) == PICTURES + 1
        assert len(reader.paths()) == PICTURES + 1
        assert reader.facts(folder / "new.png")
        assert len(reader.search(np.ones(1280), k=100)) == PICTURES + 1
        assert reader.info().indexed == PICTURES + 1
        draw(folder / "newer.png", seed=51)
        assert writer.sync().new == 1
        assert len(writer.search(np.ones(1280), k=100, where="width > 0")) == PICTURES + 2
        assert len(reader.search(np.ones(1280), k=100, where="width > 0")) == PICTURES + 2
    assert Collection.verify(folder) == []


def test_threads_that_search_meanwhile(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
    failures: list[LookalikeError] = []
    found: set[int] = set()
    done = threading.Event()

    def search(reader: Collection) -> None:
        while not done.is_set():
            try:
                found.add(len(reader.search(np.ones(1280), k=100)))
            except LookalikeError as error:
                failures.append(error)
                return

    with Collection.open(folder) as reader:
        threads = [threading.Thread(target=search, args=(reader,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        catalogue = Path(reader.place.catalogue)
        for _ in range(5):
            data = bytearray(catalogue.read_bytes())
            catalogue.with_name("other").write_bytes(data)
            catalogue.with_name("other").rename(catalogue)
        done.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert found == {PICTURES}


def test_a_watch_goes_on_with_the_new_one(folder: Path, draw: Draw, python: Python) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
    with Collection.open(folder) as collection:
        watch = collection.watch(poll=0.2)
        next(watch)
        hurt(folder)
        done = python(REPAIR_AND_SYNC, folder)
        assert done.returncode == 0, done.stderr
        draw(folder / "new.png", seed=50)
        assert next(watch).new == 1
        assert len(collection) == PICTURES + 1


def test_a_catalogue_that_is_gone(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        Path(collection.place.catalogue).unlink()
        with pytest.raises(DamagedError, match="received no file: it is lost"):
            collection.paths()
    with pytest.raises(LookalikeError, match="was closed"):
        collection.paths()
