"""Threads that share a collection: each reads one generation, and none waits for another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
from lookalike.errors import ArgumentError, LookalikeError, SearchTimeoutError
from lookalike.index import Reader
from lookalike.models import embed_squares

from .conftest import PICTURES, Draw

PATIENCE = 60


class Gate:
    """Where one thread is held until others are done."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def pass_through(self) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)

    @contextmanager
    def holding(self, work: threading.Thread) -> Iterator[None]:
        work.start()
        try:
            assert self.reached.wait(PATIENCE)
            yield
            assert work.is_alive()
        finally:
            self.opened.set()
            work.join(PATIENCE)


@pytest.fixture
def collection(folder: Path) -> Iterator[Collection]:
    with Collection.open(folder) as opened:
        opened.sync()
        yield opened


def names(collection: Collection) -> set[str]:
    return {Path(hit.path).name for hit in collection.search(id=1, k=100)}


def test_searches_go_on_while_a_picture_is_embedded(
    folder: Path, collection: Collection, draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, found = Gate(), []

    def held(*given: object) -> object:
        gate.pass_through()
        return embed_squares(*given)  # type: ignore[arg-type]

    monkeypatch.setattr("lookalike.collection.examples.embed_squares", held)
    query = draw(tmp_path / "query.png", seed=77)
    slow = threading.Thread(target=lambda: found.append(collection.search(query, k=100)))
    with gate.holding(slow):
        for _ in range(30):
            assert len(names(collection)) == PICTURES - 1
        with collection._access.writer(0), ThreadPoolExecutor(4) as pool:  # nor does it keep the writer waiting
            assert {len(each) for each in pool.map(lambda _: names(collection), range(40))} == {PICTURES - 1}
        draw(folder / "new.png", seed=78)
        assert collection.sync().new == 1
        assert "new.png" in names(collection)
    assert "new.png" in {Path(hit.path).name for hit in found[0]}, "its session began when it was embedded"


def test_each_thread_sees_one_generation(folder: Path, collection: Collection, draw: Draw) -> None:
    gate = Gate()
    seen: list[object] = []

    def look(index: Reader, items: list[Item]) -> None:
        before = index.ids.tolist(), sorted(item.id for item in items)
        gate.pass_through()
        seen.extend([before, (index.ids.tolist(), sorted(item.id for item in items)), len(collection)])
        seen.append(len(collection.search(vector=np.ones(1280), k=100)))

    with gate.holding(threading.Thread(target=lambda: collection.examine(look))):
        for i in range(3):
            draw(folder / f"new {i}.png", seed=90 + i)
            (folder / f"{i}.png").unlink()
            collection.sync()
            assert f"new {i}.png" in names(collection)
            assert len(collection) == PICTURES
        collection.optimize()
        collection.describe({folder / "4.png": {"stars": 5}})
        assert [Path(hit.path).name for hit in collection.search(id=5, where="stars = 5", k=9)] == []
    everything = list(range(1, PICTURES + 1))
    assert seen == [(everything, everything), (everything, everything), PICTURES, PICTURES]
    assert collection.examine(lambda index, _: index.ids.tolist()) == [4, 5, 6, 7, 8, 9]


def test_many_threads_search_beside_syncs(folder: Path, collection: Collection, draw: Draw) -> None:
    done = threading.Event()

    def search(number: int) -> int:
        count = 0
        while not done.is_set() or not count:
            found = names(collection)
            assert {"4.png", "last.png"} <= found
            assert len(collection.search(folder / "4.png", where="width > 10", k=100)) >= PICTURES - 1
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        searching = [pool.submit(search, number) for number in range(3)]
        try:
            for i in range(6):
                draw(folder / f"new {i}.png", seed=50 + i)
                assert collection.sync().new == 1
                assert f"new {i}.png" in names(collection)
                if i % 3 == 2:
                    collection.optimize()
        finally:
            done.set()
        assert all(each.result(PATIENCE) for each in searching)


def test_a_collection_that_is_closed_while_it_is_searched(collection: Collection) -> None:
    gate, found = Gate(), []

    def look(index: Reader, items: list[Item]) -> int:
        gate.pass_through()
        return len(index) + len(items)

    with gate.holding(threading.Thread(target=lambda: found.append(collection.examine(look)))):
        collection.close()
        with pytest.raises(LookalikeError, match="was closed"):
            names(collection)
    assert found == [2 * PICTURES]
    with pytest.raises(LookalikeError, match="was closed"):
        names(collection)


def test_a_search_whose_time_is_over(folder: Path, collection: Collection, draw: Draw, tmp_path: Path) -> None:
    query = draw(tmp_path / "query.png", seed=77)
    for how in ({"query": query}, {"id": 1}, {"text": "a dog"}, {"id": 1, "where": "width > 1"}):
        expected = collection.search(**how)
        with pytest.raises(SearchTimeoutError, match="expected an answer within 1e-09 s, received none"):
            collection.search(**how, timeout=1e-9)
        assert collection.search(**how, timeout=3600) == expected
    with pytest.raises(ArgumentError, match="timeout is -1; expected more than 0 seconds"):
        collection.search(id=1, timeout=-1)
