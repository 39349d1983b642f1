"""Nearest neighbours among vectors: the public face of the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.arrays import as_count, as_ids
from lookalike.errors import ArgumentError
from lookalike.index.arguments import as_path, as_target
from lookalike.index.family import Family, most_tables
from lookalike.index.reader import Reader
from lookalike.index.snapshot import Snapshot
from lookalike.index.store import Store, store_number
from lookalike.metric import Metric, metric_number


class Index(Reader):
    """Vectors with ids, and the nearest of them to a query.

        >>> import numpy as np
        >>> index = Index(dim=3, metric="euclidean")
        >>> index.add(np.eye(3))
        array([0, 1, 2])
        >>> ids, distances = index.search([1.0, 0.1, 0.0], k=2)
        >>> ids
        array([0, 1])

    A few thousand vectors are compared with the query one by one. More are sealed into buckets in the background: the
    buckets near a query are scanned by sketch, the best candidates compared exactly (docs/engine.md). What was just
    added is searched like all else. Vectors are accepted as lists, NumPy arrays of any real dtype, or sparse matrices.
    Safe from many threads; the GIL is released. After `optimize` the same vectors, arguments and seed give the same
    answers and files, for any number of threads.

    Args:
        dim: dimensions of every vector.
        metric: "cosine", "euclidean", "sqeuclidean", "dot" or "hamming"; smaller distances are closer.
        seed: of everything drawn at random.
        family: what sends vectors to buckets. "spheres" are learned from the data and by far the fastest;
            "hyperplanes" and "cross_polytope" are drawn at random and need no training.
        tables: in how many buckets each vector lies: 1 unless you say more, up to 256, and always 1 for spheres. Each
            further one takes as much memory as all the sketches of the first.
        buckets: how many for each table; by default as many as suit the number of vectors, and none below 4,096.
        store: "float32" keeps vectors as they are given. "float16" rounds them, once, and takes half the memory;
            distances are exact for what `index[id]` then returns. "none" keeps 8 bits a dimension, rounded once under
            a rotation: distances are estimates (of cosines of word vectors, off by 0.0005 rms and 0.002 at most),
            the true neighbours are those by estimate, and there is no `index[id]`. Under hamming vectors are always
            "bits", packed by `np.packbits`: uint8, 1 bit a dimension.
    """

    _core: _core.Index

    def __init__(
        self,
        dim: int,
        metric: Metric = "cosine",
        *,
        seed: int = 0,
        family: Family = "spheres",
        tables: int | None = None,
        buckets: int | None = None,
        store: Store | None = None,
    ) -> None:
        number, most = metric_number(metric), most_tables(family)
        if metric == "hamming" and as_count("dim", dim, 1) % 8 != 0:
            raise ArgumentError(f"dim is {dim}; expected a multiple of 8, as hamming takes whole bytes of bits")
        self._core = _core.Index(
            as_count("dim", dim, 1, 2**20 - 1),
            number,
            as_count("seed", seed, 0, 2**64 - 1),
            0 if buckets is None else as_count("buckets", buckets, 1, 2**24),
            store_number(store, metric),
            family,
            0 if tables is None else as_count("tables", tables, 1, most),
        )

    def add(self, vectors: Any, ids: ArrayLike | None = None, *, overwrite: bool = False) -> NDArray[np.int64]:
        """Adds vectors; they are found by every search that begins after this returns.

        Args:
            vectors: (n, dim), or (dim,) for one; under hamming uint8 of dim / 8 bytes.
            ids: n different integers from 0 to 2^63 − 1; by default those that follow the largest one ever used.
            overwrite: replace the vectors of ids that are in the index already.

        Returns:
            The ids, int64 (n,).

        Raises:
            VectorError: NaN, inf, another shape or dtype, a norm above 3e18, one of 0 or below 1e-15 under cosine; or
                the first vectors of an index all have norms below 1e-18. Nothing is added then.
            IdError: an id is negative, given twice, or (without overwrite) in the index already. Nothing is added.
        """
        array, _ = self._given(vectors)
        taken = self._core.add(array, None if ids is None else as_ids(ids, len(array)), bool(overwrite))
        return taken.view(np.int64)  # of the engine's long long, which NumPy prints differently

    def remove(self, ids: ArrayLike) -> None:
        """Removes vectors by id. IdError, and nothing is removed, if one of them is not in the index."""
        self._core.remove(as_ids(ids))

    def tune(self, queries: Any) -> None:
        """Measures the recall with queries of yours, so that `recall=` is honoured for such as these.

        At sealing it is measured with stored vectors that were held out, and a query goes the farther the less it is
        like them. Yours, such as words beside pictures, may still need another measure. Holds until vectors are sealed
        anew, and is saved.

        Args:
            queries: (n, dim), better a thousand than ten; each is compared with every vector.

        Raises:
            VectorError: as for `search`.
            ArgumentError: there are none.
        """
        given, _ = self._given(queries)
        self._core.tune(given, 0)

    def optimize(self) -> None:
        """Seals everything into one segment, and forgets what was removed. Searches and changes go on meanwhile."""
        self._core.optimize(0)

    def save(
        self, path: str | os.PathLike[str], *, note: Mapping[str, str] | None = None, little_memory: bool = False
    ) -> None:
        """Seals the index and writes it to one file: afterwards the path holds the old file or the whole new one.

        Args:
            path: a file; one that is there is replaced, through a link the one it leads to.
            note: text to keep beside the vectors; by default the note that the index has.
            little_memory: what is sealed on the way passes through unnamed files beside `path`, which need about four
                times the room of the vectors, not through memory. Searching this index is slower afterwards: open
                the new file.

        Raises:
            WriteError: no permission, no such folder, disk full; a device or pipe is at the path.
            ArgumentError: the note holds something else than text.
            DamagedError: a block of the file that the index was opened from is damaged; it is not passed on.
        """
        kept = self.note if note is None else note
        if not isinstance(kept, Mapping):
            raise ArgumentError(f"note is {note!r:.80}; expected text by name")
        for name, value in kept.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise ArgumentError(f"the note holds {name!r}: {value!r}; expected text for each name")
        self._core.save(as_target(path), json.dumps(dict(kept), sort_keys=True).encode(), bool(little_memory))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *more: str | os.PathLike[str], beside: Index | None = None) -> Index:
        """Opens what `save` wrote, memory-mapped: vectors are read, and their checksums verified, when first used.

        Args:
            path: a file.
            more: files with further vectors, of other ids; the dim, metric, store, seed and note are the same.
            beside: an index that was opened from some of these files: they are shared with it, not opened again. What
                was removed from it is in this one; what was added to it and not saved is not.

        Raises:
            ArgumentError: the files are not of one index, or an id is in two of them; `beside` is no index.
            NotAnIndexError: there is no file, or it is not one of ours, or of a newer version.
            ReadError: it is there, but may not be read, or too many files are open.
            DamagedError: the file is truncated or altered. A search raises it too, when it first meets a damaged block.
        """
        if beside is not None and not isinstance(beside, Index):
            raise ArgumentError(f"beside is {beside!r}; expected an index that was opened, or None")
        index = cls.__new__(cls)
        paths = [as_path(each) for each in (path, *more)]
        index._core = _core.Index.open(paths, None if beside is None else beside._core)
        return index

    @classmethod
    def salvage(cls, path: str | os.PathLike[str]) -> tuple[Index, int]:
        """What is left of a damaged file that `save` wrote, and how many vectors are lost.

        Every vector is kept whose bytes, and those of its id, lie in blocks (64 KiB) that are as they were written.
        Where vectors take at least 800 bytes each, the ids are in the file twice, at both ends.

            >>> index, lost = Index.salvage("my.index")  # doctest: +SKIP
            >>> index.save("mended.index")  # doctest: +SKIP

        Raises:
            NotAnIndexError: there is no file, or it is not one of ours, or of a newer version.
            DamagedError: it is truncated, or what says how to read it is damaged.
        """
        index = cls.__new__(cls)
        index._core, lost = _core.Index.salvage(as_path(path))
        return index, lost

    def snapshot(self) -> Snapshot:
        """What there is now, to be searched as the index is, and not to be changed.

        >>> before = index.snapshot()  # doctest: +SKIP
        >>> index.remove(before.search(query).ids)  # doctest: +SKIP
        >>> before.search(query)  # doctest: +SKIP
        """
        return Snapshot(self._core.snapshot())


os.register_at_fork(
    before=_core.before_fork,
    after_in_parent=_core.after_fork_in_parent,
    after_in_child=_core.after_fork_in_child,
)
