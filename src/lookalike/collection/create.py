"""Making a collection, and giving it sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import closing

from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.catalogue.folders import make_folders
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.lock import writer_lock
from lookalike.collection.model import AS_REMEMBERED, RememberedModel, Wanted
from lookalike.collection.place import FOLDER, Place
from lookalike.errors import ArgumentError, NoPicturesError
from lookalike.images.find import Found, find
from lookalike.metric import Metric

METRIC: Metric = "cosine"

_OURS = ("catalogue.sqlite", "lock", "segments")  # how the names start that an interrupted making may leave


def place_for(sources: Sequence[str], to: str | None) -> Place:
    """Where the collection of these sources lies.

    Raises:
        ArgumentError: no source; `to` is missing where it is needed, or holds other files.
        WriteError: nobody may look into `to`.
    """
    if not sources:
        raise ArgumentError("expected at least one folder or picture to index, received none")
    if to is None:
        if len(sources) > 1 or os.path.isfile(sources[0]):
            raise ArgumentError(
                "expected one folder, or a place for the collection of several sources; name one by `to` "
                "(`--to PATH` on the command line)"
            )
        return Place.at(os.path.join(sources[0], FOLDER))
    if not to:
        raise ArgumentError("expected a folder for the collection, received an empty name; name one by `to`")
    place = Place.at(to)
    if os.path.lexists(to) and not os.path.isdir(to):
        raise ArgumentError(f"expected a folder for the collection, received {to}, a file; name another")
    if not place.exists and not all(name.startswith(_OURS) for name in names_in(to)):
        raise ArgumentError(
            f"expected a new or empty folder to keep the collection in, received {to}, which holds other "
            "files; name another"
        )
    return place


def create(place: Place, sources: Iterable[str], wanted: Wanted = AS_REMEMBERED, wait: float = 0) -> None:
    """Make the collection where there is none, and add the sources to it; its model is the one `wanted`.

    Raises:
        NoPicturesError: a source that cannot be read, or none that holds a picture.
        ModelError: it is there, and made with another model than the one named; or no model has that name, or its
            weights cannot be had.
        ArgumentError, MissingExtraError: as by `get_model`.
        WriteError: no permission, or the disk is full.
        BusyError: another process is writing it, and still so after `wait` seconds.
    """
    roots = [place.relative(source) for source in sources]
    _refuse_pictureless([place.absolute(root) for root in roots])
    if not place.exists:
        wanted.get().hash  # noqa: B018 (weights that cannot be had are told before anything is made)
    try:
        make_folders(place.segments)
    except OSError as error:
        raise refused(os.path.dirname(place.directory), error) from error
    with writer_lock(place.directory, wait):
        if not place.exists:
            of_new = wanted.get()
            # with its sources: without, it would be taken for a finished one and stay empty for ever
            Catalogue.create(
                place.catalogue,
                model=of_new.name,
                model_hash=of_new.hash,
                dim=of_new.dim,
                metric=METRIC,
                roots=roots,
            )
        with closing(Catalogue(place.catalogue)) as catalogue:
            if wanted.name is not None:
                RememberedModel(place, catalogue.about(), wanted).remember(catalogue)
            if set(roots) - set(catalogue.roots()):
                with catalogue.writing():
                    catalogue.add_roots(roots)


def _refuse_pictureless(sources: Sequence[str]) -> None:
    """Look for one picture in every source that can be read, so that nothing is made in a wrong place."""
    found = [any(isinstance(entry, Found) for entry in find(source)) for source in sources]
    if not any(found):
        raise NoPicturesError(
            f"expected pictures in {', '.join(sources)}, received none (JPEG, PNG, WebP, GIF, TIFF, BMP and "
            "AVIF are read); name a folder that holds some"
        )
