"""A new catalogue of what is left of a damaged one."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Sequence

from lookalike.collection.catalogue import About, Item
from lookalike.collection.create import METRIC
from lookalike.collection.database import Database, Row
from lookalike.collection.database_rescue import intact_rows
from lookalike.collection.metadata import fields_of
from lookalike.collection.place import FOLDER, Place
from lookalike.collection.refused import names_in, refused
from lookalike.collection.segments import segment_name
from lookalike.errors import DamagedError, LookalikeError, NotAnIndexError
from lookalike.index import Index
from lookalike.models import DEFAULT, get_model

_SLACK = 1 << 32
"""How far new ids stay above the largest one known, where the row that says which were given is lost."""


def rescue(place: Place) -> str:
    """Replace the catalogue by one of all its intact rows, and say what was done. The old file is kept beside it.

    Raises:
        NotAnIndexError: nothing can be read of it, not even what it was a catalogue of.
        WriteError: the disk is full, or may not be written.
    """
    found = intact_rows(place.catalogue)
    items = _distinct([Item._make(row) for row in found["items"]])
    segments = _with_loose(place, dict(found["segments"]))
    about = _about(found, items, segments, place)
    roots = found["roots"] or ([(b".",)] if os.path.basename(place.directory) == FOLDER else [])
    if not roots:
        raise NotAnIndexError(
            f"expected in {place.catalogue} what was indexed, received nothing that can be read; delete that file, "
            f"and index again by `lookalike index SRC... --to {place.directory}`"
        )
    indexed = {item.id for item in items if item.state == "indexed"}
    known = {item.id for item in items}
    metadata = [row for row in found["metadata"] if row[0] in known]
    kept = _keep(place)
    Database.create(
        place.catalogue,
        {
            "about": [about],
            "roots": roots,
            "items": items,
            # of other dimensions where the row was lost that named another model
            "pending": [row for row in found["pending"] if row[0] in indexed and len(row[1]) == 4 * about.dim],
            "segments": list(segments.items()),
            "removed": [row for row in found["removed"] if row[0] not in known],
            "metadata": metadata,
            "fields": sorted(fields_of(given for _, _, given in metadata)),
        },
    )
    without = len(known - {row[0] for row in metadata})
    lost = f"; the facts of {without:,} of them are lost, those of their EXIF until the next sync" if without else ""
    return (
        f"the catalogue was written anew with its {len(items):,} intact items{lost}; the damaged one is kept as {kept}"
    )


def _about(found: dict[str, list[Row]], items: Sequence[Item], segments: dict[str, int], place: Place) -> About:
    now = time.time_ns()
    if len(found["about"]) == 1:
        about = About._make(found["about"][0])
        return about._replace(generation=about.generation + 1, updated_ns=now)
    model = get_model(DEFAULT)
    named = [row[0] for row in (*found["pending"], *found["removed"])] + [item.id for item in items]
    of = uuid.uuid4().hex
    for name in segments:
        try:
            index = Index.open(os.path.join(place.segments, name))
            of = index.note.get("collection", of)
            named.extend(index.ids[-1:].tolist())
        except LookalikeError:
            continue  # a damaged segment is mended next
    next_id = max(named, default=0) + 1 + _SLACK
    return About(of, model.name, model.hash, model.dim, METRIC, now, now, 0, next_id)


def _with_loose(place: Place, named: dict[str, int]) -> dict[str, int]:
    """The named segment files, and those besides whose ids none of them has, the newest first.

    A damaged one is among them, too: what is left of it is taken next.
    """
    found = dict(named)
    paths = [path for name in named if _opens(path := os.path.join(place.segments, name))]
    for name in sorted(set(names_in(place.segments)) - named.keys(), reverse=True):
        if not segment_name(name):
            continue
        path = os.path.join(place.segments, name)
        try:
            together = Index.open(path, *paths)
        except DamagedError:
            found[name] = 0
        except LookalikeError:
            continue  # no segment, or one of another collection, or one whose vectors a newer one holds
        else:
            found[name] = len(together) - sum(len(Index.open(other)) for other in paths)
            paths.append(path)
    return found


def _opens(path: str) -> bool:
    try:
        Index.open(path)
    except LookalikeError:
        return False
    return True


def _distinct(items: Sequence[Item]) -> list[Item]:
    """Without an older item at the path of a newer one, as damage may bring back."""
    newest = {item.path: item for item in sorted(items)}
    return sorted(newest.values())


def _keep(place: Place) -> str:
    """Link the catalogue and its WAL under another name, so that nothing of them is lost."""
    number = 1
    while os.path.lexists(kept := f"{place.catalogue}.damaged-{number}"):
        number += 1
    try:
        for ending in ("", "-wal"):
            if os.path.exists(place.catalogue + ending):
                _link_or_copy(place.catalogue + ending, kept + ending)
    except OSError as error:
        raise refused(place.directory, error) from error
    return kept


def _link_or_copy(path: str, to: str) -> None:
    try:
        os.link(path, to)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES):
            raise
        shutil.copyfile(path, to)  # exFAT, some network drives
        with open(to, "rb") as copy:
            os.fsync(copy)
