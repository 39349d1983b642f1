"""A collection's vectors, and what they are called, out into a file of vectors."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.collection.sealed.segments import cure_of
from lookalike.collection.sync.report import Progress
from lookalike.errors import ArgumentError
from lookalike.facts import Facts
from lookalike.facts.fact import MOST_BYTES
from lookalike.index import Reader
from lookalike.vectors.limits import ROWS, rows_at_most

ID = "id"
"""The column of ids, unless a fact is called so."""

Chunk = tuple[list[str], NDArray[np.float32]] | tuple[list[str], NDArray[np.float32], list[Facts]]


def require_outside(place: Place, path: str) -> None:
    """ArgumentError for a file in the collection directory, which holds nothing but the collection."""
    if os.path.realpath(path).startswith(os.path.realpath(place.directory) + os.sep):
        raise ArgumentError(f"expected a file outside {place.directory}, received {path}; name another")


def chunks(
    place: Place,
    catalogue: Catalogue,
    index: Reader,
    about: About,
    ids: NDArray[np.int64],
    with_facts: bool,
    progress: Progress | None,
) -> Iterator[Chunk]:
    """Names and vectors of the items with these ids, and perhaps what is known of each, as `write_vectors` takes them.

    What the file of an item says, such as its size, is left out: as a fact that was given it would outlive the file.

    Raises:
        DamagedError: the collection is.
    """
    step = rows_at_most(about.dim * 4 + (MOST_BYTES if with_facts else 0), ROWS)
    for start in range(0, len(ids), step):
        if progress:
            progress(start, len(ids))
        some = ids[start : start + step]
        names = [place.absolute(item.path) for item in catalogue.among(some)]
        with cure_of(place):
            vectors = np.stack([index[item_id] for item_id in some.tolist()])
        if with_facts:
            known = catalogue.metadata.facts_among(some, about.generation)
            yield names, vectors, [{ID: item_id} | known.get(item_id, {}) for item_id in some.tolist()]
        else:
            yield names, vectors
    if progress:
        progress(len(ids), len(ids))
