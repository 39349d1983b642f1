"""Many threads, Ctrl-C and fork: searches run beside changes, nothing hangs, nothing is half done."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from lookalike import Index
from tests.index.brute_force import check_neighbors, clusters

PATIENCE = 120  # seconds until what should end at once counts as hanging


def test_searching_while_adding_and_removing() -> None:
    kept, passing = clusters(5000, 8, seed=1), clusters(4000, 8, seed=2)
    index = Index(8, "euclidean")
    index.add(kept)
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
    assert sorted(index.ids) == [*range(5000), *left]
    vectors = np.concatenate([kept, passing[left - 10_000]])
    for query in clusters(5, 8, seed=3):
        found = index.search(query, 10, exact=True)
        check_neighbors(found, "euclidean", query, np.concatenate([np.arange(5000), left]), vectors, 10)


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


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


# The work takes minutes (seconds, for add, on the one processor it is kept to); the signal comes at once.
INTERRUPTED = """
import os, signal, threading, time, numpy as np, lookalike
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
random = np.random.default_rng(0)
index = lookalike.Index(256, "euclidean", tables=256, bits=16)
index.add(random.normal(size=(50, 256)))
index.optimize()
many = random.normal(size=(20_000, 256)).astype(np.float32)
queries = np.broadcast_to(many[0], (100_000, 256))
{prepare}
before = index.ids.tolist()
answer = index.search(many[:3], 5).ids.tolist()
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {work}
except KeyboardInterrupt:
    print("interrupted", index.ids.tolist() == before, index.search(many[:3], 5).ids.tolist() == answer)
"""


@pytest.mark.parametrize(
    ("prepare", "work"),
    [
        ("queries = np.ascontiguousarray(queries)", "index.search(queries, 10, probes=20_000)"),
        ("", "index.add(many)"),
        ("", "index.add(many[:40], np.arange(40), overwrite=True); index.add(many, np.arange(20_000), overwrite=True)"),
    ],
    ids=["search", "add", "overwrite"],
)
def test_ctrl_c_ends_long_work_and_changes_nothing(prepare: str, work: str) -> None:
    if "overwrite" in work:
        prepare, work = "index.add(many[:40], np.arange(40), overwrite=True)", work.split("; ")[1]
    assert run(INTERRUPTED.format(prepare=prepare, work=work)) == "interrupted True True\n"


def test_a_signal_handler_that_uses_the_index_gets_an_error_and_never_hangs() -> None:
    code = INTERRUPTED.format(prepare="signal.signal(signal.SIGINT, lambda *_: len(index))", work="index.add(many)")
    code = code.replace("except KeyboardInterrupt", "except lookalike.errors.BusyError")
    assert run(code) == "interrupted True True\n"


def test_a_signal_handler_that_only_takes_note_interrupts_nothing() -> None:
    code = INTERRUPTED.format(
        prepare="heard = []; signal.signal(signal.SIGINT, lambda *_: heard.append(1))",
        work="index.add(many[:5000]); time.sleep(0 if heard else 0.2); print(len(heard), len(index))",
    )
    assert run(code) == "1 5050\n"


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


def test_each_thread_count_gives_the_same_answer() -> None:
    vectors = clusters(6000, 12, seed=5)
    index = Index(12)
    index.add(vectors)
    one = index.search(vectors[:333], 4, threads=1)
    for threads in (0, 2, 3, 64, 1024):
        many = index.search(vectors[:333], 4, threads=threads)
        np.testing.assert_array_equal(one.ids, many.ids)
        np.testing.assert_array_equal(one.distances, many.distances)
