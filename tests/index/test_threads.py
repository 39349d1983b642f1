"""Many threads, Ctrl-C and fork: searches run beside changes, nothing hangs, nothing is half done."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import check_neighbors, clusters

pytestmark = pytest.mark.thorough

PATIENCE = 120  # seconds until what should end at once counts as hanging


def test_searching_while_adding_and_removing() -> None:
    kept, passing = clusters(5000, 8, seed=1), clusters(4000, 8, seed=2)
    some_ids = np.arange(0, 5000, 50)
    index = Index(8, "euclidean")
    index.add(kept)
    some_made = index.filter(some_ids)
    done = threading.Event()

    def search() -> int:
        rounds = 0
        while not done.is_set() or rounds == 0:
            some = kept[rounds % 50 :: 50]
            found = index.search(some, 3, exact=bool(rounds % 2), threads=1)
            assert (found.ids >= 0).all()
            assert (found.distances[:, 0] == 0).all()  # what stays is always found
            assert (np.diff(found.distances, axis=1) >= 0).all()
            assert len(index) >= len(kept)
            assert index.neighbors_of(7, 2).ids[0] != 7
            few = index.search(kept[::50], 2, filter=some_made if rounds % 2 else some_ids, threads=1)
            assert (few.ids[:, 0] == some_ids).all()
            rounds += 1
        return rounds

    def change() -> None:
        try:
            for begin in range(0, 4000, 400):
                index.add(passing[begin : begin + 400], np.arange(10_000 + begin, 10_400 + begin))
                index.add(passing[begin : begin + 10], np.arange(10_000 + begin, 10_010 + begin), overwrite=True)
                index.remove(np.arange(10_000 + begin, 10_200 + begin))
                if begin % 1200 == 0:
                    index.optimize()
        finally:
            done.set()

    with ThreadPoolExecutor() as pool:
        searches = [pool.submit(search) for _ in range(4)]
        pool.submit(change).result(PATIENCE)
        assert all(each.result(PATIENCE) > 0 for each in searches)

    left = np.concatenate([np.arange(10_200 + begin, 10_400 + begin) for begin in range(0, 4000, 400)])
    assert index.ids.tolist() == [*range(5000), *left]
    vectors = np.concatenate([kept, passing[left - 10_000]])
    for query in clusters(5, 8, seed=3):
        found = index.search(query, 10, exact=True)
        check_neighbors(found, "euclidean", query, np.concatenate([np.arange(5000), left]), vectors, 10)


def test_searching_while_vectors_seal_themselves() -> None:
    vectors = clusters(60_000, 8, seed=6)
    index = Index(8, "euclidean")
    index.add(vectors[:1000])
    done = threading.Event()

    def search() -> int:
        rounds = 0
        while not done.is_set() or rounds == 0:
            there = len(index)
            rows = np.linspace(0, there - 1, 50).astype(int)
            found = index.search(vectors[rows], 3, recall=0.95, threads=1)
            assert (found.distances[:, 0] == 0).mean() > 0.8
            assert (found.ids >= 0).all()
            rounds += 1
        return rounds

    def add() -> None:
        try:
            for begin in range(1000, 60_000, 1000):
                index.add(vectors[begin : begin + 1000])
        finally:
            done.set()

    with ThreadPoolExecutor() as pool:
        searches = [pool.submit(search) for _ in range(2)]
        pool.submit(add).result(PATIENCE)
        assert all(each.result(PATIENCE) > 0 for each in searches)
    np.testing.assert_array_equal(index.ids, np.arange(60_000))
    np.testing.assert_array_equal(index.search(vectors[::600], 1, exact=True).ids[:, 0], np.arange(0, 60_000, 600))


def test_sealing_optimizing_and_saving_at_once(tmp_path: object) -> None:
    vectors = clusters(6000, 8, seed=7)
    index = Index(8, "euclidean", buckets=20)

    def work(number: int) -> None:
        ids = np.arange(number * 2000, (number + 1) * 2000)
        for some in np.split(ids, 5):
            index.add(vectors[some], some)
            if number == 0:
                index.save(f"{tmp_path}/index")
                assert some[0] in Index.open(f"{tmp_path}/index")
            elif number == 1:
                index.optimize()
            index.remove(some[::2])
            index.add(vectors[some[::4]], some[::4], overwrite=True)

    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(work, number) for number in range(3)]:
            each.result(PATIENCE)
    expected = [id for id in range(6000) if id % 2 or id % 4 == 0]
    assert index.ids.tolist() == expected
    index.save(f"{tmp_path}/index")
    assert Index.open(f"{tmp_path}/index").ids.tolist() == expected


def test_a_writer_is_not_starved_by_readers() -> None:
    vectors = clusters(20_000, 32, seed=4)
    index = Index(32)
    index.add(vectors)
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            index.search(vectors[:64], 10, exact=True, threads=1)

    readers = [threading.Thread(target=search) for _ in range(12)]
    for reader in readers:
        reader.start()
    writer = threading.Thread(target=lambda: [index.add(vectors[0]) for _ in range(5)], daemon=True)
    writer.start()
    writer.join(PATIENCE)
    starved = writer.is_alive()
    done.set()
    for reader in readers:
        reader.join()
    assert not starved
    assert len(index) == 20_005


def run(code: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stderr == ""
    assert done.returncode == status
    return done.stdout


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# The work takes seconds on the one processor it is kept to; the signal comes at once. The add begins a sealing.
INTERRUPTED = """
import os, signal, threading, time, numpy as np, lookalike
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
random = np.random.default_rng(0)
many = random.normal(size=(16_000, 256)).astype(np.float32)
index = lookalike.Index(256, "euclidean")
index.add(many)
queries = np.ascontiguousarray(np.broadcast_to(many[0], (50_000, 256)))
{prepare}
before = index.ids.tolist()
answer = index.search(many[:3], 5, exact=True).ids.tolist()
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {work}
except {error}:
    print("interrupted", index.ids.tolist() == before, index.search(many[:3], 5, exact=True).ids.tolist() == answer)
"""
# A handler that seals while the work still waits for the sealing in the background waits for that as well.
SEALED_BUT_FOR_SOME = "while index._core.segments < 1: time.sleep(0.01)\nindex.add(many[:1000])"


@pytest.mark.parametrize(
    ("prepare", "work"),
    [
        (SEALED_BUT_FOR_SOME, "index.search(queries, 10)"),
        (SEALED_BUT_FOR_SOME, "index.optimize()"),
        (SEALED_BUT_FOR_SOME, "index.save('saved')"),
        ("", "index.optimize()"),
        ("", "index.search(queries, 10)"),
    ],
    ids=["search", "optimize", "save", "optimize beside the sealing", "search beside the sealing"],
)
def test_ctrl_c_ends_long_work_and_changes_nothing(prepare: str, work: str) -> None:
    code = INTERRUPTED.format(prepare=prepare, work=work, error="KeyboardInterrupt")
    assert run(code) == "interrupted True True\n"


@pytest.mark.parametrize(
    ("handler", "work"),
    [
        ("index.optimize()", "index.optimize()"),
        ("index.save('saved')", "index.optimize()"),
    ],
)
def test_a_signal_handler_that_seals_within_a_sealing_gets_an_error_and_never_hangs(handler: str, work: str) -> None:
    prepare = f"{SEALED_BUT_FOR_SOME}\nsignal.signal(signal.SIGINT, lambda *_: {handler})"
    code = INTERRUPTED.format(prepare=prepare, work=work, error="lookalike.errors.BusyError")
    assert run(code) == "interrupted True True\n"


@pytest.mark.parametrize(
    "work",
    ["index.optimize()", "index.save('saved')", "index.search(queries, 10)"],
    ids=["sealed", "saved", "searched"],
)
def test_a_signal_handler_may_search_and_change_an_index_that_is_being(work: str) -> None:
    prepare = """
found = []
def handle(*_):
    index.add(many[0] + 1, 99_999)
    index.remove(5)
    found.append(index.search(many[0] + 1, 1).ids.tolist())
signal.signal(signal.SIGINT, handle)"""
    work += "; print(found, 99_999 in index, 5 in index, len(index))"
    code = INTERRUPTED.format(prepare=prepare, work=work, error="lookalike.errors.BusyError")
    assert run(code) == "[[99999]] True False 16000\n"


def test_a_signal_handler_that_only_takes_note_interrupts_nothing() -> None:
    prepare = "heard = []; signal.signal(signal.SIGINT, lambda *_: heard.append(1))"
    work = "index.optimize(); time.sleep(0 if heard else 0.2); print(len(heard), len(index), index._core.segments)"
    assert run(INTERRUPTED.format(prepare=prepare, work=work, error="KeyboardInterrupt")) == "1 16000 1\n"


@pytest.mark.parametrize("last", ["", "del index"])
def test_a_process_ends_while_its_index_seals_in_the_background(last: str) -> None:
    code = f"""
import numpy as np, lookalike
index = lookalike.Index(32)
index.add(np.random.default_rng(0).normal(size=(60_000, 32)).astype(np.float32))
{last}
print("done")
"""
    assert run(code) == "done\n"


@pytest.mark.parametrize(
    "work",
    [
        "index.optimize()",
        "index.save('saved')",
        "index.search(vectors, exact=True)",
        "while True: index.search(vectors[0])",  # so that the interpreter ends while this waits for the GIL
        "index.optimize(); sys.exit(2)",
    ],
)
@pytest.mark.parametrize("ending", ["", "raise SystemExit(7)", "os.kill(os.getpid(), signal.SIGINT)"])
def test_a_process_ends_while_daemon_threads_use_an_index(work: str, ending: str) -> None:
    code = f"""
import os, signal, sys, threading, numpy as np, lookalike
def exits(*_):
    sys.exit(7)
signal.signal(signal.SIGINT, exits)
vectors = np.random.default_rng(0).normal(size=(15_000, 64)).astype(np.float32)
index = lookalike.Index(64)
index.add(vectors)
begun = threading.Semaphore(0)
def work():
    begun.release()
    {work}
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
for _ in range(3):
    begun.acquire()
{ending}
"""
    run(code, 7 if ending else 0)


def test_after_a_fork_the_child_searches_and_changes_its_own_copy(tmp_path: object) -> None:
    code = f"""
import os, sys, numpy as np, lookalike
vectors = np.random.default_rng(0).normal(size=(10_000, 16)).astype(np.float32)
index = lookalike.Index(16)
index.add(vectors)
index.save({f"{tmp_path}/index"!r})
for index in (index, lookalike.Index.open({f"{tmp_path}/index"!r})):
    expected = index.search(vectors[:200], 5, threads=4).ids
    child = os.fork()
    if child == 0:
        same = (index.search(vectors[:200], 5, threads=4).ids == expected).all()
        index.add(vectors[:5000])
        index.remove(0)
        os._exit(0 if same and len(index) == 14_999 else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(index), 0 in index)
"""
    assert run(code) == "0 10000 True\n" * 2


def test_forks_beside_a_thread_that_makes_and_drops_indexes() -> None:
    code = """
import os, threading, lookalike
done = threading.Event()
def work():
    while not done.is_set():
        lookalike.Index(8)
maker = threading.Thread(target=work)
maker.start()
for _ in range(300):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
done.set()
maker.join()
"""
    run(code)


@pytest.mark.parametrize("sealed", [False, True])
def test_threads_that_share_the_rows_give_the_same_answer(sealed: bool) -> None:
    random = np.random.default_rng(9)
    vectors = random.integers(0, 2, (12_000, 512)).astype(np.float32)  # many at the same distance
    vectors[::7] = vectors[0]
    index = Index(512, "sqeuclidean")
    index.add(vectors, random.permutation(12_000))
    if sealed:
        index.optimize()
        index.remove(np.arange(0, 12_000, 3))
    ids = index.ids
    given = np.stack([index[int(id)] for id in ids])
    queries = random.integers(0, 2, (3, 512)).astype(np.float32)
    for query in (*queries, vectors[0]):
        distances = np.square(given - query).sum(axis=1)
        expected = ids[np.lexsort((ids, distances))[:50]]
        for threads in (1, 2, 5, 0):
            np.testing.assert_array_equal(index.search(query, 50, exact=True, threads=threads).ids, expected)
    one = index.search(queries, 50, exact=True, threads=1)
    np.testing.assert_array_equal(one.ids, index.search(queries, 50, exact=True, threads=3).ids)
    assert one.candidates.tolist() == [len(np.unique(given, axis=0)) if sealed else len(index)] * 3


def test_each_thread_count_gives_the_same_answer() -> None:
    vectors = clusters(6000, 12, seed=5)
    index = Index(12)
    index.add(vectors)
    one = index.search(vectors[:333], 4, threads=1)
    for threads in (0, 2, 3, 64, 1024):
        many = index.search(vectors[:333], 4, threads=threads)
        np.testing.assert_array_equal(one.ids, many.ids)
        np.testing.assert_array_equal(one.distances, many.distances)


def test_a_fork_waits_for_no_search_and_its_child_works() -> None:
    """The search ends when the child has: a fork that waited for it would wait for ever."""
    code = """
import os, signal, sys, threading, numpy as np, lookalike
vectors = np.random.default_rng(0).normal(size=(15_000, 64)).astype(np.float32)
index = lookalike.Index(64)
index.add(vectors)
queries = np.ascontiguousarray(np.broadcast_to(vectors[0], (500_000, 64)))
ended = []
def search():
    try:
        index.search(queries, 10, exact=True, threads=1, timeout=100)
    except lookalike.errors.SearchTimeoutError:
        ended.append("timeout")
searching = threading.Thread(target=search, daemon=True)
searching.start()
index.search(vectors[0])
child = os.fork()
if child == 0:
    found = index.search(vectors[:5], 1, exact=True).ids.ravel().tolist()
    index.add(vectors[:10])
    index.remove(3)
    index.optimize()
    made = index.filter(np.arange(5))
    ok = found == [0, 1, 2, 3, 4] and len(index) == 15_009 and index.search(vectors[0], filter=made).ids[0] == 0
    os._exit(0 if ok else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), searching.is_alive(), len(index))
sys.stdout.flush()
os._exit(0)
"""
    assert run(code) == "0 True 15000\n"
