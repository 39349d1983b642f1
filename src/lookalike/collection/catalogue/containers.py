"""The files whose contents are the items: archives of pictures, and files of vectors."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.keys import bounds
from lookalike.collection.catalogue.marks import Mark, Marks

Kind = Literal["archive", "vectors"]


class Container(NamedTuple):
    """An archive, or a file of vectors.

    Attributes:
        path: as in the catalogue's roots.
        options: how it is to be read, as a JSON object.
        size, mtime_ns: of the file when all of it was taken in last; -1 before that.
        passed: what was left out then, as a JSON list of [name, reason, count].
    """

    path: bytes
    kind: Kind
    options: str = "{}"
    size: int = -1
    mtime_ns: int = -1
    passed: str = "[]"

    def unread(self) -> Self:
        """This one as if nothing of it had been taken in."""
        return self._replace(size=-1, mtime_ns=-1)


class Containers:
    """The tables `containers` and `marks` of a catalogue; the transactions are the catalogue's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.marks = Marks(database)

    def all(self) -> list[Container]:
        return [Container._make(row) for row in self._database.select_all("containers", ", ".join(Container._fields))]

    def put(self, container: Container, mark: Mark | None = None) -> None:
        """Write one, instead of that of the same path if there is one; with its mark, if it has one."""
        self._database.execute("DELETE FROM containers WHERE path = ?", (container.path,))
        self._database.insert("containers", [container])
        self.marks.drop(container.path)
        if mark:
            self.marks.put(mark)

    def holds(self, path: bytes) -> bool:
        """Whether there is an item in one."""
        return bool(self._database.execute("SELECT 1 FROM items WHERE path > ? AND path < ? LIMIT 1", bounds(path)))

    def held(self, path: bytes) -> int:
        """How many items are in one; all of them are counted."""
        ((number,),) = self._database.execute("SELECT count(*) FROM items WHERE path > ? AND path < ?", bounds(path))
        return int(number)

    def require_marks(self) -> None:
        """DamagedError where a mark is damaged, or says another number of items than there is."""
        whole = {each.path for each in self.all() if each.size >= 0}
        for mark in self.marks.all():
            if mark.path not in whole or mark.items != self.held(mark.path):
                raise self._database.damaged("another number of items of a file of vectors than is kept")

    def look_again(self, path: bytes) -> None:
        """Let the next sync read one though its file is the same."""
        for row in self._database.select("containers", ", ".join(Container._fields), "path = ?", (path,)):
            self.put(Container._make(row).unread())
