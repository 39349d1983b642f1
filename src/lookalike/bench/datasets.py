"""Data sets: vectors to index, queries that are not among them, and the queries' exact neighbours.

Files are HDF5, laid out as those of ann-benchmarks (Aumüller, Bernhardsson & Faithfull 2017, arXiv 1807.05614):

    train      (n, dim)  float32           what is indexed
    test       (m, dim)  float32           the queries
    neighbors  (m, k)    int32 or int64    rows of train, nearest first
    distances  (m, k)    float32           theirs
    attribute `distance`: "angular" (1 − cos) or "euclidean"

A file may hold a second set of queries, so that nobody tunes on `test`: tune, tune_neighbors, tune_distances.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.bench.truth import Distance, Floats, Ids, Rows, Vectors
from lookalike.errors import ArgumentError
from lookalike.vectors.hdf5_arrays import read_arrays, write_arrays

DISTANCES: dict[str, Distance] = {
    "angular": "cosine",
    "cosine": "cosine",
    "euclidean": "euclidean",
    "sqeuclidean": "euclidean",
}
WRITTEN: dict[Distance, str] = {"cosine": "angular", "euclidean": "euclidean", "jaccard": "jaccard"}
KEYS = ("train", "test", "neighbors", "distances", "tune", "tune_neighbors", "tune_distances")


Arrays = dict[str, Any]


@dataclass(frozen=True)
class Queries:
    """Queries (m, dim), or m sets, their exact neighbours, rows of the base (m, k), and the distances (m, k)."""

    vectors: Rows
    neighbors: Ids
    distances: Floats

    def first(self, count: int) -> Queries:
        return Queries(self.vectors[:count], self.neighbors[:count], self.distances[:count])


@dataclass(frozen=True)
class Dataset:
    """What a benchmark needs: the base (n, dim), or n sets, the queries, and perhaps others to tune with."""

    name: str
    distance: Distance
    base: Rows
    test: Queries
    tune: Queries | None = None

    def unit(self) -> Dataset:
        """With all vectors at unit length, if the distance is the cosine's: so peers may use the inner product."""
        if self.distance != "cosine":
            return self
        tune = self.tune and replace(self.tune, vectors=_unit(self.tune.vectors))
        test = replace(self.test, vectors=_unit(self.test.vectors))
        return replace(self, base=_unit(self.base), test=test, tune=tune)


def load(path: str | os.PathLike[str]) -> Dataset:
    """Reads an HDF5 file of the layout above.

    Raises:
        VectorFileError: no such file, or one that cannot be read as HDF5.
        ArgumentError: the file lacks something that belongs to a data set.
    """
    name = os.fspath(path)
    arrays, told = read_arrays(path, KEYS)
    distance = _distance(told, name)
    base = _matrix(arrays, "train", name).astype(np.float32, copy=False)
    tune = _queries(arrays, "tune", "tune_", base, name) if "tune" in arrays else None
    return Dataset(Path(path).stem, distance, base, _queries(arrays, "test", "", base, name), tune)


def save(path: str | os.PathLike[str], data: Dataset) -> None:
    """Writes an HDF5 file of the layout above; what was at `path` is replaced when the new file is complete."""
    arrays: Arrays = {"train": data.base}
    for queries, name, prefix in [(data.test, "test", ""), (data.tune, "tune", "tune_")]:
        if queries is not None:
            arrays[name] = queries.vectors
            arrays[f"{prefix}neighbors"] = queries.neighbors.astype(np.int32)
            arrays[f"{prefix}distances"] = queries.distances.astype(np.float32)
    write_arrays(path, arrays, {"distance": WRITTEN[data.distance]})


def _distance(text: str | None, path: str) -> Distance:
    if text not in DISTANCES:
        known = ", ".join(DISTANCES)
        raise ArgumentError(f"{path}: expected the attribute `distance` to be one of {known}; received {text!r}")
    return DISTANCES[text]


def _queries(arrays: Arrays, name: str, prefix: str, base: Vectors, path: str) -> Queries:
    vectors = _matrix(arrays, name, path).astype(np.float32, copy=False)
    neighbors = _matrix(arrays, f"{prefix}neighbors", path)
    distances = _matrix(arrays, f"{prefix}distances", path)
    if vectors.shape[1] != base.shape[1]:
        raise ArgumentError(f"{path}: expected {name} of {base.shape[1]} dimensions; received {vectors.shape[1]}")
    if not len(vectors) == len(neighbors) == len(distances) or neighbors.shape != distances.shape:
        raise ArgumentError(
            f"{path}: expected {len(vectors)} rows of {prefix}neighbors and {prefix}distances; "
            f"received the shapes {neighbors.shape} and {distances.shape}"
        )
    if neighbors.dtype.kind not in "iu" or neighbors.min() < 0 or neighbors.max() >= len(base):
        raise ArgumentError(f"{path}: expected {prefix}neighbors to be row numbers of train, below {len(base)}")
    return Queries(vectors, neighbors.astype(np.int64), distances.astype(np.float64))


def _matrix(arrays: Arrays, name: str, path: str) -> Any:
    if name not in arrays:
        raise ArgumentError(
            f"{path}: expected a dataset called {name}; it holds {', '.join(arrays) or 'none of a set'}"
        )
    require_matrix(arrays[name], name, path)
    return arrays[name]


def require_matrix(array: Any, name: str, path: str) -> None:
    """ArgumentError for one that is no matrix of finite numbers."""
    if array.ndim != 2 or not array.size:
        raise ArgumentError(
            f"{path}: {name}: expected numbers in two dimensions, at least one; received the shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ArgumentError(f"{path}: {name}: expected finite numbers; received NaN or inf")


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)
