"""The sealed vectors of a collection: one immutable file in `segments/`, named in the catalogue.

A seal writes a new file, whole or not at all, and then names it in one transaction that also drops the
pending vectors; a file that the catalogue does not name is an orphan.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lookalike.collection.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.collection.refused import names_in, refused
from lookalike.errors import DamagedError, NotAnIndexError
from lookalike.index import Index

STALE = 1 / 8  # of the sealed vectors: so many fresh or removed ones are worth a new segment

_NAME = re.compile(r"(\d{6,})\.segment")  # a temporary file adds to it


@contextmanager
def cure_of(place: Place) -> Iterator[None]:
    """Around the use of an index, whose blocks are verified when first touched: say how a collection goes on."""
    try:
        yield
    except (NotAnIndexError, DamagedError) as error:
        raise _damaged(place, str(error)) from error


def load(place: Place, catalogue: Catalogue, about: About) -> Index:
    """The index of all indexed items: the segment, the pending vectors, without what was removed.

    Raises:
        DamagedError: the segment is missing, damaged or another one, or an item has no vector.
    """
    index = open_segment(place, catalogue, about)
    with cure_of(place):
        sealed = set(index.ids.tolist())
    indexed = catalogue.indexed()
    ids, vectors = catalogue.pending()
    pending = set(ids.tolist())
    if (sealed & indexed) | pending != indexed or sealed & pending:
        raise _damaged(
            place, f"{len(sealed & indexed)} sealed and {len(pending)} pending vectors for {len(indexed)} pictures"
        )
    index.remove(sorted(sealed - indexed))
    index.add(vectors, ids)
    return index


def open_segment(place: Place, catalogue: Catalogue, about: About) -> Index:
    """The sealed vectors alone, mapped into memory; empty before the first seal."""
    for name, vectors in catalogue.segments().items():
        path = os.path.join(place.segments, name)
        with cure_of(place):
            index = Index.open(path)
            made_for = index.note.get("collection"), index.dim, index.metric
        if made_for != (about.uuid, about.dim, about.metric) or len(index) != vectors:
            raise _damaged(place, f"{path} is a segment of another collection")
        return index
    return Index(about.dim, about.metric)


def seal(place: Place, catalogue: Catalogue) -> None:
    """Write all vectors into a new segment when enough is fresh or removed; the writer does this.

    Raises:
        WriteError: no permission, or the disk is full; everything committed is still there.
    """
    with catalogue.reading() as about:
        segments, pending = catalogue.segments(), catalogue.pending_count()
        sealed = sum(segments.values())
        removed = sealed - (catalogue.count("indexed") - pending)
        if not pending + removed > sealed * STALE:
            return
        index = load(place, catalogue, about)
    name = f"{1 + max([0, *map(_number, [*segments, *names_in(place.segments)])]):06}.segment"
    with cure_of(place):
        index.save(os.path.join(place.segments, name), note={"collection": about.uuid})
    with catalogue.writing():
        catalogue.seal(name, len(index))
    catalogue.compact()
    sweep(place, catalogue)


def sweep(place: Place, catalogue: Catalogue) -> None:
    """Delete the segment files that the catalogue does not name; the writer does this.

    A reader that has one mapped keeps it; one that was about to open it starts again.
    """
    with catalogue.reading():
        named = catalogue.segments()
    for name in names_in(place.segments):
        if name not in named and _NAME.match(name):
            try:
                os.unlink(os.path.join(place.segments, name))
            except OSError as error:
                raise refused(place.segments, error) from error


def bytes_on_disk(place: Place) -> int:
    """The size of all files of a collection."""
    sealed = [os.path.join(place.segments, name) for name in names_in(place.segments)]
    files = [place.catalogue, f"{place.catalogue}-wal", *sealed]
    total = 0
    for path in files:
        with suppress(FileNotFoundError):  # before a first change there is no WAL; a writer sweeps meanwhile
            total += os.path.getsize(path)
    return total


def _number(name: str) -> int:
    match = _NAME.match(name)
    return int(match[1]) if match else 0


def _damaged(place: Place, found: str) -> DamagedError:
    return DamagedError(
        f"the collection in {place.directory} is damaged ({found}); delete {place.catalogue} and index again "
        "(your pictures are not touched)"
    )
