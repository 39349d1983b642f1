"""How many items there are: kept with each transaction, so that counting looks at none of them."""

from __future__ import annotations

from typing import Literal

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.database import Database

State = Literal["indexed", "failed"]


class Counts:
    """The table `counts` of a catalogue, and the index of the items that failed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, state: State) -> int:
        """How many items are in a state, as of the last transaction."""
        indexed, failed = self._kept() or self._now()
        if indexed + failed != self._database.total("items")[0]:
            raise self._database.damaged("another number of items than is kept")
        return indexed if state == "indexed" else failed

    def under(self, container: bytes, state: State) -> int:
        """How many items in an archive or a file of vectors are in a state; all of them are counted."""
        failed = self._number("path > ? AND path < ? AND state = 'failed'", *keys.bounds(container))
        return failed if state == "failed" else self._number("path > ? AND path < ?", *keys.bounds(container)) - failed

    def keep(self) -> None:
        """Note how many there are, at the end of a transaction."""
        self._database.execute("DELETE FROM counts")
        self._database.insert("counts", [self._now()])

    def require_right(self) -> None:
        """DamagedError where not as many are kept as there are, counted one by one."""
        there: dict[str, int] = dict(
            self._database.execute("SELECT state, count(*) FROM items NOT INDEXED GROUP BY state")
        )
        if (there.pop("indexed", 0), there.pop("failed", 0)) != (self.of("indexed"), self.of("failed")) or there:
            raise self._database.damaged("other numbers of its items than those kept")

    def _kept(self) -> tuple[int, int] | None:
        rows = self._database.select("counts", "indexed, failed", "true", ())
        if len(rows) > 1:
            raise self._database.damaged(f"{len(rows)} rows in its table counts, which has one at most")
        return (rows[0][0], rows[0][1]) if rows else None

    def _now(self) -> tuple[int, int]:
        failed = self._number("state = 'failed'")
        return self._database.total("items")[0] - failed, failed

    def _number(self, condition: str, *values: bytes) -> int:
        ((number,),) = self._database.execute(f"SELECT count(*) FROM items WHERE {condition}", values)  # noqa: S608
        return int(number)
