"""Sets in files: as ann-benchmarks lays them out, as text, and those that are neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.bench.given import from_file, split, with_queries
from lookalike.errors import ArgumentError, LookalikeError

from .test_sets import back, jaccard
from .tiny import tiny_sets

SMALL: dict[str, Any] = {"train": [4, 7, 7, 4, 5], "size_train": [2, 0, 3], "test": [9, 4], "size_test": [2]}


def written(path: Path, **members: Any) -> str:
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = "jaccard"
        file.attrs["type"] = "sparse"
        for name, value in members.items():
            file[name] = value
    return str(path)


def truth_of(queries: list[set[int]], base: list[set[int]], k: int) -> list[list[int]]:
    return [sorted(range(len(base)), key=lambda row: jaccard(query, base[row]))[:k] for query in queries]


def test_a_file_of_ann_benchmarks(tmp_path: Path) -> None:
    data = tiny_sets(90)
    members = {"train": data.base.items, "size_train": data.base.sizes}
    members |= {"test": data.test.vectors.items, "size_test": data.test.vectors.sizes, "neighbors": data.test.neighbors}
    given = from_file(written(tmp_path / "own.hdf5", **members))
    told: list[Any] = []
    made = split(given, None, 30, 10, 0, "", lambda *a: told.append(a)).data
    assert told == []  # its own neighbours are right
    assert (made.name, made.distance, len(made.base), len(made.test.vectors)) == ("own", "jaccard", 90, 30)
    assert back(made.base) == back(data.base)  # the same numbers, as they were from 0 on
    assert np.array_equal(made.test.neighbors, data.test.neighbors[:30])
    wrong = members | {"neighbors": np.roll(data.test.neighbors, 1, axis=0)}
    given = from_file(written(tmp_path / "wrong.hdf5", **wrong))
    made = split(given, None, 30, 10, 0, str(tmp_path / "truth.npz")).data
    assert np.array_equal(made.test.neighbors, data.test.neighbors[:30])
    again = split(given, None, 30, 10, 0, str(tmp_path / "truth.npz"), lambda *a: told.append(a)).data
    assert told == []  # they were kept
    assert np.array_equal(again.test.neighbors, data.test.neighbors[:30])


def test_items_may_be_unordered_repeated_or_missing(tmp_path: Path) -> None:
    given = from_file(written(tmp_path / "small.hdf5", **SMALL))
    assert back(given.vectors) == [{0, 2}, set(), {0, 1, 2}]  # 4, 5, 7 and 9 in order
    assert given.queries is not None
    assert back(given.queries) == [{0, 3}]
    made = split(given, None, None, 3, 0, str(tmp_path / "truth.npz")).data
    assert made.test.neighbors.tolist() == [[0, 2, 1]]
    np.testing.assert_allclose(made.test.distances, [[2 / 3, 3 / 4, 1]])


def test_without_queries_some_are_held_out(tmp_path: Path) -> None:
    data = tiny_sets(90)
    given = from_file(written(tmp_path / "bare.hdf5", train=data.base.items, size_train=data.base.sizes))
    parted = split(given, None, None, 5, 0, str(tmp_path / "truth.npz"))
    base, queries = back(parted.data.base), back(parted.data.test.vectors)
    assert (len(base), len(queries)) == (81, 9)
    assert parted.base_rows is not None
    assert base == back(given.vectors[parted.base_rows])
    assert parted.data.test.neighbors.tolist() == truth_of(queries, base, 5)


def test_a_second_set_of_queries(tmp_path: Path) -> None:
    path = written(tmp_path / "two.hdf5", **SMALL, tune=[5, 5, 5], size_tune=[1, 2])
    tuned = from_file(path, tune=True).queries
    assert tuned is not None
    assert back(tuned) == [{1}, {1}]
    with pytest.raises(ArgumentError, match="expected a dataset called tune"):
        from_file(written(tmp_path / "one.hdf5", **SMALL), tune=True)


def test_lines_of_words(tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("the cat the dog\n\n  a\tcat \nÄ the\r\ncat dog the")
    given = from_file(str(path), format="sets")
    assert (given.name, given.distance, given.queries) == ("texts", "jaccard", None)
    assert back(given.vectors) == [{0, 1, 2}, {1, 3}, {0, 4}, {0, 1, 2}]
    assert given.vectors.shape == (4, 5)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"size_train": None}, "expected a dataset called size_train, how many items each set has, as its distance"),
        ({"train": None}, "expected a dataset called train, the items of one set after the other"),
        ({"size_test": None}, "expected a dataset called size_test"),
        ({"size_train": [2, 4]}, "how many of the 5 items of train .* received sizes from 2 to 4 that do not add up"),
        ({"size_train": [6, -1]}, "received sizes from -1 to 6"),
        ({"size_train": [1 << 62] * 4 + [5]}, "received sizes from 5 to 4,611,686,018,427,387,904"),
        (
            {"size_train": np.array([(1 << 64) - 1, 6], np.uint64)},
            "received sizes from 6 to 18,446,744,073,709,551,615",
        ),
        ({"size_train": [2.0, 3.0]}, r"size_train: expected .* whole numbers in one dimension; received float64"),
        ({"size_train": np.array([], np.int64)}, "size_train: expected a set at least; received none"),
        ({"train": [1.0, 2.0, 3.0, 4.0, 5.0]}, r"train: expected .*; received float64 of the shape \(5,\)"),
        ({"train": np.ones((5, 2), np.int64)}, r"received int64 of the shape \(5, 2\)"),
        ({"train": 7}, r"received int64 of the shape \(\)"),
        ({"train": [b"x"] * 5}, "train: expected floats .*received"),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path: Path, members: dict[str, Any], message: str) -> None:
    kept = {name: value for name, value in (SMALL | members).items() if value is not None}
    path = written(tmp_path / "bad.hdf5", **kept)
    with pytest.raises(LookalikeError, match=message) as refusal:
        from_file(path)
    assert path in str(refusal.value)


def test_a_file_that_promises_what_it_does_not_hold_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "huge.hdf5")
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = "jaccard"
        file.create_dataset("train", (1 << 50,), np.int64)
        file["size_train"] = [1 << 50]
    with pytest.raises(LookalikeError, match=r"huge\.hdf5: train: expected"):
        from_file(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"", "expected words, a set a line; received none"), (b"a b\n\xff c\n", "words in UTF-8; .* in line 2")],
)
def test_what_is_no_text_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "bad.txt").write_bytes(text)
    with pytest.raises(ArgumentError, match=message):
        from_file(str(tmp_path / "bad.txt"), format="sets")
    with pytest.raises(LookalikeError, match="no such file"):
        from_file(str(tmp_path / "nowhere.txt"), format="sets")


def test_what_cannot_be_asked_of_sets_is_refused(tmp_path: Path) -> None:
    given = from_file(written(tmp_path / "small.hdf5", **SMALL))
    with pytest.raises(ArgumentError, match=r"small: expected no --metric, as sets have Jaccard's.*received cosine"):
        split(given, "cosine", None, 2, 0, "")
    with pytest.raises(ArgumentError, match="small: expected how many queries to take from the sets"):
        with_queries(given, "queries.npy")
    with pytest.raises(ArgumentError, match="small: k is 4; expected at most 3, the number of sets"):
        split(given, None, None, 4, 0, "")
    (tmp_path / "two.txt").write_text("a b\nc\n")
    with pytest.raises(ArgumentError, match="two: expected more than 2 sets, to hold out 1 as queries"):
        split(from_file(str(tmp_path / "two.txt"), format="sets"), None, None, 1, 0, "")
