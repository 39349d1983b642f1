"""What changed in the sources since the last commit, by names, sizes and times only."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.place import Place
from lookalike.errors import NoPicturesError
from lookalike.images.extras import MISSING
from lookalike.images.find import Found, Skipped, find

MOST_TIME = 2**63 - 1
"""Nanoseconds, as SQLite's integers; a file may claim to be of the year 2400."""


def change_time(status: os.stat_result) -> int:
    """The time of a file's last change as the catalogue keeps it, in nanoseconds."""
    return min(status.st_mtime_ns, MOST_TIME)


class File(NamedTuple):
    """A picture that was found, by both of its names.

    Attributes:
        key: in the catalogue.
        path: of the file; of a picture in an archive that of the archive, whose time it has, too.
    """

    key: bytes
    path: str
    size: int
    mtime_ns: int


@dataclass
class Survey:
    """What the sources hold now.

    Attributes:
        files: the pictures, by their path in the catalogue; overlapping sources meet here.
        skipped: what is no picture or cannot be read, with the reason.
        lost: the sources out of reach, with the reason.
        read: the sources that were looked through.
        gone: those of them that were files, and where nothing is now.
    """

    files: dict[bytes, File] = field(default_factory=dict)
    skipped: dict[bytes, Skipped] = field(default_factory=dict)
    lost: dict[bytes, Skipped] = field(default_factory=dict)
    read: set[bytes] = field(default_factory=set)
    gone: set[bytes] = field(default_factory=set)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the files' keys, sizes and times."""
        files = hashlib.sha256()
        for key, file in self.files.items():
            files.update(b"%d %d %b\0" % (file.size, file.mtime_ns, key))
        return files.digest()

    @cached_property
    def outermost(self) -> int:
        """The length of the path of the outermost source around the collection's folder, once all were looked at."""
        return max((len(root) for root in (*self.lost, *self.read) if _is_around(root)), default=0)


@dataclass
class Differences:
    """The files and the items compared.

    Attributes:
        same: indexed items whose files have the same size and time.
        failed: items that failed, whose files have the same size and time.
        fresh: files that are new or changed, each with the item that was at that path, if any.
        vanished: items without a file.
        kept: items out of reach: in a lost source, or in a folder that cannot be read now.
    """

    same: list[Item] = field(default_factory=list)
    failed: list[Item] = field(default_factory=list)
    fresh: list[tuple[File, Item | None]] = field(default_factory=list)
    vanished: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)

    @property
    def are_none(self) -> bool:
        """Whether each item is a file, and each file an item as it is."""
        return not (self.fresh or self.vanished or self.kept)


def survey(place: Place, roots: Sequence[bytes], files: Set[bytes] = frozenset()) -> Survey:
    """Look through the sources of a collection; one of those that were `files` is gone where only its folder is."""
    seen = Survey()
    own = tuple(f"{name}/" for name in place.names)
    for root in roots:
        top = place.absolute(root)
        key_of = _keys(place, root, top)
        try:
            for entry in _look_through(top):
                if isinstance(entry, Found):
                    key = key_of(entry.path)
                    seen.files[key] = File(key, entry.path, entry.size, min(entry.mtime_ns, MOST_TIME))
                elif not f"{entry.path}/".startswith(own):
                    seen.skipped[key_of(entry.path)] = entry
            seen.read.add(root)
        except NoPicturesError as error:
            if root in files and _is_gone(top):
                seen.read.add(root)
                seen.gone.add(root)
            else:
                seen.lost[root] = Skipped(top, str(error))
    for key in seen.files.keys() & seen.skipped.keys():
        del seen.skipped[key]  # a file of no known extension that was given by name, and lies in another source
    return seen


def _look_through(top: str) -> list[Found | Skipped]:
    """What a source holds; NoPicturesError unless it was one folder from start to end, with something in it."""
    before = _identity(top)
    if before is None:  # a file, or what `find` will say is wrong
        return list(find(top))
    if _is_empty(top):
        raise NoPicturesError(f"{top} is empty now, as when a disk is not mounted")
    entries = list(find(top))
    if _identity(top) != before or _is_empty(top):
        raise NoPicturesError(f"{top} went away while it was looked through, as when a disk is unmounted")
    return entries


def has_changed(file: File) -> bool:
    """Whether a file is another one now than when it was found, or gone."""
    try:
        status = os.stat(file.path)
    except OSError:
        return True
    return (status.st_size, change_time(status)) != (file.size, file.mtime_ns)


def _keys(place: Place, root: bytes, top: str) -> Callable[[str], bytes]:
    """What turns a path below a source into the catalogue's: one for each file, whatever the source."""
    if _is_around(root):
        return lambda path: os.fsencode(os.path.relpath(path, place.base))
    before = len(top.rstrip("/")) + 1
    inside = b"" if root == b"." else root + b"/"
    return lambda path: inside + os.fsencode(path[before:]) if path != top else root


def compare(items: Sequence[Item], seen: Survey, retry: bool) -> Differences:
    """Sort every item and every file into one of the lists; to `retry` is to take what failed for fresh."""
    differences = Differences()
    known = {item.path: item for item in items}
    for key, file in seen.files.items():
        item = known.pop(key, None)
        again = retry and item is not None and item.state == "failed"
        if item is None or again or (item.size, item.mtime_ns) != (file.size, file.mtime_ns):
            differences.fresh.append((file, item))
        elif item.state == "indexed":
            differences.same.append(item)
        else:
            differences.failed.append(item)
    for item in known.values():
        (differences.kept if out_of_reach(item.path, seen) else differences.vanished).append(item)
    return differences


def out_of_reach(path: bytes, seen: Survey) -> Skipped | None:
    """What keeps `path` from being read now, if anything: its source or folder, or a reader that is not installed.

    The innermost source that holds it decides.
    """
    while True:
        entry = seen.skipped.get(path)
        if path in seen.lost:
            return seen.lost[path]
        if entry and (entry.reason in MISSING or _is_unreadable(entry.path)):
            return entry
        if path in seen.read or (_is_around(path) and len(path) >= seen.outermost):
            return None
        path = _folder_of(path)


def is_below(path: bytes, root: bytes) -> bool:
    """Whether a file is in a folder that is a source, or below it; both by their keys."""
    if root == b"." or _is_around(root):
        return path.split(b"/").count(b"..") <= root.split(b"/").count(b"..")  # they lead, and stand nowhere else
    return path.startswith(root + b"/")


def _is_around(path: bytes) -> bool:
    """Whether `path` in the catalogue is a folder around the collection's own: `..`, `../..`."""
    return os.path.basename(path) == b".."


def _folder_of(path: bytes) -> bytes:
    if path == b".":
        return b".."
    return b"../" + path if _is_around(path) else os.path.dirname(path) or b"."


def _is_gone(top: str) -> bool:
    """Whether nothing is at a path, though its folder is there, and with it its disk."""
    try:
        names = os.listdir(os.path.dirname(top))
    except OSError:
        return False
    # a folder may be listed whose files may not be looked at: what is named there is there
    return bool(names) and os.path.basename(top) not in names


def _is_empty(top: str) -> bool:
    """Whether `top` is a folder with nothing in it."""
    try:
        with os.scandir(top) as entries:
            return next(entries, None) is None
    except OSError:
        return False  # `find` will say what is wrong


def _identity(top: str) -> tuple[int, int] | None:
    """The device and inode of a folder; of a file none: it may be replaced at any time, and one look tells all."""
    try:
        status = os.stat(top)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _is_unreadable(path: str) -> bool:
    """Whether something is there that this user may not look at."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.scandir(path).close()
        else:
            os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False
