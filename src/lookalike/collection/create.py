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
from lookalike.collection.no_model import VECTORS, NoModel
from lookalike.collection.place import FOLDER, Place
from lookalike.collection.sources import Looked, Sources
from lookalike.errors import ArgumentError, ModelError, VectorFileError
from lookalike.metric import METRICS, Metric
from lookalike.models import DEFAULT, get_model

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


def create(
    place: Place, sources: Sources, model: str | None = None, metric: Metric | None = None, wait: float = 0
) -> dict[bytes, Looked]:
    """Make the collection where there is none, and add the sources to it; what was looked through, by key.

    Raises:
        ModelError: it is there, and made with another model than the one named; or no model has that name.
        ArgumentError: it is there, and of pictures where these are vectors, or the other way round, or with another
            metric; or pictures with another metric than cosine, or vectors with a model or with hamming.
        VectorFileError: its vectors have other dimensions.
        WriteError: no permission, or the disk is full.
        BusyError: another process is writing it, and still so after `wait` seconds.
    """
    new = _about(sources, model, metric)
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
            Catalogue.create(place.catalogue, roots=roots, containers=containers, **new._asdict())
        with closing(Catalogue(place.catalogue)) as catalogue:
            _require_same(place, catalogue.about(), new, model, metric)
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
    """What a new collection would be of."""

    model: str
    model_hash: str
    dim: int
    metric: Metric


def _about(sources: Sources, model: str | None, metric: Metric | None) -> _New:
    if sources.opened is None:
        if metric not in (None, METRIC):
            raise ArgumentError(f"expected no metric for pictures, which are compared by {METRIC}, received {metric!r}")
        of_new = get_model(DEFAULT if model is None else model)
        return _New(of_new.name, of_new.hash, of_new.dim, METRIC)
    if model is not None:
        raise ArgumentError(f"expected no model for vectors, which are there already, received {model!r}; leave it out")
    compared = metric or sources.opened.distance or METRIC
    if compared not in METRICS or compared == "hamming":
        allowed = ", ".join(each for each in METRICS if each != "hamming")
        raise ArgumentError(f"expected a metric of {allowed} for vectors in files, received {compared!r}; name one")
    return _New(VECTORS, NoModel.hash, sources.opened.dim, compared)


def _require_same(place: Place, about: About, new: _New, model: str | None, metric: Metric | None) -> None:
    """Refuse sources that do not belong in a collection."""
    if (about.model == VECTORS) != (new.model == VECTORS):
        there, given = ("vectors", "pictures") if about.model == VECTORS else ("pictures", "vectors")
        raise ArgumentError(
            f"expected {there}, as are in {place.directory}, received {given}; name another place for these"
        )
    if model not in (None, about.model):
        raise ModelError(
            f"expected the model {about.model}, with which {place.directory} was made, received "
            f"{model}; name another place for this model"
        )
    if metric not in (None, about.metric):
        raise ArgumentError(
            f"expected the metric {about.metric}, with which {place.directory} was made, received {metric}; name "
            "another place for this metric"
        )
    if new.model == VECTORS and new.dim != about.dim:
        raise VectorFileError(
            f"expected vectors of {about.dim:,} dimensions, as in {place.directory}, received {new.dim:,}; name "
            "another place for them"
        )
