"""What a repair has done and not told yet, as it was stopped, or is at work."""

from __future__ import annotations

from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.schema import UNTOLD


class Untold:
    """The table `untold`, which is there as long as it holds something; the transactions are the catalogue's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> list[str]:
        """The reports, the oldest first."""
        return [report for _, report in self._rows()]

    def add(self, report: str) -> None:
        if not self._is_there():
            for statement in UNTOLD:
                self._database.execute(statement)
        self._database.insert("untold", [(len(self._rows()) + 1, report)])

    def forget(self) -> None:
        """Forget all reports."""
        self._database.execute("DROP TABLE IF EXISTS untold")
        self._database.execute("DELETE FROM totals WHERE name = 'untold'")

    def _rows(self) -> list[tuple[int, str]]:
        return self._database.select_all("untold", "number, report") if self._is_there() else []

    def _is_there(self) -> bool:
        return bool(self._database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'untold'"))
