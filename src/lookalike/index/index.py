"""Nearest neighbours among vectors: the public face of the engine."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.arrays import as_count, as_ids, as_vectors
from lookalike.errors import ArgumentError, IdError, NotAnIndexError
from lookalike.index.neighbors import Neighbors
from lookalike.metric import METRICS, Metric, metric_number

DEFAULT_RECALL = 0.95
MOST_NEIGHBORS = 2**24  # of one query: their places are made whether they can be filled or not


class Index:
    """Vectors with ids, and the nearest of them to a query.

        >>> import numpy as np
        >>> index = Index(dim=3, metric="euclidean")
        >>> index.add(np.eye(3))
        array([0, 1, 2])
        >>> ids, distances = index.search([1.0, 0.1, 0.0], k=2)
        >>> ids
        array([0, 1])

    A few thousand vectors are compared with the query one by one. More are sealed into hash tables: random
    hyperplanes, buckets visited by smallest margin, candidates compared exactly. What was just added is always
    found. Vectors are accepted as lists, NumPy arrays of any real dtype, or sparse matrices, and kept as float32.
    Safe from many threads; the GIL is released. The same vectors, arguments and seed give the same answers and
    files for any number of threads.

    Args:
        dim: dimensions of every vector.
        metric: "cosine", "euclidean", "sqeuclidean" or "dot"; smaller distances are closer.
        seed: of the hash family.
        tables: hash tables, 1 to 256; by default 8, and none below 4,096 vectors. Together they may have 2^27
            buckets.
        bits: bits of each table's code, 1 to 24; by default so many that a bucket holds about 8 vectors.
    """

    def __init__(
        self,
        dim: int,
        metric: Metric = "cosine",
        *,
        seed: int = 0,
        tables: int | None = None,
        bits: int | None = None,
    ) -> None:
        self._core = _core.Index(
            as_count("dim", dim, 1, 2**20 - 1),
            metric_number(metric),
            as_count("seed", seed, 0, 2**64 - 1),
            0 if tables is None else as_count("tables", tables, 1, _core.MAX_TABLES),
            0 if bits is None else as_count("bits", bits, 1, _core.MAX_BITS),
        )

    @property
    def dim(self) -> int:
        """Dimensions of every vector."""
        return self._core.dim

    @property
    def metric(self) -> Metric:
        """What a distance means here."""
        return METRICS[self._core.metric]

    @property
    def ids(self) -> NDArray[np.int64]:
        """All ids, in the order in which they were added."""
        return self._core.ids().view(np.int64)

    @property
    def note(self) -> dict[str, str]:
        """What the last `save` wrote beside the vectors, such as the name of a model.

        Raises NotAnIndexError for a file whose note is none of `save`.
        """
        if not (text := self._core.note):
            return {}
        try:
            note = json.loads(text)
        except (ValueError, RecursionError):
            note = None
        if not (isinstance(note, dict) and all(isinstance(value, str) for value in note.values())):
            raise NotAnIndexError("the index's note is not a JSON object of texts; it was not written by Index.save")
        return note

    def add(self, vectors: Any, ids: ArrayLike | None = None, *, overwrite: bool = False) -> NDArray[np.int64]:
        """Adds vectors; they are found by every search that begins after this returns.

        Args:
            vectors: (n, dim), or (dim,) for one.
            ids: n different integers from 0 to 2^63 − 1; by default those that follow the largest one ever used.
            overwrite: replace the vectors of ids that are in the index already.

        Returns:
            The ids, int64 (n,).

        Raises:
            VectorError: NaN, inf, another shape or dtype, a zero vector under cosine. Nothing is added then.
            IdError: an id is negative, given twice, or (without overwrite) in the index already. Nothing is added.
        """
        array, _ = as_vectors(vectors, self.dim)
        taken = self._core.add(array, None if ids is None else as_ids(ids, len(array)), bool(overwrite))
        return taken.view(np.int64)  # of the engine's long long, which NumPy prints differently

    def remove(self, ids: ArrayLike) -> None:
        """Removes vectors by id. IdError, and nothing is removed, if one of them is not in the index."""
        self._core.remove(as_ids(ids))

    def search(
        self,
        query: Any,
        k: SupportsIndex = 10,
        *,
        recall: float | None = None,
        probes: SupportsIndex | None = None,
        exact: bool = False,
        max_distance: float | None = None,
        threads: SupportsIndex = 0,
    ) -> Neighbors:
        """The k nearest neighbours of a query, or of each query of a batch.

        Args:
            query: (dim,) for one query, (n, dim) for a batch.
            k: how many, up to 2^24; where the index holds fewer, the rest is padded with id −1 at distance inf.
            recall: the share of the true neighbours to be found on average, in (0, 1]; 0.95 by default. The
                number of probes follows from what was measured at sealing, for this k, with stored vectors as
                queries: others may find less. Beyond k = 100 every vector is compared.
            probes: buckets to visit, for those who would rather set that.
            exact: compare the query with every vector.
            max_distance: leave out neighbours farther away than this.
            threads: for a batch; 0 for one on each core. One query runs on one thread.

        Raises:
            VectorError: NaN, inf, another shape or dtype, a zero vector under cosine.
            ArgumentError: k < 1, recall outside (0, 1], more than one of recall, probes and exact.
        """
        if bool(exact) + (recall is not None) + (probes is not None) > 1:
            raise ArgumentError("recall, probes and exact each say how far to look; expected only one of them")
        wanted = DEFAULT_RECALL if recall is None else _number("recall", recall)
        if not 0.0 < wanted <= 1.0:
            raise ArgumentError(f"recall is {recall}; expected more than 0 and at most 1")
        queries, single = as_vectors(query, self.dim)
        ids, distances, candidates, expected = self._core.search(
            queries,
            as_count("k", k, 1, MOST_NEIGHBORS),
            wanted,
            0 if probes is None else as_count("probes", probes, 1),
            bool(exact) or wanted == 1.0,
            math.inf if max_distance is None else _number("max_distance", max_distance),
            as_count("threads", threads, 0, 1024),
        )
        ids = ids.view(np.int64)
        if single:
            return Neighbors(ids[0], distances[0], expected, candidates[0])
        return Neighbors(ids, distances, expected, candidates)

    def neighbors_of(self, id: SupportsIndex, k: SupportsIndex = 10, **options: Any) -> Neighbors:
        """The k nearest neighbours of a stored vector, without itself; options and errors as for `search`.

        IdError if the id is not in the index.
        """
        count = as_count("k", k, 1, MOST_NEIGHBORS - 1)
        found = self.search(self[id], count + 1, **options)
        others = np.flatnonzero(found.ids != int(id))[:count]
        return Neighbors(found.ids[others], found.distances[others], found.recall, found.candidates)

    def optimize(self) -> None:
        """Brings what was added since the last sealing into the hash tables, and forgets what was removed."""
        self._core.optimize(0)

    def save(self, path: str | os.PathLike[str], *, note: Mapping[str, str] | None = None) -> None:
        """Seals the index and writes it to one file: afterwards the path holds the old file or the whole new one.

        Args:
            path: a file; one that is there is replaced.
            note: text to keep beside the vectors; by default the note that the index has.

        Raises:
            WriteError: no permission, no such folder, disk full.
            ArgumentError: the note holds something else than text.
            DamagedError: a block of the file that the index was opened from is damaged; it is not passed on.
        """
        kept = self.note if note is None else dict(note)
        for name, value in kept.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise ArgumentError(f"the note holds {name!r}: {value!r}; expected text for each name")
        self._core.save(_encoded(path), json.dumps(kept, sort_keys=True).encode())

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Index:
        """Opens what `save` wrote, memory-mapped: vectors are read, and their checksums verified, when first used.

        Raises:
            NotAnIndexError: there is no file, or it is not one of ours, or of a newer version.
            DamagedError: the file is truncated or altered. A search raises it too, when it first meets a damaged block.
        """
        index = cls.__new__(cls)
        index._core = _core.Index.open(_encoded(path))
        return index

    def __len__(self) -> int:
        return len(self._core)

    def __iter__(self) -> Iterator[int]:
        """The ids, as `ids` gives them."""
        return iter(self.ids.tolist())

    def __contains__(self, id: object) -> bool:
        try:
            number = as_count("id", id, 0, 2**63 - 1)  # type: ignore[arg-type]  # anything may be asked
        except ArgumentError:
            return False
        return number in self._core

    def __getitem__(self, id: SupportsIndex) -> NDArray[np.float32]:
        """The vector of an id, (dim,), as it was added. IdError if the id is not in the index."""
        try:
            return self._core.vector(as_count("id", id, 0, 2**63 - 1))
        except ArgumentError as error:
            raise IdError(str(error)) from None

    def __repr__(self) -> str:
        way = f"{self._core.tables} tables of {self._core.bits} bits" if self._core.tables else "scanned exactly"
        return f"Index(dim={self.dim}, metric={self.metric!r}): {len(self):,} vectors, {way}"


def _encoded(path: str | os.PathLike[str]) -> bytes:
    encoded = os.fsencode(path)
    if b"\0" in encoded:  # the engine would take it for the end of the name
        raise ArgumentError(f"the path {path!r} holds a NUL character; no file can have that name")
    return encoded


def _number(name: str, value: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name} is {value!r}; expected a number") from None
    if math.isnan(number):
        raise ArgumentError(f"{name} is NaN; expected a number")
    return number
