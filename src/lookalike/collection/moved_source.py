"""A source that is somewhere else now, as a disk that was plugged in again: told by its files, not indexed twice.

Inode numbers and device numbers say nothing of a FAT disk. So a folder is a known source that is away when most of its
pictures lie there, by relative path, size and time, and the contents of a sample of them all agree.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.place import Place
from lookalike.collection.sync.compare import change_time
from lookalike.collection.sync.report import FoundAgain
from lookalike.errors import PictureError
from lookalike.images.content import file_sha256

SAMPLE = 64
"""So many contents are compared at most: the first, the last, and others evenly between them."""

_LEAST = 0.5  # of the pictures, by path, size and time
_GRAIN = 2 * 10**9  # nanoseconds: times on FAT
_ZONE = 15 * 60 * 10**9  # they are those of a clock on the wall: its zone may be another
_MOST_SHIFT = 26 * 3600 * 10**9
_MOST_MOUNTS = 200
_MOUNTS, _VOLUMES = "/proc/self/mounts", "/Volumes"


class _Known(NamedTuple):
    """A picture of a source that is away, with the file that may be it."""

    item: Item
    key: bytes
    path: str


def find_again(place: Place, catalogue: Catalogue) -> list[FoundAgain]:
    """Recognise the sources that are away in those that are there, or around or below them, and on the disks that are
    mounted now; what moved keeps its ids and facts. By the writer.

    A picture that is not there is gone with the next sync, as always; but one to which facts were given stays where
    it was, and so does its source.
    """
    with catalogue.reading():
        containers = {container.path for container in catalogue.containers.all()}
        roots = [root for root in catalogue.roots() if root not in containers]
        away = [root for root in roots if _is_away(place, root)]
        items = catalogue.items() if away else []
    found: list[FoundAgain] = []
    for root in away:
        below = [item for item in items if item.path.startswith(root + b"/") and b"\0" not in item.path]
        there = [place.absolute(other) for other in roots if other not in away]
        for folder in dict.fromkeys(_candidates(place.absolute(root), there)) if below else ():
            if again := _moved(place, catalogue, root, below, folder):
                found.append(again)
                break
    return found


def _moved(place: Place, catalogue: Catalogue, root: bytes, items: Sequence[Item], folder: str) -> FoundAgain | None:
    """What moved with a source that is `folder` now; None where it is not, or nobody can be sure."""
    new = place.relative(folder)
    if not os.path.isdir(folder) or new == root:
        return None
    keys = [new + item.path[len(root) :] for item in items]
    known = [_Known(item, key, place.absolute(key)) for item, key in zip(items, keys, strict=True)]
    quick = _sample(known)
    if sum(_same_file(each) is not None for each in quick) < _LEAST * len(quick):
        return None  # before each of very many is looked at
    at = {each.item.id: time for each in known if (time := _same_file(each)) is not None}
    same = [each for each in known if each.item.id in at]
    indexed = [each for each in same if each.item.state == "indexed" and each.item.sha256]
    if not indexed or len(same) < _LEAST * len(known) or not all(map(_same_content, _sample(indexed))):
        return None
    with catalogue.reading():
        if catalogue.at([each.key for each in known]):
            return None  # it is another source already
        # what was given to a picture that is not there waits where it was
        absent = [each.item.id for each in known if not os.path.lexists(each.path)]
        left = {item_id for item_id in absent if catalogue.metadata.given(item_id)}
    moved = [each for each in known if each.item.id not in left]
    with catalogue.writing():
        catalogue.update(
            [each.item._replace(path=each.key, mtime_ns=at.get(each.item.id, each.item.mtime_ns)) for each in moved]
        )
        catalogue.add_roots([new])
        if not left:
            catalogue.remove_roots([root])
    return FoundAgain(place.absolute(root), place.absolute(new), sum(each.item.state == "indexed" for each in moved))


def _is_away(place: Place, root: bytes) -> bool:
    """Whether a source was a folder apart from the collection, and nothing is there now."""
    if root == b"." or os.path.basename(root) == b"..":
        return False  # it moves with the collection
    try:
        with os.scandir(place.absolute(root)) as entries:
            return next(entries, None) is None
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _same_file(known: _Known) -> int | None:
    """The time of the file that is there, where size and time are the item's."""
    item = known.item
    with suppress(OSError):
        status = os.stat(known.path)
        time = change_time(status)
        shift = abs(time - item.mtime_ns)
        off = min(shift % _ZONE, _ZONE - shift % _ZONE)
        if status.st_size == item.size and off <= _GRAIN and shift <= _MOST_SHIFT:
            return time
    return None


def _same_content(known: _Known) -> bool:
    try:
        return file_sha256(known.path) == known.item.sha256
    except PictureError:
        return False


def _sample(known: Sequence[_Known]) -> list[_Known]:
    ordered = sorted(known, key=lambda each: each.key)
    if len(ordered) <= SAMPLE:
        return ordered
    return [ordered[i * (len(ordered) - 1) // (SAMPLE - 1)] for i in range(SAMPLE)]


def _candidates(was: str, there: Iterable[str]) -> Iterator[str]:
    """Where a source may be, of folders that are there, and of disks."""
    names = was.strip("/").split("/")
    for folder in there:
        yield from (os.path.join(folder, *names[len(names) - count :]) for count in range(len(names)))
        around = os.path.dirname(folder)
        while os.path.dirname(around) != around:
            yield around
            around = os.path.dirname(around)
    for mount in _mounts():
        yield from (os.path.join(mount, *names[len(names) - count :]) for count in range(len(names)))


def _mounts() -> Iterator[str]:
    """Where disks are mounted."""
    with suppress(OSError), open(_MOUNTS, "rb") as file:
        lines = file.read().splitlines()[-_MOST_MOUNTS:]
        for line in lines:
            device, _, rest = line.partition(b" ")
            if device.startswith(b"/") and rest:  # a disk, and no system of the kernel's
                name = rest.partition(b" ")[0]
                yield os.fsdecode(name.decode("unicode_escape").encode("latin-1"))  # proc(5): \040 is a space
    with suppress(OSError):
        yield from (os.path.join(_VOLUMES, name) for name in os.listdir(_VOLUMES)[:_MOST_MOUNTS])
