"""An index of several files: searched as one, merged by `save`, refused where the files do not belong together."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError, DamagedError
from tests.segment_files import sections

DIM = 32


def saved(path: Path, ids: np.ndarray, *, note: str = "", metric: str = "cosine", dim: int = DIM) -> Path:
    """A file of vectors drawn from their ids."""
    index = Index(dim, metric)  # type: ignore[arg-type]
    index.add(np.stack([np.random.default_rng(i).standard_normal(dim) for i in ids]), ids)
    index.save(path, note={"of": note})
    return path


def test_files_are_searched_as_one_and_merged_by_save(tmp_path: Path) -> None:
    parts = [np.arange(0, 5_000), np.arange(5_000, 5_400), np.arange(10_001, 10_101, 2), np.arange(10_000, 10_100, 2)]
    paths = [saved(tmp_path / f"{i}.index", ids) for i, ids in enumerate(parts)]
    index = Index.open(*paths)
    everything = np.sort(np.concatenate(parts))
    assert np.array_equal(index.ids, everything)
    for id in (0, 4_999, 5_001, 10_001, 10_002):
        assert np.array_equal(index[id], np.random.default_rng(id).standard_normal(DIM).astype(np.float32))
        assert index.search(index[id], k=1).ids[0] == id
    index.remove([1, 5_002])
    assert index.add(np.ones((1, DIM))) == [10_100]
    index.save(tmp_path / "merged")
    merged = Index.open(tmp_path / "merged")
    assert np.array_equal(merged.ids, np.append(np.setdiff1d(everything, [1, 5_002]), 10_100))
    queries = np.random.default_rng(1).standard_normal((20, DIM))
    exact, found = merged.search(queries, exact=True), index.search(queries, exact=True)
    assert np.array_equal(exact.ids, found.ids)


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    first = saved(tmp_path / "first", np.arange(10))
    others = {
        "another index": saved(tmp_path / "note", np.arange(10, 20), note="another"),
        "dim, metric": saved(tmp_path / "metric", np.arange(10, 20), metric="euclidean"),
        "same dim": saved(tmp_path / "dim", np.arange(10, 20), dim=16),
        "id 9 is in two": saved(tmp_path / "ids", np.arange(9, 20)),
    }
    for message, other in others.items():
        with pytest.raises(ArgumentError, match=message):
            Index.open(first, other)
    with pytest.raises(ArgumentError, match="beside is 'an index'; expected an index"):
        Index.open(first, beside="an index")  # type: ignore[arg-type]


def test_damage_in_one_of_them(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{i}", np.arange(i * 10, i * 10 + 10)) for i in range(3)]
    bytes_ = bytearray(paths[1].read_bytes())
    bytes_[100] ^= 1
    paths[1].write_bytes(bytes_)
    with pytest.raises(DamagedError, match=str(paths[1])):
        Index.open(*paths)


def test_files_that_another_index_has_open_are_shared_with_it(tmp_path: Path) -> None:
    paths = [saved(tmp_path / f"{i}", np.arange(i * 10, i * 10 + 10)) for i in range(3)]

    def maps(path: Path) -> int:
        return Path("/proc/self/maps").read_text().count(str(path))

    first = Index.open(paths[0])
    gone = int(first.ids[0])
    first.remove(gone)
    both = Index.open(*paths, beside=first)
    assert [maps(path) for path in paths] == [1] * len(paths)
    assert gone in both
    assert gone not in first
    shutil.copy(paths[0], tmp_path / "copy")
    os.replace(tmp_path / "copy", paths[0])
    anew = Index.open(*paths, beside=both)
    assert len(anew) == len(both)
    assert maps(paths[0]) == 2  # the one that was replaced, too


def test_a_filter_tells_indexes_apart_that_share_a_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a", np.arange(10))
    one = Index.open(path)
    other = Index.open(path, beside=one)
    query, which = one[1], one.filter([1, 2])
    one.remove(1)
    other.remove(2)
    for _ in range(2):
        assert one.search(query, 2, filter=which).ids.tolist() == [2, -1]
        assert other.search(query, 2, filter=which).ids.tolist() == [1, -1]


def test_a_file_that_nothing_may_be_found_in_is_not_read(tmp_path: Path) -> None:
    index = Index(DIM, "euclidean", buckets=20)
    index.add(np.random.default_rng(1).standard_normal((5_000, DIM)))
    index.save(tmp_path / "a")
    data = bytearray((tmp_path / "a").read_bytes())
    vectors = sections(data)["vectors"]
    for offset in range(vectors.offset, vectors.offset + vectors.length, 30_000):
        data[offset] ^= 1
    (tmp_path / "a").write_bytes(data)
    index = Index.open(tmp_path / "a")
    query = np.ones(DIM)
    fresh = index.add(query).tolist()
    with pytest.raises(DamagedError):
        index.search(query, 1, exact=True)
    for options in ({}, {"exact": True}, {"probes": 2}):
        assert index.search(query, 2, filter=fresh, **options).ids.tolist() == [*fresh, -1]
        assert index.search(query, 2, filter=[10**9], **options).ids.tolist() == [-1, -1]
    for exact in (False, True):
        assert index.range_search(query, 0.5, filter=fresh, exact=exact).ids.tolist() == fresh
