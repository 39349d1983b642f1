"""What a file of vectors was when all of it was taken in: by that it is known that nothing need be looked through."""

from __future__ import annotations

from typing import NamedTuple

from lookalike.collection.catalogue.database import Database


class Mark(NamedTuple):
    """Beside the size and time that its container has.

    Attributes:
        path: as of the container.
        ends: the hash of its beginning and end.
        items: how many it made.
    """

    path: bytes
    ends: bytes
    items: int


_COLUMNS = ", ".join(Mark._fields)


class Marks:
    """The table `marks` of a catalogue; what earlier versions took in has none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, path: bytes) -> Mark | None:
        rows = self._database.select("marks", _COLUMNS, "path = ?", (path,))
        return Mark._make(rows[0]) if rows else None

    def all(self) -> list[Mark]:
        """DamagedError where one is damaged or missing."""
        return [Mark._make(row) for row in self._database.select_all("marks", _COLUMNS)]

    def put(self, mark: Mark) -> None:
        self.drop(mark.path)
        self._database.insert("marks", [mark])

    def drop(self, path: bytes) -> None:
        self._database.execute("DELETE FROM marks WHERE path = ?", (path,))
