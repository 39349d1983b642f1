"""What may be given to be measured, and the data sets that it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.bench.datasets import save
from lookalike.bench.given import Given, from_file, split, with_queries
from lookalike.bench.truth import exact_neighbors
from lookalike.errors import ArgumentError, VectorFileError

from .tiny import tiny

VECTORS = np.random.default_rng(7).standard_normal((300, 8)).astype(np.float32)


def given(**more: Any) -> Given:
    return Given(**{"name": "some", "distance": None, "vectors": VECTORS} | more)


def test_some_vectors_are_held_out(tmp_path: Path) -> None:
    parted = split(given(), None, None, 5, 0, str(tmp_path / "truth.npz"))
    data = parted.data
    assert (data.name, data.distance) == ("some", "cosine")
    assert (len(data.base), len(data.test.vectors)) == (270, 30)
    assert parted.base_rows is not None
    assert parted.query_rows is not None
    assert sorted([*parted.base_rows, *parted.query_rows]) == list(range(300))
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    np.testing.assert_allclose(data.base, unit[parted.base_rows], atol=1e-6)
    np.testing.assert_allclose(data.test.vectors, unit[parted.query_rows], atol=1e-6)
    ids, distances = exact_neighbors(data.base, data.test.vectors, "cosine", 5)
    assert np.array_equal(data.test.neighbors, ids)
    np.testing.assert_allclose(data.test.distances, distances, atol=1e-7)
    again = split(given(), None, None, 5, 0, str(tmp_path / "truth.npz"))
    assert np.array_equal(again.query_rows, parted.query_rows)  # type: ignore[arg-type]
    other = split(given(), None, None, 5, 1, str(tmp_path / "truth.npz"))
    assert not np.array_equal(other.query_rows, parted.query_rows)  # type: ignore[arg-type]


def test_neighbours_are_remembered(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def neighbours(k: int = 5) -> Any:
        told.clear()
        return split(given(), "euclidean", 40, k, 0, str(tmp_path / "truth.npz"), lambda *a: told.append(a)).data.test

    first = neighbours()
    assert told[-1] == (40, 40)
    assert np.array_equal(neighbours().neighbors, first.neighbors)
    assert told == []
    assert neighbours(6).neighbors.shape == (40, 6)
    assert told
    (tmp_path / "truth.npz").write_bytes(b"PK damaged")
    assert neighbours(6).neighbors.shape == (40, 6)
    assert told
    assert [path.name for path in tmp_path.iterdir()] == ["truth.npz"]


def test_a_file_of_ann_benchmarks_has_its_own_queries(tmp_path: Path) -> None:
    data = tiny("euclidean")
    save(tmp_path / "own.hdf5", data)
    told: list[Any] = []
    own = from_file(str(tmp_path / "own.hdf5"))
    made = split(own, None, None, 10, 0, "", lambda *a: told.append(a)).data
    assert told == []  # nothing was to be found
    assert (made.name, made.distance) == ("own", "euclidean")
    assert np.array_equal(made.base, data.base)
    assert np.array_equal(made.test.neighbors, data.test.neighbors)
    assert len(split(own, None, 7, 10, 0, "").data.test.vectors) == 7
    more = split(own, None, 7, 11, 0, str(tmp_path / "truth.npz")).data.test  # than the file has
    assert np.array_equal(more.neighbors[:, :10], data.test.neighbors[:7])
    other = split(own, "cosine", 7, 10, 0, str(tmp_path / "truth.npz")).data  # than the file's distance
    assert np.array_equal(other.test.neighbors, exact_neighbors(data.base, data.test.vectors[:7], "cosine", 10)[0])


def test_wrong_neighbours_are_not_believed(tmp_path: Path) -> None:
    data = tiny("euclidean")
    save(tmp_path / "wrong.hdf5", data)
    for wrong in (
        np.zeros((40, 10), np.int32),
        np.full((40, 10), 5000),
        np.zeros((3, 10), np.int32),
        np.zeros((40, 10)),
    ):
        with h5py.File(tmp_path / "wrong.hdf5", "a") as file:
            del file["neighbors"]
            file["neighbors"] = wrong
        made = split(from_file(str(tmp_path / "wrong.hdf5")), None, None, 10, 0, str(tmp_path / "truth.npz")).data
        assert np.array_equal(made.test.neighbors, data.test.neighbors)


def test_without_neighbours_they_are_found(tmp_path: Path) -> None:
    data = tiny("euclidean")
    with h5py.File(tmp_path / "bare.hdf5", "w") as file:
        file["train"], file["test"] = data.base, data.test.vectors
    bare = from_file(str(tmp_path / "bare.hdf5"))
    assert bare.distance is None
    made = split(bare, "euclidean", None, 10, 0, str(tmp_path / "truth.npz")).data
    assert np.array_equal(made.test.neighbors, data.test.neighbors)


def test_a_second_set_of_queries(tmp_path: Path) -> None:
    path = tmp_path / "two.hdf5"
    with h5py.File(path, "w") as file:
        file["train"], file["test"], file["tune"] = VECTORS, VECTORS[:5], VECTORS[5:8]
    assert np.array_equal(from_file(str(path), tune=True).queries, VECTORS[5:8])  # type: ignore[arg-type]
    with h5py.File(path, "a") as file:
        del file["tune"]
    for wrong in (path, tmp_path / "x.npy"):
        np.save(tmp_path / "x.npy", VECTORS)
        with pytest.raises(ArgumentError, match="expected a dataset called tune, since --tune was given"):
            from_file(str(wrong), tune=True)


def test_files_of_vectors(tmp_path: Path) -> None:
    np.save(tmp_path / "base.npy", VECTORS.astype(np.float64))
    np.save(tmp_path / "queries.npy", VECTORS[:7])
    base = from_file(str(tmp_path / "base.npy"))
    assert base.vectors.dtype == np.float32
    assert base.queries is None
    made = split(with_queries(base, str(tmp_path / "queries.npy")), None, None, 1, 0, str(tmp_path / "truth.npz")).data
    assert made.test.neighbors.tolist() == [[row] for row in range(7)]
    with h5py.File(tmp_path / "seed.h5", "w") as file:  # as the original experiment
        file["filenames"], file["feats"] = [f"{row}.jpg" for row in range(300)], VECTORS.T
    assert np.array_equal(from_file(str(tmp_path / "seed.h5")).vectors, VECTORS)


@pytest.mark.parametrize(
    ("more", "asked", "message"),
    [
        ({}, {"count": 300}, "some: expected more than 300 vectors, to hold out 300 as queries"),
        ({}, {"count": 0}, "to hold out 1 as queries"),
        ({"vectors": VECTORS[:9]}, {}, "expected more than 9 vectors"),
        ({}, {"k": 290}, "to hold out 30 as queries and to find 290 neighbours among the rest"),
        ({"queries": VECTORS}, {"k": 301}, "some: k is 301; expected at most 300, the number of vectors"),
        ({"vectors": np.zeros((100, 2), np.float32)}, {}, "some: 90 of the vectors are zero, which has no direction"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    more: dict[str, Any], asked: dict[str, Any], message: str, tmp_path: Path
) -> None:
    how = {"distance": None, "count": None, "k": 5, "seed": 0, "kept": str(tmp_path / "truth.npz")} | asked
    with pytest.raises(ArgumentError, match=message):
        split(given(**more), **how)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    base, queries, large = (str(tmp_path / name) for name in ("base.npy", "queries.npy", "large.npy"))
    np.save(base, VECTORS)
    np.save(queries, np.ones((2, 3)))
    np.save(large, np.full((2, 3), 1e300))
    with pytest.raises(ArgumentError, match=r"queries\.npy: expected queries of 8 dimensions, received 3"):
        with_queries(from_file(base), queries)
    with pytest.raises(ArgumentError, match=r"large\.npy: expected numbers that float32 can hold"):
        from_file(large)
    with pytest.raises(VectorFileError, match=r"nowhere\.npy: .*received no such file"):
        from_file(str(tmp_path / "nowhere.npy"))
    with h5py.File(tmp_path / "sets.hdf5", "w") as file:
        file.attrs["distance"] = "jaccard"
        file["train"], file["test"] = np.arange(9), np.arange(3)
    with pytest.raises(ArgumentError, match="expected a dataset called size_train"):
        from_file(str(tmp_path / "sets.hdf5"))
    with h5py.File(tmp_path / "bits.hdf5", "w") as file:
        file.attrs["distance"] = "hamming"
        file["train"], file["test"] = VECTORS, VECTORS[:5]
    with pytest.raises(ArgumentError, match=r"its distance is hamming; expected cosine or euclidean"):
        from_file(str(tmp_path / "bits.hdf5"))
    with h5py.File(tmp_path / "odd.hdf5", "w") as file:
        file["train"], file["test"] = VECTORS, VECTORS[:5, :3]
    with pytest.raises(ArgumentError, match=r"expected test of 8 dimensions; received 3"):
        from_file(str(tmp_path / "odd.hdf5"))
