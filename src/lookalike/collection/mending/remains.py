"""What a damaged collection still holds, and where its lost vectors can be had again; nothing is changed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import About, Catalogue, Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.mending.verify import verify_segment
from lookalike.collection.no_model import VECTORS
from lookalike.collection.place import Place
from lookalike.collection.sealed.segments import is_as_named
from lookalike.collection.sync.compare import Survey, out_of_reach, survey
from lookalike.errors import (
    ArgumentError,
    DamagedError,
    LookalikeError,
    MissingExtraError,
    NotAnIndexError,
    PictureError,
    ReadError,
    VectorFileError,
)
from lookalike.images.content import file_sha256
from lookalike.index import Index
from lookalike.vectors import open_vectors


@dataclass
class Remains:
    """What is there of the vectors, and of the pictures that have none.

    Attributes:
        about: of the catalogue.
        named: the segment files, with the number of vectors that each should hold.
        containers: the archives and files of vectors, by key.
        damaged: those of which not every byte and id is right, with what is wrong, and the ids that are left.
        sealed: the ids in segments whose vectors are intact.
        indexed: how many pictures are.
        found: those without a vector whose file is there, with its path: as it was, moved, or at theirs another.
        away: those in a source or folder that is out of reach, with why.
        gone: those that are nowhere in the sources.
    """

    about: About
    named: dict[str, int]
    containers: dict[bytes, Container]
    damaged: dict[str, tuple[LookalikeError, list[int]]] = field(default_factory=dict)
    sealed: set[int] = field(default_factory=set)
    indexed: set[int] = field(default_factory=set)
    found: list[tuple[Item, str]] = field(default_factory=list)
    away: list[tuple[Item, str]] = field(default_factory=list)
    gone: list[Item] = field(default_factory=list)

    def require_reach(self, place: Place) -> None:
        """ReadError where pictures without a vector are away."""
        if self.away:
            reasons = Counter(reason for _, reason in self.away)
            each = "; ".join(f"{count:,} of them: {reason}" for reason, count in reasons.most_common())
            what = (
                "vectors again that are damaged"
                if self.about.model == VECTORS
                else "pictures whose vectors are damaged"
            )
            raise ReadError(
                f"expected to read the {what} in {place.directory}, received for {each}; "
                f"nothing was changed: bring that back and run it again, or go on without by `lookalike repair "
                f"{place.directory} --give-up` (give_up=True), after which a sync takes them once they are back"
            )


def look(place: Place, catalogue: Catalogue) -> Remains:
    """Look at every vector, and for the pictures whose vectors are lost.

    Raises:
        ReadError: a segment cannot be read now: it may be whole.
    """
    with catalogue.reading() as about:
        containers = {container.path: container for container in catalogue.containers.all()}
        remains, named = Remains(about, catalogue.segments(), containers), catalogue.files()
        items = [item for item in catalogue.items() if item.state == "indexed"]
        pending, removed = catalogue.pending_ids().tolist(), catalogue.removed().tolist()
        roots = catalogue.roots()
    _look_at_segments(place, remains, named)
    remains.indexed = {item.id for item in items}
    vectors = remains.sealed.difference(removed).union(pending)
    missing = [item for item in items if item.id not in vectors]
    if missing:
        find_again(place, missing, roots, remains)
    return remains


def find_again(place: Place, items: Sequence[Item], roots: Sequence[bytes], remains: Remains) -> None:
    """Add to what `remains` where some items can be had again, and which are away or gone."""
    inside = [item for item in items if keys.container_of(item.path) or keys.is_url(item.path)]
    files = sorted(set(items).difference(inside))
    roots = [root for root in roots if root not in remains.containers]
    _look_for(files, place, survey(place, roots), remains)
    _look_inside(inside, place, remains)


def salvage(place: Place, about: About, name: str, taken: AbstractSet[int]) -> Index | None:
    """The intact vectors of a damaged segment, but for those whose ids are taken; None where there are none."""
    path = os.path.join(place.segments, name)
    try:
        index = _mapped(path)
    except (DamagedError, NotAnIndexError):
        try:
            index, _ = Index.salvage(path)  # which takes memory for all of them
        except (DamagedError, NotAnIndexError):
            return None
    of = index.note.get("collection", about.uuid)
    if (index.dim, index.metric, of) != (about.dim, about.metric, about.uuid):
        return None
    index.remove([item_id for item_id in index.ids.tolist() if item_id in taken])
    return index if len(index) else None


def _mapped(path: str) -> Index:
    """The vectors of a file that can be read, which stay in it until the index is saved elsewhere."""
    index = Index.open(path)
    index.remove([item_id for item_id in index.ids.tolist() if not _reads(index, item_id)])
    if len(index):
        one = int(index.ids[0])
        vector = index[one]
        index.remove([one])
        index.add(vector, [one])  # lest a save pass the file on as it is, with what is damaged besides vectors
    return index


def _reads(index: Index, item_id: int) -> bool:
    try:
        index[item_id]
    except DamagedError:
        return False
    return True


def _look_at_segments(place: Place, remains: Remains, named: set[str]) -> None:
    for name, count in remains.named.items():
        try:
            ids = verify_segment(place, remains.about, name, count, named).tolist()
            if not remains.sealed.isdisjoint(ids):
                raise DamagedError(f"{name} has ids of another segment")
        except (DamagedError, NotAnIndexError) as error:  # not what cannot be read now: it may be whole
            own = is_as_named(place, name)  # else its ids are those of other pictures
            left = salvage(place, remains.about, name, remains.sealed) if own else None
            ids = [] if left is None else left.ids.tolist()
            remains.damaged[name] = error, ids
        remains.sealed.update(ids)


def _look_for(missing: Sequence[Item], place: Place, seen: Survey, remains: Remains) -> None:
    elsewhere: list[Item] = []  # or changed, or gone
    for item in missing:
        file = seen.files.get(item.path)
        if file and (file.size, file.mtime_ns) == (item.size, item.mtime_ns):
            remains.found.append((item, file.path))
        elif file is None and (away := out_of_reach(item.path, seen)):
            remains.away.append((item, away.reason if away.path in away.reason else f"{away.path}: {away.reason}"))
        else:
            elsewhere.append(item)
    wanted = {item.size for item in elsewhere}
    by_content = {_sha256(file.path): file for file in seen.files.values() if file.size in wanted}
    moved = {item.id: file for item in elsewhere if item.sha256 and (file := by_content.get(item.sha256))}
    taken = {file.key for file in moved.values()}
    for item in elsewhere:
        if file := moved.get(item.id):
            remains.found.append((item, file.path))
        elif item.path not in taken and (item.path in seen.files or item.path in seen.skipped):
            remains.found.append((item, place.absolute(item.path)))  # what is wrong with it is told when it is read
        else:
            remains.gone.append(item)


def _look_inside(missing: Sequence[Item], place: Place, remains: Remains) -> None:
    """The same for what is in archives and files of vectors, and for what was fetched."""
    out_of_reach: dict[bytes, str | None] = {}  # by archive or file, why it is
    for item in missing:
        key = keys.container_of(item.path)
        if key is None:
            remains.away.append((item, "it was fetched; index it again by `lookalike index URL --allow-urls`"))
            continue
        path = place.absolute(key)
        if key not in out_of_reach:
            out_of_reach[key] = _out_of_reach(path, remains.containers[key])
        if away := out_of_reach[key]:
            remains.away.append((item, away))
        else:
            remains.found.append((item, path))


def _out_of_reach(path: str, container: Container) -> str | None:
    """Why a file cannot be read now; what else is wrong with it is told when it is read."""
    try:
        with open(path, "rb"):
            pass
        if container.kind == "vectors":
            open_vectors(path, **json.loads(container.options))
    except (ReadError, MissingExtraError) as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror}"
    except (VectorFileError, ArgumentError):
        return None
    return None


def _sha256(path: str) -> bytes | None:
    try:
        return file_sha256(path)
    except PictureError:
        return None
