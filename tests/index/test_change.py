"""Adding, overwriting and removing: what an index holds afterwards."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from lookalike import Index, errors
from tests.index.brute_force import METRICS, Metric, check_neighbors

SEALS_AFTER = 16_384  # fresh vectors


def test_ids_follow_the_largest_ever_used() -> None:
    index = Index(2, "euclidean")
    np.testing.assert_array_equal(index.add(np.ones((3, 2))), [0, 1, 2])
    assert index.add([1.0, 1.0], 100).tolist() == [100]
    assert index.add([1.0, 1.0]).tolist() == [101]
    index.remove([101, 100])
    assert index.add([1.0, 1.0]).tolist() == [102]
    index.add([1.0, 1.0], 50)
    assert index.add([1.0, 1.0]).tolist() == [103]
    assert index.ids.tolist() == [0, 1, 2, 50, 102, 103]


def test_ids_follow_the_largest_ever_used_after_opening(tmp_path: object) -> None:
    index = Index(2, "euclidean")
    index.add(np.ones((3, 2)))
    index.remove([2, 1, 0])
    index.save(f"{tmp_path}/empty")
    opened = Index.open(f"{tmp_path}/empty")
    assert len(opened) == 0
    assert opened.add([1.0, 1.0]).tolist() == [3]


def test_the_largest_id_of_all() -> None:
    index = Index(2, "euclidean")
    index.add([1.0, 2.0], 2**63 - 1)
    assert index.search([1.0, 2.0], 1).ids.tolist() == [2**63 - 1]
    with pytest.raises(errors.IdError, match="no ids are left"):
        index.add([1.0, 2.0])
    assert index.add([]).size == 0
    index.add([1.0, 2.0], 7)
    index.remove(2**63 - 1)
    assert index.ids.tolist() == [7]


@pytest.mark.parametrize("sealed", [False, True])
def test_overwriting_replaces_the_vector(sealed: bool) -> None:
    index = Index(2, "euclidean")
    index.add([[0.0, 0.0], [5.0, 5.0]], [3, 4])
    if sealed:
        index.optimize()
    index.add([[9.0, 9.0], [1.0, 1.0]], [3, 8], overwrite=True)
    assert len(index) == 3
    assert index.ids.tolist() == [3, 4, 8]
    assert index[3].tolist() == [9.0, 9.0]
    ids, distances = index.search([0.0, 0.0], 3)
    assert ids.tolist() == [8, 4, 3]
    assert distances[2] == pytest.approx(np.sqrt(162))


@pytest.mark.parametrize("sealed", [False, True])
def test_removed_vectors_are_gone_and_their_ids_free(sealed: bool) -> None:
    index = Index(2, "euclidean")
    index.add([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    if sealed:
        index.optimize()
    index.remove(1)
    assert 1 not in index
    assert len(index) == 2
    assert index.search([1.0, 1.0], 3).ids.tolist() == [0, 2, -1]
    with pytest.raises(errors.IdError, match="id 1 is not in the index"):
        index.remove([0, 1])
    assert 0 in index
    index.add([1.5, 1.0], 1)
    assert index.search([1.0, 1.0], 1).ids.tolist() == [1]
    index.remove([])
    index.remove([0, 1, 2])
    assert len(index) == 0
    assert index.ids.shape == (0,)


def test_optimizing_changes_no_answer() -> None:
    random = np.random.default_rng(5)
    index = Index(6, buckets=12)
    index.add(random.normal(size=(200, 6)), random.permutation(1000)[:200])
    index.remove(index.ids[::3])
    queries = random.normal(size=(20, 6))
    before = index.search(queries, 7, exact=True)
    index.optimize()
    index.optimize()
    after = index.search(queries, 7, exact=True)
    np.testing.assert_array_equal(before.ids, after.ids)
    np.testing.assert_array_equal(before.distances, after.distances)


@pytest.mark.parametrize("metric", METRICS)
def test_growth_seals_by_itself_behind_the_callers_back(metric: Metric) -> None:
    random = np.random.default_rng(6)
    vectors = random.normal(size=(SEALS_AFTER + 4000, 4)).astype(np.float32)
    index = Index(4, metric)
    kept = np.ones(len(vectors), bool)
    for begin in range(0, len(vectors), 1000):
        index.add(vectors[begin : begin + 1000])
        index.remove([begin, begin + 1])
        kept[begin : begin + 2] = False
    for _ in range(6000):
        if "buckets" in repr(index):
            break
        time.sleep(0.01)
    assert "buckets" in repr(index)
    np.testing.assert_array_equal(index.ids, np.flatnonzero(kept))
    for query in random.normal(size=(5, 4)).astype(np.float32):
        found = index.search(query, 9, exact=True)
        check_neighbors(found, metric, query, np.flatnonzero(kept), vectors[kept], 9)


def test_many_small_additions_make_few_segments() -> None:
    index = Index(2, "euclidean", buckets=8)
    vectors = np.random.default_rng(8).normal(size=(120_000, 2)).astype(np.float32)
    most = 0
    for begin in range(0, len(vectors), 4000):
        index.add(vectors[begin : begin + 4000])
        time.sleep(0.005)
        most = max(most, index._core.segments)
    assert most <= 6
    assert len(index) == len(index.ids) == 120_000
    index.optimize()
    assert index._core.segments == 1
    np.testing.assert_array_equal(index.ids, np.arange(120_000))
    np.testing.assert_array_equal(index[77_777], vectors[77_777])


def test_one_by_one_and_all_at_once_are_the_same(tmp_path: object) -> None:
    vectors = np.random.default_rng(7).normal(size=(500, 3))
    for name, step in (("one", 1), ("few", 7), ("all", 500)):
        index = Index(3, buckets=20)
        for begin in range(0, 500, step):
            index.add(vectors[begin : begin + step])
        index.save(f"{tmp_path}/{name}")
    contents = set()
    for name in ("one", "few", "all"):
        with open(f"{tmp_path}/{name}", "rb") as file:
            contents.add(file.read())
    assert len(contents) == 1


@pytest.mark.parametrize(("count", "room"), [(40_000, 80), (3_500, 8)])
def test_running_out_of_memory_changes_nothing(count: int, room: int) -> None:
    code = f"""
import resource, numpy as np, lookalike
index = lookalike.Index(1024, "euclidean")
index.add(np.eye(2, 1024), [5, 6])
5 in index
many = np.ones(({count}, 1024), np.float32)
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + ({room} << 20), -1))
for ids in (None, np.arange({count})):
    try:
        index.add(many, ids, overwrite=True)
    except MemoryError:
        print("refused", len(index), index.ids.tolist(), index.search(np.eye(1, 1024), 3, threads=1).ids.tolist())
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(index.add(np.ones(1024)).tolist(), 7 in index, 0 in index)
"""
    if sys.platform != "linux":
        pytest.skip("needs /proc")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout == "refused 2 [5, 6] [[5, 6, -1]]\n" * 2 + "[7] True False\n"
