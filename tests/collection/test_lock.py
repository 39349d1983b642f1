"""One writer at a time, and who waits for it."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.collection.lock import writer_lock
from lookalike.errors import ArgumentError, BusyError, NotAnIndexError

from .conftest import PICTURES

HOLD = """
import sys
from lookalike.collection.lock import writer_lock
with writer_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(directory: Path) -> subprocess.Popen[str]:
    """A process that has the lock until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_refused_at_once_with_the_first_ones_number(tmp_path: Path) -> None:
    with (
        holding(tmp_path) as first,
        pytest.raises(BusyError, match=rf"already \(process {first.pid}\)"),
        writer_lock(str(tmp_path)),
    ):
        pass
    with writer_lock(str(tmp_path)):
        pass


def test_waiting_ends_with_an_error_that_says_for_how_long(tmp_path: Path) -> None:
    with holding(tmp_path), pytest.raises(BusyError, match=r"after 0\.3 s"), writer_lock(str(tmp_path), wait=0.3):
        pass


@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_who_waits_is_next(tmp_path: Path, how: str) -> None:
    with holding(tmp_path) as first:
        done = threading.Event()

        def wait() -> None:
            with writer_lock(str(tmp_path), wait=math.inf):
                done.set()

        second = threading.Thread(target=wait)
        second.start()
        assert not done.wait(0.3)
        if how == "ends":
            first.communicate()
        else:
            first.kill()
        second.join(timeout=60)
        assert done.is_set()


def test_a_sync_waits_for_another_process(folder: Path) -> None:
    with Collection.open(folder) as collection, holding(folder / ".lookalike") as first:
        with pytest.raises(BusyError):
            collection.sync()
        timer = threading.Timer(0.3, first.communicate)
        timer.start()
        assert collection.sync(wait=60).new == PICTURES
        timer.join()


def test_searches_go_on_while_a_sync_of_another_thread_waits(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        with holding(folder / ".lookalike") as first:
            waiting = threading.Thread(target=collection.sync, kwargs={"wait": 60})
            waiting.start()
            assert len(collection.search(folder / "0.png", k=3)) == 3
            assert waiting.is_alive()
            first.communicate()
            waiting.join(timeout=60)


def test_opening_waits_for_another_process_that_makes_it(folder: Path) -> None:
    (folder / ".lookalike").mkdir()
    with holding(folder / ".lookalike") as first:
        with pytest.raises(BusyError, match=r"wait= .*--wait SECONDS"):
            Collection.open(folder)
        timer = threading.Timer(0.3, first.communicate)
        timer.start()
        with Collection.open(folder, wait=60) as collection:
            assert collection.sync().new == PICTURES
        timer.join()


def test_ctrl_c_ends_the_waiting(folder: Path) -> None:
    script = f"import lookalike; lookalike.Collection.open({str(folder)!r}).sync(wait=600)"
    Collection.open(folder).close()
    with holding(folder / ".lookalike"):
        program = f"print('begun', flush=True)\n{script}"
        with subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True) as waiting:
            assert waiting.stdout
            assert waiting.stderr
            waiting.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(2)
            os.kill(waiting.pid, signal.SIGINT)
            assert waiting.wait(timeout=60) == -signal.SIGINT
            assert "KeyboardInterrupt" in waiting.stderr.read()


@pytest.mark.parametrize("wait", [-1, math.nan, "soon", None])
def test_a_wait_of_no_time_at_all_is_refused(folder: Path, wait: object) -> None:
    with Collection.open(folder) as collection, pytest.raises(ArgumentError, match="wait"):
        collection.sync(wait=wait)  # type: ignore[arg-type]


def test_a_second_thread_is_refused_or_waits_as_asked(folder: Path) -> None:
    with Collection.open(folder) as collection:
        reading, go_on = threading.Event(), threading.Event()

        def stop(done: int, total: int) -> None:
            reading.set()
            assert go_on.wait(60)

        first = threading.Thread(target=collection.sync, args=(stop,))
        first.start()
        assert reading.wait(60)
        with pytest.raises(BusyError, match=r"already \(this process\)"):
            collection.describe({folder / "0.png": {"x": 1}})
        with pytest.raises(BusyError, match=r"after 0\.1 s"):
            collection.sync(wait=0.1)
        go_on.set()
        assert collection.sync(wait=math.inf).unchanged == PICTURES
        first.join()


def test_a_change_while_its_own_thread_syncs_is_refused(folder: Path) -> None:
    with Collection.open(folder) as collection:
        with pytest.raises(BusyError, match="this process"):
            collection.sync(lambda *_: collection.optimize())
        assert collection.sync().new == PICTURES


def test_a_collection_that_is_gone(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        (folder / ".lookalike").rename(folder / ".gone")
        for ask in (collection.sync, collection.optimize, collection.info):
            with pytest.raises(NotAnIndexError):
                ask()
        (folder / ".gone").rename(folder / ".lookalike")
        assert collection.sync().unchanged == PICTURES
