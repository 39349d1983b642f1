"""Making a collection, and giving it sources."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.catalogue.containers import Container, Kind
from lookalike.collection.catalogue.folders import make_folders
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.lock import writer_lock
from lookalike.collection.model import AS_REMEMBERED, Wanted, model_of
from lookalike.collection.no_model import VECTORS, NoModel
from lookalike.collection.place import FOLDER, Place
from lookalike.collection.sources import Looked, Sources
from lookalike.errors import ArgumentError, VectorFileError
from lookalike.metric import METRICS, Metric
from lookalike.models import Model

METRIC: Metric = "cosine"

TOLD = "told"
"""The file in a collection's directory by which the command line knows what it has told."""

# how the names start that an interrupted making may leave
_OURS = ("catalogue.sqlite", "lock", "segments", "rows", TOLD)


def place_for(sources: Sequence[str], to: str | None) -> Place:
    """Where the collection of these sources lies.

    Raises:
        ArgumentError: no source; `to` is missing where it is needed, or holds other files.
        WriteError: nobody may look into `to`.
        DamagedError: there is a collection whose catalogue is lost.
    """
    if not sources and to is None:
        raise ArgumentError("expected at least one folder or picture to index, received none")
    if to is None:
        if len(sources) > 1 or os.path.isfile(sources[0]):
            raise ArgumentError(
                "expected one folder, or a place for the collection of several sources; name one by `to` "
                "(`--to PATH` on the command line)"
            )
        place = Place.at(os.path.join(sources[0], FOLDER))
        place.require_catalogue()
        return place
    if not to:
        raise ArgumentError("expected a folder for the collection, received an empty name; name one by `to`")
    place = Place.at(to)
    place.require_catalogue()
    if os.path.lexists(to) and not os.path.isdir(to):
        raise ArgumentError(f"expected a folder for the collection, received {to}, a file; name another")
    if not place.exists and not all(name.startswith(_OURS) for name in names_in(to)):
        raise ArgumentError(
            f"expected a new or empty folder to keep the collection in, received {to}, which holds other "
            "files; name another"
        )
    return place


def create(
    place: Place, sources: Sources, wanted: Wanted = AS_REMEMBERED, metric: Metric | None = None, wait: float = 0
) -> dict[bytes, Looked]:
    """Make the collection where there is none, and add the sources to it; what was looked through, by key.

    Raises:
        ModelError: it is there, and made with another model than the one named; or no model has that name, or its
            weights cannot be had.
        ArgumentError: it is there, and of pictures where these are vectors, or the other way round, or with another
            metric; or pictures with another metric than cosine, or vectors with a model or with hamming; or as by
            `get_model`.
        MissingExtraError: as by `get_model`.
        VectorFileError: its vectors have other dimensions.
        WriteError: no permission, or the disk is full.
        BusyError: another process is writing it, and still so after `wait` seconds.
        DamagedError: its catalogue is lost.
    """
    place.require_catalogue()
    new = _about(sources, wanted, metric, is_there=place.exists)
    kind: Kind = "vectors" if sources.vectors else "archive"
    options = json.dumps(sources.options)
    looked = {place.relative(path): found for path, found in (sources.vectors | sources.archives).items()}
    containers = [Container(path, kind, options) for path in looked]
    roots = [place.relative(path) for path in sources.plain] + [container.path for container in containers]
    try:
        make_folders(place.segments)
    except OSError as error:
        raise refused(os.path.dirname(place.directory), error) from error
    with writer_lock(place.directory, wait):
        if not place.exists:
            # with its sources: without, it would be taken for a finished one and stay empty for ever
            model = new.model or wanted.get()
            Catalogue.create(
                place.catalogue,
                model=model.name,
                model_hash=model.hash,
                dim=model.dim,
                metric=new.metric,
                roots=roots,
                containers=containers,
            )
        with closing(Catalogue(place.catalogue)) as catalogue:
            _require_same(place, catalogue.about(), new, metric)
            if wanted.name is not None:
                model_of(place, catalogue.about(), wanted).remember(catalogue)
            known = {container.path: container for container in catalogue.containers.all()}
            changed = [each for each in containers if each.path not in known or known[each.path].options != options]
            if changed or set(roots) - set(catalogue.roots()):
                with catalogue.writing():
                    catalogue.add_roots(roots)
                    for container in changed:
                        catalogue.containers.put(container)
    return looked


def known_archives(place: Place, paths: Sequence[str]) -> dict[str, Container]:
    """Of some sources those that are archives of the collection already, by path."""
    if not place.exists:
        return {}
    with closing(Catalogue(place.catalogue)) as catalogue, catalogue.reading():
        known = {container.path: container for container in catalogue.containers.all()}
    return {path: known[key] for path in paths if (key := place.relative(path)) in known}


class _New(NamedTuple):
    """What a new collection would be of; of pictures for one that is there the model is not looked for."""

    model: Model | NoModel | None
    metric: Metric

    @property
    def of_vectors(self) -> bool:
        return isinstance(self.model, NoModel)


def _about(sources: Sources, wanted: Wanted, metric: Metric | None, *, is_there: bool) -> _New:
    if sources.opened is None:
        if metric not in (None, METRIC):
            raise ArgumentError(f"expected no metric for pictures, which are compared by {METRIC}, received {metric!r}")
        model = None if is_there else wanted.get()
        if model:
            model.hash  # noqa: B018 (weights that cannot be had are told before anything is made)
        return _New(model, METRIC)
    if wanted.name is not None:
        raise ArgumentError(
            f"expected no model for vectors, which are there already, received {wanted.name!r}; leave it out"
        )
    compared = metric or sources.opened.distance or METRIC
    if compared not in METRICS or compared == "hamming":
        allowed = ", ".join(each for each in METRICS if each != "hamming")
        raise ArgumentError(f"expected a metric of {allowed} for vectors in files, received {compared!r}; name one")
    return _New(NoModel(sources.opened.dim), compared)


def _require_same(place: Place, about: About, new: _New, metric: Metric | None) -> None:
    """Refuse sources that do not belong in a collection."""
    if (about.model == VECTORS) != new.of_vectors:
        there, given = ("vectors", "pictures") if about.model == VECTORS else ("pictures", "vectors")
        raise ArgumentError(
            f"expected {there}, as are in {place.directory}, received {given}; name another place for these"
        )
    if metric not in (None, about.metric):
        raise ArgumentError(
            f"expected the metric {about.metric}, with which {place.directory} was made, received {metric}; name "
            "another place for this metric"
        )
    if isinstance(new.model, NoModel) and new.model.dim != about.dim:
        raise VectorFileError(
            f"expected vectors of {about.dim:,} dimensions, as in {place.directory}, received {new.model.dim:,}; name "
            "another place for them"
        )
