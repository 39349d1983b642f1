"""HDF5 files as ann-benchmarks lays them out, and those that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.bench.datasets import Dataset, Queries, load, save
from lookalike.bench.truth import Distance, exact_neighbors
from lookalike.errors import LookalikeError, VectorFileError


def small(distance: Distance = "cosine") -> Dataset:
    random = np.random.default_rng(3)
    base, test, tune = (random.standard_normal((n, 4)).astype(np.float32) for n in (30, 5, 3))
    queries = (Queries(vectors, *exact_neighbors(base, vectors, distance, 10)) for vectors in (test, tune))
    return Dataset("small", distance, base, *queries)


def same(one: Queries | None, other: Queries | None) -> bool:
    assert one is not None
    assert other is not None
    return (
        np.array_equal(one.vectors, other.vectors)
        and np.array_equal(one.neighbors, other.neighbors)
        and np.allclose(one.distances, other.distances)
    )


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_what_is_saved_is_loaded(tmp_path: Path, distance: Distance) -> None:
    data = small(distance)
    save(tmp_path / "small.hdf5", data)
    loaded = load(tmp_path / "small.hdf5")
    assert (loaded.name, loaded.distance) == ("small", distance)
    assert np.array_equal(loaded.base, data.base)
    assert same(loaded.test, data.test)
    assert same(loaded.tune, data.tune)
    assert [path.name for path in tmp_path.iterdir()] == ["small.hdf5"]


def test_a_file_of_ann_benchmarks_loads(tmp_path: Path) -> None:
    data = small()
    with h5py.File(tmp_path / "theirs.hdf5", "w") as file:
        file.attrs["type"] = "dense"
        file.attrs["distance"] = "angular"
        file["train"], file["test"] = data.base.astype(np.float64), data.test.vectors
        file["neighbors"], file["distances"] = data.test.neighbors.astype("i4"), data.test.distances.astype("f4")
    loaded = load(tmp_path / "theirs.hdf5")
    assert loaded.distance == "cosine"
    assert loaded.base.dtype == np.float32
    assert same(loaded.test, data.test)
    assert loaded.tune is None


Damage = Callable[[Any], None]


def without(name: str) -> Damage:
    return lambda file: file.pop(name)


def instead(name: str, value: Any) -> Damage:
    def damage(file: Any) -> None:
        del file[name]
        file[name] = value

    return damage


def distance_is(value: Any) -> Damage:
    return lambda file: file.attrs.create("distance", value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("train"), "expected a dataset called train"),
        (without("test"), "expected a dataset called test"),
        (without("neighbors"), "expected a dataset called neighbors"),
        (without("distances"), "expected a dataset called distances"),
        (without("tune_neighbors"), "expected a dataset called tune_neighbors"),
        (
            lambda file: file.attrs.pop("distance"),
            "one of angular, cosine, euclidean, sqeuclidean; received None",
        ),
        (distance_is("hamming"), "received 'hamming'"),
        (distance_is(7), "received None"),
        (instead("train", np.ones(30, "f4")), "train: expected numbers in two dimensions"),
        (instead("train", np.ones((0, 4), "f4")), "at least one; received the shape \\(0, 4\\)"),
        (instead("train", np.full((30, 4), np.nan, "f4")), "train: expected finite numbers"),
        (instead("train", np.full((30, 4), b"x")), "train: expected floats .*received"),
        (instead("test", np.ones((5, 3), "f4")), "expected test of 4 dimensions; received 3"),
        (instead("neighbors", np.zeros((4, 10), "i4")), "expected 5 rows of neighbors and distances"),
        (instead("distances", np.zeros((5, 9), "f4")), "expected 5 rows of neighbors and distances"),
        (instead("neighbors", np.full((5, 10), 30, "i4")), "row numbers of train, below 30"),
        (instead("neighbors", np.full((5, 10), -1, "i4")), "row numbers of train, below 30"),
        (instead("neighbors", np.zeros((5, 10), "f4")), "row numbers of train, below 30"),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path: Path, damage: Damage, message: str) -> None:
    path = tmp_path / "bad.hdf5"
    save(path, small())
    with h5py.File(path, "a") as file:
        damage(file)
    with pytest.raises(LookalikeError, match=message) as refusal:
        load(path)
    assert str(path) in str(refusal.value)


def test_what_is_no_hdf5_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorFileError, match=r"nowhere.*received no such file"):
        load(tmp_path / "nowhere.hdf5")
    (tmp_path / "text.hdf5").write_text("not this")
    with pytest.raises(VectorFileError, match="expected a whole HDF5 file"):
        load(tmp_path / "text.hdf5")


def test_under_the_cosine_vectors_get_unit_length() -> None:
    data = small().unit()
    assert data.tune is not None
    for vectors in (data.base, data.test.vectors, data.tune.vectors):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    euclidean = replace(data, distance="euclidean")
    assert euclidean.unit() is euclidean
