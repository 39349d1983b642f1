"""How the whole pictures look: what two of them are compared by before either is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.row_crc import row_crc


class Look(NamedTuple):
    """Of one picture, as `images.pool.Loaded` has them: its thumbnail, and a hash that only the same pixels share."""

    thumb: bytes
    pixels: bytes


class Looks:
    """The table `looks` of a catalogue; the transactions are the catalogue's. Items of older versions have no row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, looks: Mapping[int, Look]) -> None:
        """Write those of items that have none."""
        self._database.insert("looks", [(item_id, *look) for item_id, look in looks.items()])

    def of(self, item_id: int) -> Look | None:
        rows = self._database.select("looks", "id, thumb, pixels", "id = ?", (item_id,))
        return Look(*rows[0][1:]) if rows else None

    def missing(self) -> list[int]:
        """The ids of indexed items without one, ascending."""
        query = "SELECT id FROM items WHERE state = 'indexed' AND id NOT IN (SELECT id FROM looks) ORDER BY id"
        return [item_id for (item_id,) in self._database.execute(query)]

    def remove(self, ids: Iterable[int]) -> None:
        self._database.execute_many("DELETE FROM looks WHERE id = ?", [(item_id,) for item_id in ids])

    def each(self) -> Iterator[tuple[int, Look]]:
        """All by id, one at a time: a million take a gigabyte. DamagedError in the end where some are damaged."""
        rows = digest = wrong = 0
        for item_id, thumb, pixels, crc in self._database.each("SELECT id, thumb, pixels, crc FROM looks ORDER BY id"):
            rows += 1
            if row_crc((item_id, thumb, pixels)) == crc:
                digest += crc
                yield item_id, Look(thumb, pixels)
            else:
                wrong += 1  # its checksum may be anything, even no number
        self._database.require_whole("looks", rows, digest, wrong)

    def read_all(self) -> None:
        """DamagedError where a row is damaged or missing."""
        for _ in self.each():
            pass
