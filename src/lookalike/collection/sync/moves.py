"""Which picture lies where now: contents that are at other paths than before, whatever was at these."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.sync.compare import File


class Seen(NamedTuple):
    """A new or changed file.

    Attributes:
        old: the item that was at its path.
        sha256: of its content; None where no item that matters may have its size, or it cannot be read.
    """

    file: File
    old: Item | None
    sha256: bytes | None

    @property
    def is_old(self) -> bool:
        """Whether the content is that of the item that was there."""
        return self.old is not None and self.sha256 is not None and self.old.sha256 == self.sha256

    @property
    def is_other(self) -> bool:
        """Whether the content of the item that was there is there no more."""
        if self.old is None or (self.sha256 is None and may_have(self.old, {self.file.size})):
            return False  # what cannot be read may still be it
        return not self.is_old

    @property
    def turned(self) -> list[bytes]:
        """The contents that came to its path, and that were there before."""
        gone = self.old.sha256 if self.old and self.is_other else None
        return [sha256 for sha256 in (self.sha256, gone) if sha256 and not self.is_old]


def may_have(item: Item, sizes: Set[int]) -> bool:
    """Whether the content of an item may have one of these sizes: of a failed one it is not known which it had."""
    return item.size in sizes or (bool(sizes) and item.state == "failed" and item.sha256 is not None)


def find_halves(seen: Iterable[Seen], left: Iterable[File], uncertain: Iterable[Item]) -> dict[bytes, Seen]:
    """The files that may be one half of a move whose other half is left to the next sync, by path.

    An item may have moved to any file of its size that is left, and each that has to do with its content waits for
    this; so does then each that has to do with what was at the paths of these, as when many pictures are renumbered.

    Args:
        left: the files that are left to the next sync: what they hold is not known.
        uncertain: the items of which it is not known whether they are still at their paths.
    """
    sizes = {file.size for file in left}
    waiting: dict[bytes, Seen] = {}
    turned: dict[bytes, list[Seen]] = {}
    contents = [item.sha256 for item in uncertain if item.sha256]
    for each in seen:
        for sha256 in each.turned:
            turned.setdefault(sha256, []).append(each)
        if each.old and each.is_other and may_have(each.old, sizes):
            waiting[each.file.key] = each
            contents += each.turned
    while contents:
        for each in turned.pop(contents.pop(), ()):
            waiting[each.file.key] = each
            contents += each.turned
    return waiting


_RANKS = range(4)


def _traits(path: bytes, mtime_ns: int) -> tuple[object, ...]:
    """What tells copies of one picture apart, by rank: the surest first, and in the end nothing."""
    name = os.path.basename(keys.plain(path))
    return (name, mtime_ns), name, mtime_ns, None


def find_moves(seen: Sequence[Seen], gone: Iterable[Item]) -> dict[bytes, Item]:
    """The items that have moved, by the path of the file that each is now.

    An item has moved where its content is at its path no more, and is in a file that had another content or is new.
    So what was copied has not, and each item and each file is taken once.
    """
    items = [item for item in (*gone, *(each.old for each in seen if each.is_other)) if item and item.sha256]
    contents = {item.sha256 for item in items}
    files = [each for each in seen if each.sha256 in contents and not each.is_old]
    moved: dict[bytes, Item] = {}
    for rank in _RANKS:
        free: dict[object, list[Item]] = {}
        for item in reversed(items):
            free.setdefault((item.sha256, _traits(item.path, item.mtime_ns)[rank]), []).append(item)
        for file, _, sha256 in files:
            if alike := free.get((sha256, _traits(file.key, file.mtime_ns)[rank])):
                moved[file.key] = alike.pop()
        taken = {item.id for item in moved.values()}
        items = [item for item in items if item.id not in taken]
        files = [each for each in files if each.file.key not in moved]
    return moved
