"""A disk that loses its power: what may lie on it after each recorded call.

The model. A file is an inode with contents; a folder is an inode with names. A write, a truncation, a new name,
a rename or an unlink is *pending* until its inode is synced: fsync or fdatasync of a file for its contents and
length, fsync of a folder for its names. What is synced survives. Of what is pending

    contents    any 512-byte sectors of any writes may survive, in any order; a length may be ahead of the
                contents, which then read as zeros, or behind
    names       the calls on one folder survive in their order, up to any one of them; a rename is whole

independently for each file and folder: a name may be ahead of the contents it names, and the other way round.
So it is harsher than a journaling file system (ext4, XFS, APFS), in which a sync of a new file keeps its name.
A sector is written whole or not at all, and a sync that returned is not undone: drives that lie are out of scope.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from tests.faults.shim import Record, What

SECTOR = 512


class Kept(Enum):
    """Of what is pending, what survives."""

    NONE = "none"
    ALL = "all"
    SOME = "some"


@dataclass
class File:
    """Contents: those synced, and the calls since."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[Callable[[bytearray, Callable[[], bool]], None]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        def apply(content: bytearray, survives: Callable[[], bool]) -> None:
            for at in range(0, len(data), SECTOR):
                piece = data[at : at + SECTOR]
                if survives():
                    _place(content, offset + at, piece)
                elif survives():
                    _place(content, offset + at, b"\0" * len(piece), only_new=True)  # the length without the contents

        self.pending.append(apply)

    def truncate(self, length: int) -> None:
        def apply(content: bytearray, survives: Callable[[], bool]) -> None:
            if survives():
                del content[length:]
                content.extend(bytes(length - len(content)))

        self.pending.append(apply)

    def sync(self) -> None:
        self.synced = self.contents(lambda: True)
        self.pending = []

    def contents(self, survives: Callable[[], bool]) -> bytearray:
        content = bytearray(self.synced)
        for apply in self.pending:
            apply(content, survives)
        return content


@dataclass
class Folder:
    """Names: those synced, and the calls since."""

    synced: dict[str, File | Folder] = field(default_factory=dict)
    pending: list[Callable[[dict[str, File | Folder]], None]] = field(default_factory=list)

    def now(self) -> dict[str, File | Folder]:
        return self.names(len(self.pending))

    def names(self, calls: int) -> dict[str, File | Folder]:
        names = dict(self.synced)
        for apply in self.pending[:calls]:
            apply(names)
        return names

    def sync(self) -> None:
        self.synced = self.now()
        self.pending = []


class Disk:
    """The folder `root` of a record, empty and synced at first."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._top = Folder()

    def apply(self, record: Record) -> None:
        """Let a call happen."""
        what, path = record.what, record.path
        if what == What.CREATE:
            self._name(path, File())
        elif what == What.MKDIR:
            self._name(path, Folder())
        elif what == What.WRITE:
            self._file(path).write(record.offset, record.data)
        elif what == What.TRUNCATE:
            self._file(path).truncate(record.length)
        elif what == What.SYNC:
            self._at(path).sync()
        elif what == What.RENAME:
            self._rename(path, record.other)
        elif what in (What.UNLINK, What.RMDIR):
            self._forget(path)
        elif what not in (What.MARK, What.MAPPED):
            raise NotImplementedError(f"{what.name} of {path}: say what a loss of power does to it")

    def survives(self, place: str, contents: Kept, names: Kept, dice: random.Random) -> None:
        """Write to `place` a disk as it may be found when the power is lost now."""
        _write(self._top, place, contents, names, dice)

    def _at(self, path: str) -> File | Folder:
        node: File | Folder = self._top
        for name in os.path.relpath(path, self._root).split("/"):
            if name != ".":
                assert isinstance(node, Folder), path
                node = node.now()[name]
        return node

    def _file(self, path: str) -> File:
        found = self._at(path)
        assert isinstance(found, File), path
        return found

    def _parent(self, path: str) -> Folder:
        found = self._at(os.path.dirname(path))
        assert isinstance(found, Folder), path
        return found

    def _name(self, path: str, node: File | Folder) -> None:
        name = os.path.basename(path)
        self._parent(path).pending.append(lambda names: names.update({name: node}))

    def _forget(self, path: str) -> None:
        name = os.path.basename(path)

        def apply(names: dict[str, File | Folder]) -> None:
            del names[name]

        self._parent(path).pending.append(apply)

    def _rename(self, path: str, other: str) -> None:
        assert os.path.dirname(path) == os.path.dirname(other), "a rename between folders: say what survives of it"
        before, after = os.path.basename(path), os.path.basename(other)

        def apply(names: dict[str, File | Folder]) -> None:
            names[after] = names.pop(before)

        self._parent(path).pending.append(apply)


def replay(records: Iterable[Record], disk: Disk) -> Iterable[Record]:
    """Let the calls happen one by one; each is given when it has."""
    for record in records:
        disk.apply(record)
        yield record


def _place(content: bytearray, offset: int, piece: bytes, *, only_new: bool = False) -> None:
    before = len(content)
    content.extend(bytes(max(0, offset + len(piece) - before)))
    if not only_new:
        content[offset : offset + len(piece)] = piece


def _write(folder: Folder, place: str, contents: Kept, names: Kept, dice: random.Random) -> None:
    os.makedirs(place, exist_ok=True)
    calls = {Kept.NONE: 0, Kept.ALL: len(folder.pending), Kept.SOME: dice.randint(0, len(folder.pending))}[names]
    for name, node in folder.names(calls).items():
        path = os.path.join(place, name)
        if isinstance(node, Folder):
            _write(node, path, contents, names, dice)
        else:
            share = {Kept.NONE: 0.0, Kept.ALL: 1.0, Kept.SOME: dice.random()}[contents]
            with open(path, "wb") as file:
                file.write(node.contents(lambda share=share: dice.random() < share))  # type: ignore[misc]
