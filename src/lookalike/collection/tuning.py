"""The recall of a collection, measured with queries of those who search it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.arrays import as_bits, as_vectors
from lookalike.collection.access import Access
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.examples import Examples
from lookalike.collection.query import Query
from lookalike.collection.sealed.tune import tunable, tune
from lookalike.collection.sync.report import Failure, Progress
from lookalike.collection.worded import words_for
from lookalike.errors import ArgumentError
from lookalike.index import Reader


@dataclass(frozen=True)
class Tuned:
    """What `Collection.tune` did.

    Attributes:
        queries: with so many the recall was measured.
        vectors: of searches among so many; 0 where every search compares all vectors.
        failed: pictures that could not be read, which were left out.
    """

    queries: int
    vectors: int
    failed: list[Failure]


def as_queries(given: Any) -> NDArray[Any] | list[Query]:
    """Vectors (n, dim), or what each query says.

    Raises:
        ArgumentError: there are none, or one says nothing; PictureError: a stream that gives no picture.
    """
    is_one = isinstance(given, str | bytes | os.PathLike | Query) or hasattr(given, "read")
    if is_one or not (hasattr(given, "shape") or isinstance(given, Iterable)):
        return [Query.of(given)]
    is_array = hasattr(given, "shape")
    queries: NDArray[Any] | list[Query] = given if is_array else [Query.of(each) for each in given]
    if 0 in given.shape[:1] if is_array else not queries:
        raise ArgumentError("tune needs queries, received none; give at least one, better a thousand")
    return queries


def measure(
    access: Access, catalogue: Catalogue, queries: NDArray[Any] | Sequence[Query], progress: Progress | None
) -> Tuned:
    """What `Collection.tune` does, by the writer."""
    files = tunable(catalogue)
    at = pictures = 0

    def tell(done: int, total: int) -> None:
        nonlocal at, pictures
        at, pictures = done, total
        if progress:
            progress(done, total + len(files))

    vectors, failed = _vectors(access, queries, tell)
    if files:
        tune(access.place, catalogue, vectors, lambda: tell(at + 1, pictures))
    return Tuned(len(vectors), sum(files.values()), failed)


def _vectors(
    access: Access, queries: NDArray[Any] | Sequence[Query], progress: Progress
) -> tuple[NDArray[Any], list[Failure]]:
    """The vectors of those queries that have one, and what could not be read."""
    if not isinstance(queries, Sequence):
        with access.reading() as about:
            return (as_bits if about.metric == "hamming" else as_vectors)(queries, about.dim)[0], []
    for query in queries:
        if words_for(query, access.model):
            raise ArgumentError(
                f"expected queries that become vectors, received words for the model {access.model.name}: with these "
                "every picture is compared; leave them out"
            )
    with Examples(access) as examples:
        errors = examples.prepare_all(queries, progress)
        good = [query for query, error in zip(queries, errors, strict=True) if error is None]
        bad = [error for error in errors if error is not None]
        if not good:
            raise bad[0]

        def see(index: Reader) -> NDArray[Any]:
            return np.stack([examples.see(query, index).vector for query in good])

        return access.with_index(see), [Failure(error.path, error.reason) for error in bad]
