"""The files whose contents are the items: archives of pictures, and files of vectors."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from lookalike.collection.catalogue.database import Database

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
    """The table `containers` of a catalogue; the transactions are the catalogue's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Container]:
        return [Container._make(row) for row in self._database.select_all("containers", ", ".join(Container._fields))]

    def put(self, container: Container) -> None:
        """Write one, instead of that of the same path if there is one."""
        self._database.execute("DELETE FROM containers WHERE path = ?", (container.path,))
        self._database.insert("containers", [container])

    def look_again(self, path: bytes) -> None:
        """Let the next sync read one though its file is the same."""
        for row in self._database.select("containers", ", ".join(Container._fields), "path = ?", (path,)):
            self.put(Container._make(row).unread())
