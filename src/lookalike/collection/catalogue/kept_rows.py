"""Rows of a catalogue as JSON, to be kept beside the segments: SQLite writes a million in seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lookalike.collection.catalogue.database import Database, Row
from lookalike.collection.catalogue.row_crc import row_crc

_ROW = """json_array(items.id, hex(path), size, mtime_ns, hex(sha256), width, height, state, reason, items.crc,
    exif, given, metadata.crc)"""
_FROM = "items LEFT JOIN metadata ON metadata.id = items.id"
_ROWS = f"SELECT json_group_array({_ROW}) FROM {_FROM} WHERE items.id IN (SELECT value FROM json_each(?))"  # noqa: S608
_UNSEALED = """SELECT id FROM items JOIN metadata USING (id)
    WHERE given <> '{}' AND (state = 'failed' OR id IN (SELECT id FROM pending)) ORDER BY id"""


class KeptRows:
    """What is told of the items and their facts; within `reading` or `writing` of the catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, ids: Sequence[int]) -> str:
        """The items with some ids, those that there are, each with its facts."""
        ((rows,),) = self._database.execute(_ROWS, (json.dumps(ids),))
        return str(rows)

    def unsealed(self) -> list[int]:
        """The ids of the items to which facts were given and whose vectors are in no segment."""
        return [item_id for (item_id,) in self._database.execute(_UNSEALED)]

    def settings(self) -> list[Row]:
        return self._database.select_all("settings", "name, value")


def items_of(rows: Sequence[Row]) -> list[tuple[Row, Row | None]]:
    """What such JSON holds: rows of `items`, each with that of `metadata`; those whose checksums are right."""
    found = []
    for item_id, path, size, mtime_ns, sha256, *rest, crc, exif, given, crc_of_facts in rows:
        item = (item_id, bytes.fromhex(path), size, mtime_ns, bytes.fromhex(sha256) or None, *rest)
        facts = (item_id, exif, given)
        if row_crc(item) == crc:
            found.append((item, facts if row_crc(facts) == crc_of_facts else None))
    return found
