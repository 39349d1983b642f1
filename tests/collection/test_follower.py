"""What another process commits is brought along beside the searches, not in front of them."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from lookalike.collection import Collection, access, moved_source
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.catalogue.database import Database
from lookalike.collection.opened import Opened
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.collection.sealed.live import LiveIndex
from lookalike.collection.sure_file import Kept
from lookalike.errors import DamagedError, LookalikeError

from .conftest import Draw, Python
from .test_sessions import PATIENCE, Gate
from .vectors import plain

COUNT, DIM = 60, 8
FOLLOWER = "lookalike-follower"

ADD = """
import sys
import numpy as np
from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
def add(collection, name):
    item = Item(0, name, 1, 1, None, None, None, "indexed", None)
    with collection._access.writer(9) as catalogue, catalogue.writing():
        catalogue.add([item], [np.ones(8, np.float32)])
"""
ADD_ONE = f"{ADD}\nwith Collection.open(sys.argv[1]) as collection: add(collection, sys.argv[2].encode())"
OPTIMIZE = f"{ADD}\nwith Collection.open(sys.argv[1]) as collection: collection.optimize()"
CHANGE_MODEL = """
import sys
from lookalike.collection import Collection
Collection.change_model(sys.argv[1], "phash:64")
"""
COMMIT_MUCH = f"""{ADD}
import os, time
from lookalike.collection.catalogue import database
database._READERS = 30_000  # on a busy machine half a second may pass between two looks
longest = 0
with Collection.open(sys.argv[1]) as collection:
    for number in range(200):
        with collection._access.writer(9) as catalogue, catalogue.writing():
            catalogue.metadata.give({{1: {{"text": str(number % 10) * 60_000}}, 2: {{"text": "b" * 60_000}}}})
        longest = max(longest, os.path.getsize(f"{{sys.argv[1]}}/catalogue.sqlite-wal"))
        time.sleep(0.005)
print(longest)
"""

exec(ADD, added := {"__name__": "added"})  # what the other process runs


def add(collection: Collection, name: str) -> None:
    added["add"](collection, name.encode())  # type: ignore[operator]


@pytest.fixture
def where(tmp_path: Path) -> Path:
    vectors = np.random.default_rng(0).standard_normal((COUNT, DIM)).astype(np.float32)
    with Collection.create(str(plain(tmp_path / "all.npy", vectors, 0)), str(tmp_path / "all")) as collection:
        assert collection.sync().new == COUNT
    return tmp_path / "all"


@pytest.fixture
def collection(where: Path) -> Iterator[Collection]:
    with Collection.open(where) as opened:
        yield opened


def found(collection: Collection) -> int:
    hits = collection.search(vector=np.ones(DIM), k=100)
    assert hits.match is not None
    return len(hits)


def until(is_so: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.005)


def followers() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == FOLLOWER]


def waiting(collection: Collection) -> int:
    """How many connections wait within a transaction."""
    return len(collection._access._opened._waiting)


def searched_by(collection: Collection, threads: int) -> None:
    """Until connections for so many threads wait in transactions of what is there."""
    found(collection)  # alone, before there is a follower, which may be held
    together = threading.Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(2):
            list(pool.map(lambda _: collection.examine(lambda *_: together.wait(PATIENCE)), range(threads)))
    found(collection)  # which calibrates
    until(lambda: waiting(collection) >= threads)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gate, list[str]]]:
    """Who brings an index and the score along; the follower is held where it begins."""
    gate, by = Gate(), list[str]()
    follow, followed = LiveIndex._follow, Kept.followed

    def held(*given: object) -> object:
        by.append(f"index by {threading.current_thread().name}")
        if threading.current_thread().name == FOLLOWER:
            gate.pass_through()
        return follow(*given)  # type: ignore[arg-type]

    def told(*given: object) -> object:
        by.append(f"score by {threading.current_thread().name}")
        return followed(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(access, "_LATELY", PATIENCE)  # in which another process starts
    monkeypatch.setattr(LiveIndex, "_follow", held)
    monkeypatch.setattr(Kept, "followed", told)
    yield gate, by
    gate.opened.set()


def commit_held(where: Path, python: Python, gate: Gate) -> None:
    """Another process commits something, which the follower is held at."""
    done = python(ADD_ONE, where, "new")
    assert done.returncode == 0, done.stderr
    assert gate.reached.wait(PATIENCE)


def test_searches_go_on_while_what_another_process_committed_is_brought_along(
    collection: Collection, where: Path, python: Python, work: tuple[Gate, list[str]]
) -> None:
    gate, by = work
    searched_by(collection, 3)
    by.clear()
    commit_held(where, python, gate)
    with ThreadPoolExecutor(3) as pool:
        assert {*pool.map(lambda _: found(collection), range(60))} == {COUNT}
        assert {*pool.map(lambda _: len(collection), range(60))} == {COUNT}, "all calls are of one generation"
    assert by == [f"index by {FOLLOWER}"]
    gate.opened.set()
    until(lambda: found(collection) == COUNT + 1)
    assert len(collection) == COUNT + 1
    assert by == [f"index by {FOLLOWER}", f"score by {FOLLOWER}"]


ADD_SOME = f"""{ADD}
import time
with Collection.open(sys.argv[1]) as collection:
    for number in range(20):
        add(collection, b"new %d" % number)
        time.sleep(0.05 + number % 4 / 20)
"""


@contextmanager
def searching(collection: Collection, threads: int) -> Iterator[None]:
    """One search after the other meanwhile, by so many threads, and no error."""
    stop = threading.Event()

    def search() -> None:
        while not stop.is_set():
            found(collection)

    with ThreadPoolExecutor(threads) as pool:
        each = [pool.submit(search) for _ in range(threads)]
        try:
            yield
        finally:
            stop.set()
        for one in each:
            one.result(PATIENCE)


def test_threads_that_never_stop_searching_bring_nothing_along_themselves(
    collection: Collection, where: Path, python: Python, work: tuple[Gate, list[str]]
) -> None:
    gate, by = work
    gate.opened.set()
    searched_by(collection, 9)
    by.clear()
    with searching(collection, 8):
        done = python(ADD_SOME, where)
        assert done.returncode == 0, done.stderr
        until(lambda: found(collection) == COUNT + 20)
    assert {*by} == {f"index by {FOLLOWER}", f"score by {FOLLOWER}"}


def test_pictures_are_embedded_by_the_new_model_while_others_read_what_was_before_it(
    folder: Path, python: Python, draw: Draw, work: tuple[Gate, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, _ = work
    with Collection.create(folder, model="ahash") as created:
        created.sync()
    with Collection.open(folder) as collection, ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            collection.search(id=1)
        until(lambda: waiting(collection))
        draw(folder / "new.png", seed=78)
        done = python(CHANGE_MODEL, folder)
        assert done.returncode == 0, done.stderr
        assert gate.reached.wait(PATIENCE)
        names = []

        def find_again(place: Place, catalogue: Catalogue) -> object:
            names.append(pool.submit(lambda: collection.examine(lambda *_: collection.model.name)).result(PATIENCE))
            gate.opened.set()
            return moved_source.find_again(place, catalogue)

        with monkeypatch.context() as patch:
            patch.setattr("lookalike.collection.collection.find_again", find_again)
            assert collection.sync().new == 1
        assert names == ["ahash"]
        assert collection.model.name == "phash:64"
        picture = collection.vector(folder / "new.png")
    with Collection.create(folder, folder.parent / "other", model="phash:64") as other:
        other.sync()
        assert (other.vector(folder / "new.png") == picture).all()


def test_a_commit_is_seen_at_once_by_its_thread_and_then_by_all_of_this_process(
    collection: Collection, where: Path
) -> None:
    count = COUNT
    searched_by(collection, 2)
    with Collection.open(where) as other, ThreadPoolExecutor(1) as pool:
        for number in range(5):
            for writer in (collection, other):
                add(writer, f"{number} {writer is other}")
                count += 1
                assert found(collection) == len(collection) == found(other) == count
            pool.submit(add, other, f"{number} of a thread").result(PATIENCE)
            count += 1
            assert found(collection) == len(collection) == found(other) == count


def test_a_thread_sees_what_it_has_committed_while_it_writes_on(collection: Collection) -> None:
    searched_by(collection, 1)
    with collection._access.writer(0) as catalogue, ThreadPoolExecutor(1) as pool:
        with catalogue.writing():
            catalogue.metadata.give({1: {"stars": 5}})
        assert len(collection.paths(where="stars = 5")) == 1
        assert pool.submit(found, collection).result(PATIENCE) == COUNT, "others need not wait"
    assert len(collection.search(vector=np.ones(DIM), where="stars = 5")) == 1


def test_a_thread_that_has_seen_a_generation_sees_none_before(
    collection: Collection, where: Path, python: Python, work: tuple[Gate, list[str]]
) -> None:
    """As where more threads come at once than ever before: there is no connection that waits for them."""
    gate, _ = work
    searched_by(collection, 1)
    commit_held(where, python, gate)
    with ThreadPoolExecutor(1) as pool:

        def of_another_thread() -> int:
            return pool.submit(len, collection).result(PATIENCE)

        assert (len(collection), of_another_thread()) == (COUNT, COUNT)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Opened, "_is_newest", lambda _: False)
            assert of_another_thread() == COUNT + 1
        assert (len(collection), of_another_thread()) == (COUNT, COUNT + 1)
        gate.opened.set()
        until(lambda: found(collection) == COUNT + 1)


def test_segments_that_are_gone_are_looked_for_in_what_is_newest(
    collection: Collection, where: Path, python: Python, work: tuple[Gate, list[str]]
) -> None:
    """`info` opens them itself."""
    gate, _ = work
    searched_by(collection, 1)
    commit_held(where, python, gate)
    done = python(OPTIMIZE, where)
    assert done.returncode == 0, done.stderr
    assert collection.info().indexed == COUNT + 1


def test_damage_is_told_by_searches_while_they_are_followed(collection: Collection, where: Path) -> None:
    searched_by(collection, 1)
    (segment,) = (where / "segments").iterdir()
    os.truncate(segment, 100)
    for _ in range(3):
        with pytest.raises(DamagedError, match="was truncated while it was in use"):
            found(collection)
    add(collection, "new")
    with pytest.raises(DamagedError):
        found(collection)


def test_a_look_that_fails_is_tried_again_by_the_same_thread(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched_by(collection, 2)
    before, failed = followers(), threading.Event()

    def look(_: Opened) -> None:
        failed.set()
        raise DamagedError("a look")

    monkeypatch.setattr(Opened, "look", look)
    assert failed.wait(PATIENCE)
    until(lambda: waiting(collection) == 0)
    for _ in range(20):
        assert found(collection) == COUNT
    assert followers() == before
    monkeypatch.undo()
    until(lambda: waiting(collection))


def test_where_no_thread_can_be_had_searches_go_on(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    found(collection)
    with monkeypatch.context() as patch:

        def start(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", start)
        assert found(collection) == found(collection) == COUNT
    found(collection)
    assert len(followers()) == 1


def test_a_transaction_that_sqlite_ended_waits_for_nobody(collection: Collection) -> None:
    """As where it had no memory."""
    searched_by(collection, 2)
    collection.examine(lambda *_: collection._access.catalogue.end())
    require_apart(collection)


def require_apart(collection: Collection) -> None:
    """A connection waits in a transaction, or it is free and in none."""
    opened = collection._access._opened
    with opened.looking, opened.lock:
        waiting, free = [held.catalogue for held in opened._waiting], opened._free
        assert all(catalogue.has_begun for catalogue in waiting)
        assert not any(catalogue.has_begun for catalogue in free)
        assert len({*map(id, waiting + free)}) == len(waiting + free)


def interrupted(call: int, work: Callable[[], object]) -> bool:
    """Whether a Ctrl-C came at so many calls of functions of `opened.py`; else the work was done before."""
    calls, before = 0, sys.gettrace()

    def trace(frame: FrameType, _: str, __: object) -> None:
        nonlocal calls
        calls += frame.f_code.co_filename.endswith("collection/opened.py")
        if calls == call:
            raise KeyboardInterrupt

    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_wherever_a_look_is_interrupted_no_connection_is_left_to_two_threads(collection: Collection) -> None:
    searched_by(collection, 3)
    calls = 1
    while calls < 100 and interrupted(calls, collection._access._opened.look):
        require_apart(collection)
        calls += 1
    assert 5 < calls < 100
    assert found(collection) == COUNT


def test_nobody_is_kept_from_writing_while_what_was_written_is_brought_along(
    collection: Collection, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched_by(collection, 1)
    look = Opened.look

    def looked(opened: Opened) -> None:
        if threading.current_thread() is threading.main_thread():
            with Collection.open(where) as other, other._access.writer(0):
                pass
            follower = collection._access._follower
            assert follower
            follower.stop()  # as after long without a search
        look(opened)

    monkeypatch.setattr(Opened, "look", looked)
    add(collection, "new")
    assert waiting(collection) == 0
    assert found(collection) == COUNT + 1


def test_one_search_is_not_followed(collection: Collection) -> None:
    found(collection)
    assert followers() == []
    found(collection)
    assert len(followers()) == 1


def test_none_follows_where_nothing_may_be_changed(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Database, "takes_changes", False)
    for _ in range(3):
        assert found(collection) == COUNT
    assert followers() == []


def test_no_thread_outlives_the_collection(where: Path) -> None:
    with Collection.open(where) as closed:
        searched_by(closed, 2)
    assert followers() == []
    with pytest.raises(LookalikeError, match="was closed"):
        found(closed)
    forgotten = Collection.open(where)
    searched_by(forgotten, 1)
    del forgotten
    gc.collect()
    until(lambda: not followers())


def test_a_collection_is_closed_while_it_is_followed(where: Path, python: Python, work: tuple[Gate, list[str]]) -> None:
    gate, _ = work
    collection = Collection.open(where)
    searched_by(collection, 1)
    commit_held(where, python, gate)
    closing = threading.Thread(target=collection.close)
    closing.start()
    until(lambda: collection._access._closed)
    with pytest.raises(LookalikeError, match="was closed"):
        found(collection)
    gate.opened.set()
    closing.join(PATIENCE)
    assert followers() == []


def test_where_no_search_comes_nothing_waits(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    searched_by(collection, 2)
    monkeypatch.setattr(access, "_LATELY", 0.0)
    until(lambda: not followers())
    assert waiting(collection) == 0
    monkeypatch.undo()
    found(collection)
    until(lambda: waiting(collection))


def test_a_child_of_a_fork_reads_for_itself(collection: Collection, where: Path) -> None:
    searched_by(collection, 2)
    begin, written = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert followers() == []
            assert waiting(collection) == 0
            os.read(begin, 1)
            code = 0 if found(collection) == found(collection) == COUNT + 1 else 2
        finally:
            os._exit(code)
    add(collection, "new")
    os.write(written, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for end in (begin, written):
        os.close(end)
    assert found(collection) == COUNT + 1
    until(lambda: waiting(collection))


def test_a_child_of_a_fork_waits_for_nobody_who_opens_the_index_in_its_parent(collection: Collection) -> None:
    """As the first search does, before there is a follower."""
    gate = Gate()

    def open_index() -> None:
        with collection._access._opened.live.lock:
            gate.pass_through()

    opening = threading.Thread(target=open_index)
    opening.start()
    assert gate.reached.wait(PATIENCE)
    threading.Timer(0.2, gate.opened.set).start()
    child = os.fork()
    if child == 0:
        os._exit(0 if found(collection) == COUNT else 1)
    opening.join(PATIENCE)
    for _ in range(PATIENCE * 100):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.01)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise AssertionError("the child waits")
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_wal_stays_short_while_searches_come(collection: Collection, where: Path, python: Python) -> None:
    """200 commits of 120 KB are 24 MB; a reader that never stops would keep them all in the WAL."""
    searched_by(collection, 3)
    with searching(collection, 3):
        done = python(COMMIT_MUCH, where)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < (8 << 20) + 300_000


def test_a_wal_that_a_reader_keeps_long_is_let_be(where: Path) -> None:
    """Else each commit would wait for it."""
    reader, writer = Catalogue(str(where / "catalogue.sqlite")), Catalogue(str(where / "catalogue.sqlite"))
    waited: list[int] = []

    def commit() -> None:
        with writer.writing():
            writer.metadata.give({i: {"text": "a" * 60_000} for i in range(1, 21)})

    with pytest.MonkeyPatch.context() as patch:
        shorten = Database._shorten_wal

        def told(database: Database) -> None:
            waited.append(1)
            shorten(database)

        patch.setattr(Database, "_shorten_wal", told)
        reader.begin()
        for _ in range(25):
            commit()
        assert 1 <= len(waited) <= 3
        reader.end()
        for _ in range(25):
            commit()
    assert os.path.getsize(where / "catalogue.sqlite-wal") < 64 << 20
    reader.close()
    writer.close()


def test_a_seal_opens_no_file_that_is_open(where: Path, collection: Collection) -> None:
    before = collection._access.with_index(lambda index: index)
    with Collection.open(where) as other:
        for number in range(20):
            add(other, f"new {number}")
        with other._access.writer(9) as catalogue:
            segments.seal(other.place, catalogue)
            names = list(catalogue.segments())
    assert collection._access.with_index(len) == COUNT + 20
    maps = Path("/proc/self/maps").read_text()
    assert [maps.count(name) for name in names] == [1, 1]
    assert len(before) == COUNT
