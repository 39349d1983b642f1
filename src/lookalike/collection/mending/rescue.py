"""A new catalogue of what is left of a damaged one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.beside import copy_beside
from lookalike.collection.catalogue.catalogue import About, Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.catalogue.database import Database, Row
from lookalike.collection.catalogue.database_rescue import intact_rows, take_in_wal
from lookalike.collection.catalogue.metadata import Known, fields_of
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.create import METRIC
from lookalike.collection.mending.kept_again import Kept, read_kept
from lookalike.collection.mending.report import LostFacts, RepairReport
from lookalike.collection.no_model import VECTORS, NoModel
from lookalike.collection.place import FOLDER, Place
from lookalike.collection.sealed.kept import name_for
from lookalike.collection.sealed.segments import segment_name
from lookalike.collection.sync.compare import survey
from lookalike.errors import DamagedError, LookalikeError, NotAnIndexError
from lookalike.index import Index
from lookalike.models import DEFAULT, get_model

_SLACK = 1 << 32
"""How far new ids stay above the largest one known, where the row that says which were given is lost."""


def rescue(place: Place) -> str:
    """Write a catalogue of all intact rows of the damaged one, and of what is lost, beside it; its path.

    What it has lost is taken from what is kept beside the segments.

    Raises:
        NotAnIndexError: nothing can be read of it, not even what it was a catalogue of.
        DamagedError: it is gone, and nothing is kept beside the segments.
        WriteError: the disk is full, or may not be written.
    """
    found = intact_rows(place.catalogue)
    coming: dict[str, int] = dict(found["next_segments"])
    segments: dict[str, int] = dict(found["segments"])
    if _written(found).get("segments") != len(segments):  # else what is not named is of another copy, or left over
        segments = _with_loose(place, segments, coming)
    kept = read_kept(place, segments) if _has_lost(found) else Kept()
    if not kept.items:
        place.require_catalogue()
    back, facts_back = kept.fill(found, items=_written(found).get("items") != len(found["items"]))
    items = _distinct([Item._make(row) for row in found["items"]])
    about, assumed = _about(found, items, segments, place, kept)
    containers, unsaid = _containers(found, items, about, place)
    roots = _roots(found, containers, about, place, items)
    if not (roots or items):
        raise _nothing(place, "what was indexed")
    indexed = {item.id for item in items if item.state == "indexed"}
    known = {item.id for item in items}
    metadata = [row for row in found["metadata"] if row[0] in known]
    without = {item.id for item in items if not keys.is_row(item.path)} - {row[0] for row in metadata}
    without -= kept.items.keys()  # of these it is known that there were none
    report = RepairReport(
        lost_facts=_lost_facts(place, found, items, without, kept),
        lost_items=_lost_items(place, found, items, segments, roots, kept),
    )
    said = _made_of(place, len(items) - back, back, facts_back)
    if without:
        said += f"; the facts of {len(without):,} of them are lost, those of their EXIF until the next sync"
    if report.lost_items:
        said += f"; {report.lost_items:,} {_lost_what(found)}: the next sync finds them as new"
    if found["next_model"] or coming or _written(found).get("next_model"):
        said += "; the change of its model that was under way begins anew"
    if place.exists:
        unsaid += f"; the damaged one is kept as {_free_name(place)}"
    report.done.append(f"{said}{assumed}{unsaid}")
    untold = [*(part for _, part in found["untold"]), report.as_part()]
    return Database.prepare(
        place.catalogue,
        {
            "about": [about],
            "roots": [(root,) for root in roots],
            "containers": containers,
            "items": items,
            # of other dimensions where the row was lost that named another model
            "pending": [row for row in found["pending"] if row[0] in indexed and len(row[1]) == 4 * about.dim],
            "segments": list(segments.items()),
            "removed": [row for row in found["removed"] if row[0] not in known],
            "metadata": metadata,
            "absent": [row for row in found["absent"] if row[0] not in known],
            "settings": found["settings"],
            "fields": sorted(fields_of(given for _, _, given in metadata)),
            "untold": list(enumerate(untold, 1)),
        },
    )


def _containers(
    found: dict[str, list[Row]], items: Sequence[Item], about: About, place: Place
) -> tuple[list[Container], str]:
    """The archives and files of vectors; and of which it is lost how they were to be read.

    Where items are lost, none of them has been taken in whole.
    """
    known = {container.path: container for container in map(Container._make, found["containers"])}
    lost: dict[bytes, Container] = {}
    for item in items:
        path = keys.container_of(item.path)
        if path is not None and path not in known:
            lost[path] = Container(path, "vectors" if keys.is_row(item.path) else "archive")
    if about.model == VECTORS:
        lost |= {path: Container(path, "vectors") for (path,) in found["roots"] if path not in known}
    whole = _written(found).get("items") == len(items)
    containers = [container if whole else container.unread() for container in (known | lost).values()]
    if not lost:
        return containers, ""
    paths = ", ".join(sorted(map(place.absolute, lost)))
    said = f"; how {paths} is to be read is lost, too: if by options, index it again with them"
    return containers, said


def _roots(
    found: dict[str, list[Row]], containers: Sequence[Container], about: About, place: Place, items: Sequence[Item]
) -> list[bytes]:
    """The sources; where those of pictures in files are lost, each of these is one, lest a sync take it for gone."""
    roots = [path for (path,) in found["roots"]]
    if not roots and about.model != VECTORS and os.path.basename(place.directory) == FOLDER:
        roots = [b"."]
    if not set(roots) - {container.path for container in containers}:
        roots += [item.path for item in items if not (keys.container_of(item.path) or keys.is_url(item.path))]
    return list(dict.fromkeys([*roots, *(container.path for container in containers)]))


def _nothing(place: Place, expected: str) -> NotAnIndexError:
    return NotAnIndexError(
        f"expected in {place.catalogue} {expected}, received nothing that can be read; delete that file, "
        f"and index again by `lookalike index SRC... --to {place.directory}`"
    )


def put_in_place(place: Place, rescued: str) -> None:
    """Replace the catalogue, once the new one is closed. The old file is kept beside it."""
    try:
        if place.exists:
            _keep(place, _free_name(place))
    except OSError as error:
        raise refused(place.directory, error) from error
    if place.exists:
        take_in_wal(place.catalogue)
    Database.replace(place.catalogue, rescued)


def _has_lost(found: dict[str, list[Row]]) -> bool:
    """Whether a row is missing that is kept elsewhere, or it is not known that none is."""
    written = _written(found)
    tables = ("roots", "containers", "items", "metadata")
    return len(found["about"]) != 1 or any(written.get(table) != len(found[table]) for table in tables)


def _made_of(place: Place, intact: int, back: int, facts_back: int) -> str:
    its = f"its {intact:,} intact items{' and ' if back else ''}" if place.exists else ""
    kept = f"{back:,} that are kept beside the segments" if back else ""
    facts = f", where the facts of {facts_back:,} are kept, too" if facts_back else ""
    return f"the catalogue was written anew with {its}{kept}{facts}"


def _lost_what(found: dict[str, list[Row]]) -> str:
    if "items" in _written(found):
        return "items are lost"
    return "more are in the sources, whose vectors were not sealed or never made, or of which nothing was kept"


def _lost_items(
    place: Place,
    found: dict[str, list[Row]],
    items: Sequence[Item],
    segments: dict[str, int],
    roots: Sequence[bytes],
    kept: Kept,
) -> int:
    """How many: where it is not known how many there were, the pictures in the sources that are not among the items."""
    written = _written(found)
    if "items" in written:
        return max(written["items"] - len(items), 0)
    inside = {item.path for item in items}
    if any(keys.is_row(path) for path in inside):
        return sum(segments[name] for name in kept.without)
    folders = [root for root in roots if root not in {path for path, *_ in found["containers"]}]
    return len(survey(place, folders).files.keys() - inside)


def _lost_facts(
    place: Place, found: dict[str, list[Row]], items: Sequence[Item], without: set[int], kept: Kept
) -> list[LostFacts]:
    """Of the items `without` facts, unless there never were any that someone gave; and of items that are lost."""
    given = {item_id: json.loads(given) for item_id, _, given in found["metadata"] if given != Known().given}
    lost = [LostFacts(item_id, "", given[item_id]) for item_id in sorted(given.keys() - {item.id for item in items})]
    if given or _written(found).get("fields", 1):
        lost += [LostFacts(item.id, place.absolute(item.path), None) for item in items if item.id in without]
        has_rows = any(keys.is_row(item.path) for item in items)
        are_kept = bool(kept.items) and not kept.without
        if has_rows and not are_kept and _written(found).get("metadata") != len(found["metadata"]):
            lost.append(LostFacts(0, "", None))  # few vectors have any, and nothing says which
    return lost


def _written(found: dict[str, list[Row]]) -> dict[str, int]:
    """How many rows each table had, where that is known."""
    return {name: rows for name, rows in found["totals"] if isinstance(rows, int)}


def _about(
    found: dict[str, list[Row]], items: Sequence[Item], segments: dict[str, int], place: Place, kept: Kept
) -> tuple[About, str]:
    """The row of that name; where it is lost, one after what the segments say, and what was assumed in it."""
    now = time.time_ns()
    if len(found["about"]) == 1:
        about = About._make(found["about"][0])
        return about._replace(generation=about.generation + 1, updated_ns=now), ""
    if kept.head:
        about = About._make(kept.head["about"])
        newest = max([about.next_id, *(item.id + 1 for item in items)])
        return about._replace(generation=about.generation + 1, updated_ns=now, next_id=newest + _SLACK), ""
    named = [row[0] for row in (*found["pending"], *found["removed"], *found["absent"])] + [item.id for item in items]
    note: dict[str, str] = {}
    dim, metric = 0, METRIC
    for read in (Index.open, _salvaged):
        for name in () if note else segments:
            try:
                index = read(os.path.join(place.segments, name))
            except LookalikeError:
                continue  # what is damaged is mended next
            named.extend(index.ids[-1:].tolist())
            note, dim, metric = index.note, index.dim, index.metric
    next_id = max(named, default=0) + 1 + _SLACK
    of = note.get("collection", uuid.uuid4().hex)
    if {"model", "model_hash"} <= note.keys():
        return About(of, note["model"], note["model_hash"], dim, metric, now, now, 0, next_id), ""
    if any(row[1] == "vectors" for row in found["containers"]) or any(keys.is_row(item.path) for item in items):
        assumed = ""
        if not dim:  # no segment says it
            dim = next((item.size // 4 for item in items), 0)
            assumed = (
                f"; by what its vectors are compared is lost, too, and was assumed to be {METRIC}: if not, index anew"
            )
        if not dim:
            raise _nothing(place, "the dimensions of its vectors")
        return About(of, VECTORS, NoModel.hash, dim, metric, now, now, 0, next_id), assumed
    model = get_model(DEFAULT)
    assumed = f"; which model made it is lost, too, and was assumed to be {model.name}: if it was another, index anew"
    return About(of, model.name, model.hash, model.dim, METRIC, now, now, 0, next_id), assumed


def _salvaged(path: str) -> Index:
    return Index.salvage(path)[0]


def _with_loose(place: Place, named: dict[str, int], coming: Collection[str]) -> dict[str, int]:
    """The named segment files, and those besides whose ids none of them has, the newest first; first of all those of
    which the items are kept.

    But none of a change of the model, which has the `coming` ones. A damaged one is among them, too: what is left of
    it is taken next.
    """
    found = dict(named)
    paths = [path for name in named if _opens(path := os.path.join(place.segments, name))]
    rows = set(names_in(place.rows))
    loose = set(names_in(place.segments)) - named.keys()
    for name in sorted(loose, key=lambda name: (name_for(name) in rows, name), reverse=True):
        if not segment_name(name) or name in coming:
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


def _free_name(place: Place) -> str:
    """Where the damaged catalogue is kept: the same for as long as one has the writer's lock."""
    number = 1
    while any(os.path.lexists(f"{place.catalogue}.damaged-{number}{ending}") for ending in ("", "-wal")):
        number += 1
    return f"{place.catalogue}.damaged-{number}"


def _keep(place: Place, kept: str) -> None:
    """Link the catalogue and its WAL under another name, so that nothing of them is lost."""
    with suppress(FileNotFoundError):  # first: a reader that closes last writes it into the file, and deletes it
        _link_or(shutil.copyfile, f"{place.catalogue}-wal", f"{kept}-wal")
    _link_or(copy_beside, place.catalogue, kept)


def _link_or(copy: Callable[[str, str], object], path: str, to: str) -> None:
    try:
        os.link(path, to)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.EACCES):
            raise
        copy(path, to)  # exFAT, some network drives
        with open(to, "rb") as kept:
            os.fsync(kept)
