"""What a user gives to be measured, and the data set that it becomes: a base, queries, and their exact neighbours."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from lookalike.bench import set_files
from lookalike.bench.datasets import DISTANCES, Dataset, Queries, require_matrix
from lookalike.bench.handed import arrays as arrays_of
from lookalike.bench.sets import Sets
from lookalike.bench.truth import Distance, Ids, Rows, Vectors, distances_of, exact_neighbors, noun, recall
from lookalike.durable import draft, put
from lookalike.errors import ArgumentError
from lookalike.vectors import open_vectors, read_vectors
from lookalike.vectors.hdf5_arrays import read_arrays
from lookalike.vectors.kind import kind
from lookalike.vectors.source import find

HELD_OUT = 1000
"""So many vectors become queries, unless told; a tenth of few."""
MOST_QUERIES = 10_000
CHECKED = 50
"""So many queries show whether a file's own neighbours are the nearest."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Given:
    """Vectors or sets, and perhaps queries that are not among them.

    Attributes:
        name: of the data set.
        distance: None where nobody said.
        vectors: (n, dim), or `Sets`.
        queries: None where some of the vectors are to be held out.
        neighbors: of the queries, as the file has them; None where they are to be found.
    """

    name: str
    distance: Distance | None
    vectors: Rows
    queries: Rows | None = None
    neighbors: Ids | None = None


@dataclass(frozen=True)
class Split:
    """A data set, and which rows of what was given the base and the queries are, where some were held out."""

    data: Dataset
    base_rows: npt.NDArray[np.intp] | None = None
    query_rows: npt.NDArray[np.intp] | None = None


def from_file(path: str, *, tune: bool = False, **how: Any) -> Given:
    """A file of vectors, or an HDF5 file of ann-benchmarks' layout (datasets.py), whose own queries are taken.

    Args:
        tune: take its second set of queries.
        how: `layout`, `format`, `key` and `names` as of `open_vectors`; the format "sets" is text (set_files.py).

    Raises:
        VectorFileError, ReadError, MissingExtraError: it cannot be taken.
        ArgumentError: no second set of queries, or one that does not fit.
    """
    if how.get("format") == "sets" and not tune:
        return Given(Path(path).stem, "jaccard", set_files.from_text(path))
    if kind(find(path)) == "hdf5" and how.get("key") is None:
        arrays, told = read_arrays(path, (*set_files.KEYS, "neighbors", "tune_neighbors"))
        if {"train", "test"} <= arrays.keys() or told == "jaccard":
            return _table(path, arrays, told, "tune" if tune else "test")
    if tune:
        raise ArgumentError(f"{path}: expected a dataset called tune, since --tune was given")
    told = open_vectors(path, **how).distance
    _, vectors = read_vectors(path, **how)
    return Given(Path(path).stem, _distance(path, told), _float32(path, vectors))


def with_queries(given: Given, path: str) -> Given:
    """The same vectors, but these queries. Raises what `from_file` raises, and ArgumentError for sets."""
    if isinstance(given.vectors, Sets):
        raise ArgumentError(f"{given.name}: expected how many queries to take from the sets; received a file, {path}")
    _, vectors = read_vectors(path)
    if vectors.shape[1] != given.vectors.shape[1]:
        raise ArgumentError(
            f"{path}: expected queries of {given.vectors.shape[1]} dimensions, received {vectors.shape[1]}"
        )
    return replace(given, queries=_float32(path, vectors), neighbors=None)


def split(
    given: Given,
    distance: Distance | None,
    count: int | None,
    k: int,
    seed: int,
    kept: str,
    progress: Progress | None = None,
) -> Split:
    """The data set, at unit length under the cosine, with exact neighbours, which are kept in the file `kept`.

    Args:
        distance: what was asked for; by default what the file says, or the cosine.
        count: of queries: the first ones of those given, 10,000 by default, or held out at random, 1,000 by default.
        k: neighbours of each.

    Raises:
        ArgumentError: too few vectors, or one without a direction under the cosine.
    """
    chosen = distance or given.distance or "cosine"
    if isinstance(given.vectors, Sets) and chosen != "jaccard":
        raise ArgumentError(f"{given.name}: expected no --metric, as sets have Jaccard's distance; received {chosen}")
    base_rows = query_rows = None
    base, queries, neighbors = given.vectors, given.queries, given.neighbors
    if queries is None:
        base_rows, query_rows = _held_out(given, HELD_OUT if count is None else count, k, seed, count is not None)
        base, queries = base[base_rows], base[query_rows]
    else:
        asked = slice(MOST_QUERIES if count is None else count)
        queries, neighbors = queries[asked], None if neighbors is None else neighbors[asked]
    if len(base) < k:
        raise ArgumentError(f"{given.name}: k is {k}; expected at most {len(base):,}, the number of {noun(chosen)}")
    if chosen == "cosine":
        base, queries = _unit(given.name, base), _unit(given.name, queries)
    if neighbors is None or chosen != given.distance or not _are_nearest(base, queries, chosen, neighbors, k):
        neighbors = _remembered(base, queries, chosen, k, kept, progress)
    neighbors = neighbors[:, :k]
    test = Queries(queries, neighbors, distances_of(base, queries, chosen, neighbors))
    return Split(Dataset(given.name, chosen, base, test), base_rows, query_rows)


def fingerprint(data: Dataset) -> str:
    """Of its vectors or sets: the same have the same, and no others."""
    state = blake2b(data.distance.encode(), digest_size=16)
    for array in (*arrays_of(data.base), *arrays_of(data.test.vectors)):
        state.update(repr(array.shape).encode())
        state.update(np.ascontiguousarray(array).data.cast("B"))
    return state.hexdigest()


def _table(path: str, arrays: dict[str, Any], told: str | None, which: str) -> Given:
    if which == "tune" and which not in arrays:
        raise ArgumentError(f"{path}: expected a dataset called {which}, since --{which} was given")
    distance: Distance | None = "jaccard" if told == "jaccard" else _distance(path, told)
    read = set_files.from_arrays if distance == "jaccard" else _matrices
    base, queries = read(path, arrays, which)
    ids = arrays.get("neighbors" if which == "test" else f"{which}_neighbors")
    if ids is not None and not _are_rows(ids, queries, len(base)):
        ids = None
    return Given(Path(path).stem, distance, base, queries, None if ids is None else ids.astype(np.int64))


def _matrices(path: str, arrays: Mapping[str, Any], which: str) -> tuple[Vectors, Vectors]:
    for name in ("train", which):
        require_matrix(arrays[name], name, path)
    base, queries = _float32(path, arrays["train"]), _float32(path, arrays[which])
    if base.shape[1] != queries.shape[1]:
        raise ArgumentError(f"{path}: expected {which} of {base.shape[1]} dimensions; received {queries.shape[1]}")
    return base, queries


def _are_rows(ids: Any, queries: Rows | None, count: int) -> bool:
    return bool(
        queries is not None
        and ids.ndim == 2
        and len(ids) == len(queries)
        and ids.size
        and ids.dtype.kind in "iu"
        and ids.min() >= 0
        and ids.max() < count
    )


def _distance(path: str, told: str | None) -> Distance | None:
    if told is None or told in DISTANCES:
        return None if told is None else DISTANCES[told]
    raise ArgumentError(
        f"{path}: its distance is {told}; expected cosine or euclidean, by which vectors are compared here"
    )


def _float32(path: str, vectors: Any) -> Vectors:
    with np.errstate(over="ignore"):
        single: Vectors = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(single).all():
        raise ArgumentError(f"{path}: expected numbers that float32 can hold; received larger ones, NaN or inf")
    return single


def _held_out(
    given: Given, count: int, k: int, seed: int, asked: bool
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows of the base and of the queries, in order."""
    there = len(given.vectors)
    some = count if asked else min(count, there // 10)
    if some < 1 or there - some < k:
        raise ArgumentError(
            f"{given.name}: expected more than {there:,} {noun(given.distance)}, to hold out {max(some, 1):,} as "
            f"queries and to find {k} neighbours among the rest; pass fewer queries, or a smaller k"
        )
    out = np.zeros(there, bool)
    out[np.random.default_rng(seed).choice(there, some, replace=False)] = True
    return np.flatnonzero(~out), np.flatnonzero(out)


def _unit(name: str, vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if zeros := int(np.count_nonzero(lengths == 0)):
        raise ArgumentError(
            f"{name}: {zeros:,} of the vectors are zero, which has no direction; "
            "leave them out, or pass --metric euclidean"
        )
    return np.asarray(vectors / lengths, np.float32)


def _are_nearest(base: Rows, queries: Rows, distance: Distance, neighbors: Ids, k: int) -> bool:
    """Whether they are enough, and those of the first queries the nearest indeed."""
    if neighbors.shape[1] < k:
        return False
    some = queries[:CHECKED]
    exact, _ = exact_neighbors(base, some, distance, k)
    return recall(base, some, distance, exact, neighbors[:CHECKED, :k]) == 1


def _remembered(base: Rows, queries: Rows, distance: Distance, k: int, kept: str, progress: Progress | None) -> Ids:
    key = fingerprint(Dataset("", distance, base, Queries(queries, np.empty((0, 0), np.int64), np.empty((0, 0)))))
    if os.path.exists(kept):
        try:
            with np.load(kept, allow_pickle=False) as file:
                if str(file["key"]) == f"{key} {k}":
                    return np.asarray(file["neighbors"], np.int64)
        except (OSError, ValueError, KeyError, BadZipFile):
            pass  # what is damaged is found anew, and replaced
    told = None if progress is None else lambda done: progress(done, len(queries))
    neighbors, _ = exact_neighbors(base, queries, distance, k, told)
    with draft(kept) as beside:
        with open(beside, "wb") as stream:
            np.savez(stream, key=np.array(f"{key} {k}"), neighbors=neighbors)
        put(beside, kept)
    return neighbors
