"""Stopped at any instant, nothing is half-written, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.sealed import segments
from lookalike.errors import BusyError
from tests.segment_files import undigested

from .conftest import Draw

COUNT = 24

# prints a line for each picture that is read, as a person would see the progress
INDEX = """
import sys, lookalike
def progress(done, total):
    print(done, flush=True)
try:
    with lookalike.Collection.open(sys.argv[1]) as collection:
        collection.sync(progress, batch=3)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def many(tmp_path: Path, draw: Draw) -> Path:
    for i in range(COUNT):
        draw(tmp_path / "photos" / f"{i:02}.png", seed=i)
    return tmp_path / "photos"


@contextmanager
def indexing(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that indexes the folder; killed in the end, if it still runs."""
    command = [sys.executable, "-c", INDEX, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], done: int) -> None:
    """Until `done` pictures are committed: the next one is read after that."""
    assert process.stdout
    for line in process.stdout:
        if int(line) > done:
            return
    raise AssertionError(f"the process ended before {done} pictures were committed")


def found(collection: Collection) -> dict[str, list[float]]:
    """The distance of each picture to a few queries."""
    dice = np.random.default_rng(0)
    distances: dict[str, list[float]] = {}
    for query in dice.random((3, collection.model.dim), dtype=np.float32):
        for path, distance, _ in collection.search(query, k=COUNT, exact=True):
            distances.setdefault(Path(path).name, []).append(distance)
    return distances


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_index_goes_on_from_the_last_commit(many: Path, tmp_path: Path, how: int) -> None:
    with Collection.create(many, tmp_path / "whole") as whole:
        whole.sync()
        expected = found(whole)
    with indexing(many) as process:
        wait_for(process, 6)
        process.send_signal(how)
        assert process.wait(timeout=60) == (130 if how == signal.SIGINT else -signal.SIGKILL)
    with Collection.open(many) as collection:
        committed = len(collection)
        assert 6 <= committed <= COUNT
        # what is there can be searched
        assert len(collection.search(many / "00.png", k=COUNT)) == committed - 1
        report = collection.sync()
        assert (report.unchanged, report.embedded) == (committed, COUNT - committed)
        assert found(collection) == {name: pytest.approx(d, abs=1e-5) for name, d in expected.items()}


def test_kill_at_any_instant(many: Path) -> None:
    """Twelve kills at random instants of one indexing, from the making of the catalogue to the seal."""
    dice = random.Random(11)
    committed = 0
    for _ in range(12):
        with indexing(many):
            time.sleep(dice.uniform(0.1, 0.8))
        if (many / ".lookalike" / "catalogue.sqlite").exists():
            with Collection.open(many) as collection:
                now = len(collection)
                assert now >= committed
                assert len(collection.search(np.ones(collection.model.dim), k=COUNT)) == now
                committed = now
    with Collection.open(many) as collection:
        report = collection.sync()
        assert report.embedded <= COUNT - committed
        assert len(collection.search(np.ones(collection.model.dim), k=COUNT)) == COUNT
        assert os.listdir(collection.place.segments) == list(collection._catalogue.segments())


def test_a_collection_is_born_with_its_sources(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process killed right after the catalogue got its name leaves one that the next sync fills."""

    def killed(_: Catalogue) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Catalogue, "writing", killed)
        Collection.create(many)
    with Collection.open(many) as collection:
        assert collection.info().roots == [str(many)]
        assert collection.sync().new == COUNT


def test_one_writer_and_many_readers(many: Path) -> None:
    with indexing(many) as process:
        wait_for(process, 6)
        process.send_signal(signal.SIGSTOP)
        with Collection.open(many) as collection:
            with pytest.raises(BusyError, match=f"process {process.pid}"):
                collection.sync()
            before = len(collection)
            assert len(collection.search(many / "00.png", k=COUNT)) == before - 1
            process.send_signal(signal.SIGCONT)
            assert process.wait(timeout=60) == 0
            # the same reader sees what was committed since, and the segment that took the vectors
            assert before < len(collection) == COUNT
            assert len(collection.search(many / "00.png", k=COUNT)) == COUNT - 1
            assert collection.sync().unchanged == COUNT


def test_a_thread_searches_while_another_syncs(many: Path) -> None:
    """In each call for progress, which is within the sync, a search on another thread comes to its end."""
    seen: list[int] = []
    with Collection.open(many) as collection, ThreadPoolExecutor(1) as threads:

        def progress(done: int, total: int) -> None:
            if done % 6 == 0:
                query = np.ones(collection.model.dim)
                seen.append(len(threads.submit(collection.search, query, k=COUNT).result(timeout=60)))

        collection.sync(progress, batch=3)
        assert seen == sorted(seen)
        assert 0 in seen
        assert 0 < seen[-1] < COUNT == len(collection)


@pytest.mark.parametrize("read", ["search", "vector", "info"])
def test_a_seal_while_a_reader_was_about_to_open_the_old_segment(
    many: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    with Collection.open(many) as reader, Collection.open(many) as writer:
        writer.sync()
        opened = segments.open_sealed

        def open_late(*arguments: Any) -> Any:
            monkeypatch.setattr(segments, "open_sealed", opened)
            for i in range(COUNT):
                draw(many / f"new{i}.png", seed=500 + i)
            writer.sync()
            assert [*map(undigested, os.listdir(writer.place.segments))] == ["000002.segment"]
            return opened(*arguments)

        monkeypatch.setattr(segments, "open_sealed", open_late)
        given = many / "00.png"
        if read == "search":
            assert len(reader.search(given, k=100)) == 2 * COUNT - 1
        elif read == "vector":
            assert len(reader.vector(given)) == reader.model.dim
        else:
            assert reader.info().indexed == 2 * COUNT
