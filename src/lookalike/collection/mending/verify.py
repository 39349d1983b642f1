"""Every byte and every reference of a collection, looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.collection.sealed.segments import bare, require_as_named
from lookalike.collection.sync.report import Progress
from lookalike.errors import DamagedError, LookalikeError
from lookalike.index import Index


def verify(place: Place, catalogue: Catalogue, progress: Progress | None = None) -> list[str]:
    """What is wrong with a collection, a sentence each; nothing where all is well.

    Every row of the catalogue and every byte of each segment file is compared with its checksum; and the vectors
    are compared with the pictures: each has one, each is of one.

    Args:
        progress: called with (done, total), in items of the catalogue and vectors of the segments.
    """
    if catalogue.refuses_writing():
        return [str(catalogue.damaged("a header by which it is read-only"))]
    while True:
        with catalogue.reading() as about:
            found = _problems(place, catalogue, about, progress)
        if not found or catalogue.about().generation == about.generation:
            return found  # else a writer had swept what the snapshot named


def _problems(place: Place, catalogue: Catalogue, about: About, progress: Progress | None) -> list[str]:
    advance = _advance(catalogue, progress)
    found = catalogue.problems(advance)
    if not found:
        names, coming = catalogue.segments(), catalogue.next.segments()
        vectors = [catalogue.pending_ids()]
        for name, count in (names | coming).items():
            try:
                if name in names:
                    vectors.append(verify_segment(place, about, name, count, catalogue.files()))
                else:
                    verify_coming(place, catalogue, name, count)
            except LookalikeError as error:
                found.append(bare(error))
            advance(count)
        found = found or _unmatched(np.concatenate(vectors), catalogue)
        found += [
            f"{path} is not as it was written: it is there for the case that the catalogue is lost"
            for path in kept.damaged(place, names)
        ]
        if catalogue.untold.read():
            found.append("a repair was stopped before it told what it did and what was lost: the next one tells that")
    return found


def _advance(catalogue: Catalogue, progress: Progress | None) -> Callable[[int], None]:
    """What is called with the number of items or vectors that were read since."""
    if progress is None:
        return lambda _: None
    with suppress(DamagedError):  # which is found
        sealed = [*catalogue.segments().values(), *catalogue.next.segments().values()]
        total, done = catalogue.total("items")[0] + sum(sealed), 0

        def advance(read: int) -> None:
            nonlocal done
            done += read
            progress(done, total)

        advance(0)
        return advance
    return lambda _: None


def verify_coming(place: Place, catalogue: Catalogue, name: str, count: int) -> None:
    """As `verify_segment`, for a file of a change of the model that is under way; within `reading`."""
    model = catalogue.next.model()
    if model is None:
        raise catalogue.damaged("vectors for a change of the model, but no model")
    verify_segment(place, catalogue.about()._replace(**model._asdict()), name, count, catalogue.files())


def verify_segment(place: Place, about: About, name: str, count: int, named: set[str]) -> NDArray[np.int64]:
    """The ids in a segment file, of those that the catalogue has `named`, once every byte of it is verified.

    Raises:
        DamagedError, NotAnIndexError: it is damaged, missing, or not the one that the catalogue means.
    """
    require_as_named(place, name, named)
    path = os.path.join(place.segments, name)
    index = Index.open(path)
    index.verify()
    if (index.note.get("collection"), index.dim, index.metric) != (about.uuid, about.dim, about.metric):
        raise DamagedError(f"{path} is a segment of another collection")
    if len(index) != count:
        raise DamagedError(f"{path} holds {len(index):,} vectors, not the {count:,} of the catalogue")
    return index.ids


def _unmatched(vectors: NDArray[np.int64], catalogue: Catalogue) -> list[str]:
    found = []
    ids, times = np.unique(vectors, return_counts=True)
    if twice := int(np.sum(times > 1)):
        found.append(f"{twice:,} pictures have two vectors")
    indexed = catalogue.indexed()
    if both := len(np.intersect1d(catalogue.pending_ids(), catalogue.removed())):
        found.append(f"{both:,} vectors are pending and removed")
    if here := sum(catalogue.with_id(each.id) is not None for each in catalogue.absent.all()):
        found.append(f"pictures that are there and gone: {here:,}")
    living = np.setdiff1d(ids, catalogue.removed())
    if without := len(np.setdiff1d(indexed, living)):
        found.append(f"pictures without a vector: {without:,}")
    if loose := len(np.setdiff1d(living, indexed)):
        found.append(f"vectors of no picture: {loose:,}")
    return found
