"""What can be asked of an index, or of a snapshot of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from lookalike import _core
from lookalike._core import MOST_NEIGHBORS, MOST_THREADS
from lookalike._core import Filter as CoreFilter
from lookalike.arrays import as_bits, as_count, as_ids, as_vectors
from lookalike.errors import ArgumentError, IdError, NotAnIndexError, VectorError
from lookalike.index.arguments import (
    DEFAULT_RECALL,
    as_number,
    as_timeout,
    how_far,
    largest_distance,
    recall_with_itself,
    recall_without_itself,
)
from lookalike.index.explanation import Explanation
from lookalike.index.filter import Filter, Which
from lookalike.index.neighbors import Neighbors
from lookalike.index.store import STORES, Store
from lookalike.index.within import Within
from lookalike.metric import METRICS, Metric


class Reader:
    """Vectors with ids, and the nearest of them to a query; safe from many threads.

    Each call reads one state of the index, whatever others change meanwhile, and waits for nobody.
    """

    _core: _core.Reader

    @property
    def dim(self) -> int:
        """Dimensions of every vector."""
        return self._core.dim

    @property
    def metric(self) -> Metric:
        """What a distance means here."""
        return METRICS[self._core.metric]

    @property
    def store(self) -> Store:
        """How the vectors are kept."""
        return STORES[self._core.store]

    @property
    def ids(self) -> NDArray[np.int64]:
        """All ids, ascending."""
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

    def search(
        self,
        query: Any,
        k: SupportsIndex = 10,
        *,
        recall: float | None = None,
        probes: SupportsIndex | None = None,
        rerank: SupportsIndex | None = None,
        filter: Which | None = None,
        exact: bool = False,
        max_distance: float | None = None,
        threads: SupportsIndex = 0,
        timeout: float | None = None,
    ) -> Neighbors:
        """The k nearest neighbours of a query, or of each query of a batch.

        Args:
            query: (dim,) for one query, (n, dim) for a batch.
            k: how many, up to 2^24; where the index holds fewer, the rest is padded with id −1 at distance inf.
            recall: the share of the true neighbours to be found on average, in (0, 1]; 0.95 by default. How far each
                query goes follows from what was measured at sealing, for this k, with stored vectors as queries and
                with such as nothing stored is like: up to k = 10,000, or a tenth of the vectors (rounded down to 100,
                300, 1,000 or 3,000). Up to ten times as many neighbours it goes farther the more they are; beyond, or
                where that takes longer, every vector is compared.
            probes: buckets to visit, for those who would rather set that; all are compared where there are no more.
            rerank: with probes, how many of the best sketches to look at more closely.
            filter: which ids may be found: ids, or a mask of bool for `index.ids`, or a function of these; made by
                `index.filter` if it is for many searches. The recall is kept; where few may be found they are all
                compared.
            exact: compare the query with every vector.
            max_distance: leave out neighbours farther away than this.
            threads: 0 for one on each core. They share a batch by queries, and few queries that are compared with
                every vector of many by vectors; a query that visits buckets runs on one.
            timeout: seconds after which the search gives up; by default it takes as long as it takes.

        Raises:
            VectorError: NaN, inf, another shape or dtype, a zero vector under cosine.
            ArgumentError: k < 1, recall outside (0, 1], more than one of recall, probes and exact; timeout <= 0.
            SearchTimeoutError: its time was over, and nothing is answered.
        """
        plain = exact is False and probes is None and rerank is None
        if plain and filter is None and max_distance is None and timeout is None:
            wanted = DEFAULT_RECALL if recall is None else recall
            if (found := self._core.search_plainly(Neighbors, query, k, wanted, threads)) is not None:
                return found
        queries, single = self._given(query)
        return self._core.search(
            Neighbors,
            queries,
            single,
            as_count("k", k, 1, MOST_NEIGHBORS),
            *how_far(recall, probes, rerank, exact),
            largest_distance(max_distance),
            as_count("threads", threads, 0, MOST_THREADS),
            self._only(filter),
            as_timeout(timeout),
        )

    def explain(
        self,
        query: Any,
        k: SupportsIndex = 10,
        *,
        id: SupportsIndex | None = None,
        recall: float | None = None,
        probes: SupportsIndex | None = None,
        rerank: SupportsIndex | None = None,
        filter: Which | None = None,
        exact: bool = False,
        max_distance: float | None = None,
        radius: float | None = None,
    ) -> Explanation:
        """What each stage of a search of one query does and how long it takes; print it.

        Where every vector was compared for the recall, or less is said than was asked for, the last sentence says why.

        Args:
            query: (dim,).
            id: whether this one is found, and if not, at which stage it was left behind.
            k, recall, probes, rerank, filter, exact, max_distance: as for `search`, and so are the errors.
            radius: explains `range_search` instead; only `filter` and `exact` go with it.
        """
        queries, single = self._given(query)
        if not single:
            raise VectorError(f"expected one query of shape ({self.dim},), got {len(queries)}; explain them one by one")
        if radius is not None:
            if any(each is not None for each in (id, recall, probes, rerank, max_distance)):
                raise ArgumentError("radius explains range_search: expected only filter and exact beside it")
            told = self._core.explain_range(queries, as_number("radius", radius), bool(exact), self._only(filter))
            return Explanation.of_range(*told)
        count = as_count("k", k, 1, MOST_NEIGHBORS)
        far = how_far(recall, probes, rerank, exact)
        found = self._core.explain(
            queries,
            count,
            *far,
            largest_distance(max_distance),
            self._only(filter),
            None if id is None else as_count("id", id, 0, 2**63 - 1),
        )
        asked, visited, _, whole = far
        by_recall = not (visited or whole)
        return Explanation.of(count, None if id is None else int(id), asked if by_recall else None, *found)

    def range_search(
        self,
        query: Any,
        radius: float,
        *,
        filter: Which | None = None,
        exact: bool = False,
        threads: SupportsIndex = 0,
        timeout: float | None = None,
    ) -> Within:
        """All neighbours within a distance of a query, or of each query of a batch; one query is a batch of one.

        Buckets too far away are passed over (triangle inequality), sketches tell which of the other vectors may be
        near enough, exact distances decide. A vector is missed where its sketch errs by more than four standard
        errors, 1 in 15,000; with `exact` none is.

            >>> starts, ids = found.starts, found.ids  # doctest: +SKIP
            >>> for ids, distances in found: ...  # doctest: +SKIP

        Args:
            query: (dim,) for one query, (n, dim) for a batch.
            radius: the largest distance that counts, in the index's metric.
            filter: as for `search`.
            exact: compare the query with every vector.
            threads: for a batch; 0 for one on each core.
            timeout: as for `search`.

        Raises:
            VectorError, ArgumentError, SearchTimeoutError: as `search` does.
        """
        queries, _ = self._given(query)
        starts, ids, distances = self._core.range_search(
            queries,
            as_number("radius", radius),
            bool(exact),
            as_count("threads", threads, 0, MOST_THREADS),
            self._only(filter),
            as_timeout(timeout),
        )
        return Within(starts.view(np.int64), ids.view(np.int64), distances)

    def neighbors_of(self, id: SupportsIndex, k: SupportsIndex = 10, **options: Any) -> Neighbors:
        """The k nearest neighbours of a stored vector, without itself; options and errors as for `search`.

        The recall, too, is that of the others.

        IdError if the id is not in the index.
        """
        count = as_count("k", k, 1, MOST_NEIGHBORS - 1)
        recall = options.get("recall", DEFAULT_RECALL if options.keys().isdisjoint(("probes", "exact")) else None)
        if isinstance(recall, float) and 0 < recall <= 1:
            options["recall"] = recall_with_itself(recall, count)
        found = self.search(self._stored(id), count + 1, **options)
        others = np.flatnonzero(found.ids != int(id))[:count]
        said = float(found.recall)
        if int(id) in found.ids:
            said = recall_without_itself(said, count)
        return Neighbors(found.ids[others], found.distances[others], said, found.candidates)

    def verify(self) -> None:
        """Reads every byte of the files that the index was opened from, and compares them with their checksums.

        Raises:
            DamagedError: a block is not as it was written; `Index.salvage` gives what is left.
        """
        self._core.verify()

    def filter(self, which: Which) -> Filter:
        """What many searches are to take for their `filter`: made once, it costs the first of them time, others little.

            >>> even = index.filter(lambda ids: ids % 2 == 0)  # doctest: +SKIP
            >>> for query in queries:  # doctest: +SKIP
            ...     index.search(query, filter=even)

        Args:
            which: ids, those of no vector are passed over; or a mask of bool for `index.ids`; or a function of these,
                which is asked once, about the ids there are now. What is added later is not in it.

        Raises:
            IdError: ids of another dtype or shape.
            ArgumentError: a mask of another shape; a function gave something else than a mask.
        """
        if isinstance(which, Filter):
            return which
        function = which if callable(which) else None
        if function is None and (given := np.asanyarray(which)).dtype != np.bool_:
            return Filter(as_ids(given))
        ids = self.ids  # once: others may add and remove meanwhile
        mask = np.asanyarray(given if function is None else function(ids))
        if hasattr(mask, "filled"):
            raise ArgumentError("expected a plain filter, got a masked array; let its gaps be False")
        if mask.dtype != np.bool_ or mask.shape != ids.shape:
            raise ArgumentError(
                f"the filter gave dtype {mask.dtype}, shape {mask.shape}; expected ids, or one bool for each of the "
                f"{len(ids)} ids of index.ids"
            )
        return Filter(ids[mask])

    def _only(self, filter: Which | None) -> CoreFilter | None:
        """A filter as the engine takes it."""
        return None if filter is None else self.filter(filter)._core

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

    def __getitem__(self, id: SupportsIndex) -> NDArray[Any]:
        """The vector of an id: float32 (dim,), or uint8 (dim / 8,) under hamming.

        As it was added, but for the one rounding of float16. IdError if the id is not in the index, ArgumentError
        if the index keeps no vectors.
        """
        if self.store == "none":
            raise ArgumentError('this index has store="none": it keeps no vectors, only what estimates distances')
        return self._stored(id)

    def _stored(self, id: SupportsIndex) -> NDArray[Any]:
        """What is kept of a vector, in the form in which it was added."""
        try:
            vector = self._core.vector(as_count("id", id, 0, 2**63 - 1))
        except ArgumentError as error:
            raise IdError(str(error)) from None
        return np.packbits(vector > 0) if self.metric == "hamming" else vector

    def _given(self, vectors: Any) -> tuple[NDArray[np.float32] | NDArray[np.uint8], bool]:
        """Vectors as the engine takes them, and whether there was just one."""
        return as_bits(vectors, self.dim) if self.metric == "hamming" else as_vectors(vectors, self.dim)

    def __repr__(self) -> str:
        way = f"{self._core.buckets:,} buckets" if self._core.buckets else "compared one by one"
        return f"{type(self).__name__}(dim={self.dim}, metric={self.metric!r}): {len(self):,} vectors, {way}"
