"""Pictures that were indexed and are gone: their ids and facts wait for a while, should they come back.

They are known by their content, wherever it comes back. An id is of one content for ever, so it may be had again; where
a segment still holds its vector, the picture need not even be decoded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from lookalike.collection.catalogue.database import Database

DAYS = 90
"""For so long they are kept, where nothing else was said."""

_DAY = 86_400 * 10**9  # nanoseconds
_SETTING = "keep facts for days"


class Absent(NamedTuple):
    """A picture that is gone.

    Attributes:
        path: where it was.
        size: of its file; -1 where that is not known, as its file could not be read before it was gone.
        exif, given: its facts, each a JSON object.
        since_ns: when it was found gone.
    """

    id: int
    path: bytes
    size: int
    sha256: bytes
    width: int | None
    height: int | None
    exif: str
    given: str
    since_ns: int


_COLUMNS = ", ".join(Absent._fields)


class Absents:
    """The tables `absent` and `settings` of a catalogue; the transactions are the catalogue's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def days(self) -> int:
        """How long they are kept; 0 is not at all."""
        rows = self._database.select("settings", "name, value", "name = ?", (_SETTING,))
        return int(rows[0][1]) if rows else DAYS

    def keep(self, days: int) -> None:
        """Keep them for so many days from now on."""
        self._database.execute("DELETE FROM settings WHERE name = ?", (_SETTING,))
        self._database.insert("settings", [(_SETTING, str(days))])

    def all(self) -> list[Absent]:
        """Every one, by id; DamagedError where a row is damaged or missing."""
        self._database.select_all("settings", "name, value")
        return [Absent._make(row) for row in self._database.select_all("absent", _COLUMNS)]

    def count(self) -> int:
        return self._database.total("absent")[0]

    def ids(self) -> list[int]:
        return [item_id for (item_id,) in self._database.execute("SELECT id FROM absent")]

    def sizes(self) -> set[int]:
        """Of their files; with -1 where one is not known."""
        return {size for (size,) in self._database.execute("SELECT DISTINCT size FROM absent")}

    def with_sha256(self, sha256: bytes) -> list[Absent]:
        """Those with this content, by id."""
        rows = self._database.select("absent", _COLUMNS, "sha256 = ? ORDER BY id", (sha256,))
        return [Absent._make(row) for row in rows]

    def with_id(self, item_id: int) -> Absent | None:
        return next(
            (Absent._make(row) for row in self._database.select("absent", _COLUMNS, "id = ?", (item_id,))), None
        )

    def with_path(self, path: bytes) -> Absent | None:
        """The one that was at a path last."""
        rows = self._database.select("absent", _COLUMNS, "path = ? ORDER BY since_ns DESC, id DESC LIMIT 1", (path,))
        return Absent._make(rows[0]) if rows else None

    def add(self, rows: Iterable[Absent]) -> None:
        self._database.insert("absent", list(rows))

    def remove(self, ids: Iterable[int]) -> None:
        self._database.execute_many("DELETE FROM absent WHERE id = ?", [(item_id,) for item_id in ids])

    def is_one_due(self) -> bool:
        """Whether one has been kept for as long as was said."""
        return bool(self._database.execute("SELECT 1 FROM absent WHERE since_ns <= ? LIMIT 1", (self._due(),)))

    def forget_due(self) -> None:
        """Forget those."""
        self._database.execute("DELETE FROM absent WHERE since_ns <= ?", (self._due(),))

    def _due(self) -> int:
        return time.time_ns() - self.days * _DAY
