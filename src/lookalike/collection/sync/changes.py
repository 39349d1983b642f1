"""What the next transaction of a sync will hold."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.absent import Absent
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.catalogue.looks import Look
from lookalike.collection.catalogue.marks import Mark
from lookalike.collection.catalogue.metadata import Known
from lookalike.collection.sync.compare import File


class Content(NamedTuple):
    """What a picture holds, wherever it lies."""

    sha256: bytes
    width: int
    height: int
    vector: NDArray[np.float32]
    exif: str  # its facts, as JSON
    look: Look | None = None


class Changes:
    """Changes of items, gathered until `commit` writes them: removals, then updates, then additions."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._clear()

    def __len__(self) -> int:
        some = (self._removed, self._left, self._updated, self._added, self._back, self._containers)
        return sum(len(each) for each in some)

    def touch(self, file: File, item: Item) -> Item:
        """The content of `item` lies at `file` now, or has another time; what it is then."""
        touched = item._replace(path=file.key, size=file.size, mtime_ns=file.mtime_ns)
        if touched != item:
            self._updated.append(touched)
        return touched

    def add(self, file: File, content: Content, old: Item | None = None) -> None:
        """A new item, to which go the facts that were given to the one at its path, if any."""
        item = Item(0, file.key, file.size, file.mtime_ns, *content[:3], state="indexed", reason=None)
        self._added.append(item)
        self._vectors.append(content.vector)
        self._known.append(Known(content.exif, self._given(old)))
        self._looks.append(content.look)

    def returning(self, file: File, sha256: bytes, *, elsewhere: bool) -> Absent | None:
        """The absent picture that has come back in a file, by its content: of several the one that was there before.

        Args:
            elsewhere: the content is indexed at another path, too: then it is a copy, unless its name is known.
        """
        rows = [each for each in self._catalogue.absent.with_sha256(sha256) if each.id not in self._back]
        name = os.path.basename(keys.plain(file.key))
        for each in rows:
            if each.path == file.key:
                return each
        named = [each for each in rows if os.path.basename(keys.plain(each.path)) == name]
        return next(iter(named if elsewhere else named or rows), None)

    def bring_back(self, file: File, row: Absent, content: Content, old: Item | None, *, sealed: bool) -> None:
        """Let an absent picture be at `file`, with its id and facts, where `old` was; a segment may have its vector."""
        self.leave([old.id] if old else [])
        given = row.given if row.given != Known().given else self._given(old)
        item = Item(row.id, file.key, file.size, file.mtime_ns, *content[:3], state="indexed", reason=None)
        self._back[row.id] = item, None if sealed else content.vector, Known(content.exif, given), content.look

    def fail(self, file: File, reason: str, old: Item | None = None) -> bool:
        """Remember a picture that cannot be read instead of `old`, with its facts, until it changes.

        Returns whether it did not fail before, or for another reason.
        """
        # a permission may be given without a change of size or time: such a file is always tried again
        readable = keys.container_of(file.key) or os.access(file.path, os.R_OK)
        mtime_ns = file.mtime_ns if readable else -1
        text = reason.encode("utf-8", "backslashreplace").decode()
        known = (old.id, old.sha256) if old else (0, None)
        failed = Item(known[0], file.key, file.size, mtime_ns, known[1], None, None, "failed", text)
        if failed != old:
            self.remove([old.id] if old else [])
            self._added.append(failed)
            self._vectors.append(None)
            self._known.append(Known(given=self._given(old)))
            self._looks.append(None)
        return old is None or old.reason != text

    def remove(self, ids: Iterable[int]) -> None:
        self._removed += ids

    def leave(self, ids: Iterable[int]) -> None:
        """These are gone; should they come back, they are known."""
        self._left += ids

    def drop_roots(self, paths: Iterable[bytes]) -> None:
        """These are no sources any more."""
        self._dropped += paths

    def put(self, container: Container, mark: Mark | None = None) -> None:
        """All of an archive or a file of vectors is in."""
        self._containers.append((container, mark))

    def commit(self) -> None:
        """Write all of it in one transaction."""
        if self:
            with self._catalogue.writing():
                self._catalogue.remove(self._removed)
                self._catalogue.leave(self._left)
                self._catalogue.update(self._updated)
                self._catalogue.add(self._added, self._vectors, self._known, self._looks)
                if self._back:
                    self._catalogue.bring_back(*zip(*self._back.values(), strict=True))
                self._catalogue.remove_roots(self._dropped)
                for each in self._containers:
                    self._catalogue.containers.put(*each)
        self._clear()

    def _given(self, old: Item | None) -> str:
        return self._catalogue.metadata.of(old.id).given if old else Known().given

    def _clear(self) -> None:
        self._removed: list[int] = []
        self._left: list[int] = []
        self._back: dict[int, tuple[Item, NDArray[np.float32] | None, Known, Look | None]] = {}
        self._updated: list[Item] = []
        self._added: list[Item] = []
        self._vectors: list[NDArray[np.float32] | None] = []
        self._known: list[Known] = []
        self._looks: list[Look | None] = []
        self._containers: list[tuple[Container, Mark | None]] = []
        self._dropped: list[bytes] = []
