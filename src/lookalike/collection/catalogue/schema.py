"""The tables of a catalogue, by version.

Every row ends with `crc`, the CRC-32 of its other values (`row_crc`): SQLite has no page
checksums. `totals` counts the rows of each table and sums their `crc`, kept by triggers, so that a
row that vanished with its page is missed too.

A version is never edited once released; a new one is a new entry of MIGRATIONS, and changes a table at least:
by that its files are told from those whose version number is damaged.
"""

from __future__ import annotations

APPLICATION_ID = 0x4C4F4F4B  # "LOOK", at byte 68 of the file, as file(1) and SQLite know it


def _counted(table: str) -> tuple[str, ...]:
    """The triggers that keep the row of `table` in `totals`."""

    def trigger(event: str, change: str) -> str:
        return f"CREATE TRIGGER {table}_{event} AFTER {event} ON {table} BEGIN {change}; END"

    def update(rows: str, digest: str) -> str:
        return f"UPDATE totals SET rows = rows {rows}, digest = digest {digest} WHERE name = '{table}'"  # noqa: S608

    return (
        f"INSERT INTO totals VALUES ('{table}', 0, 0)",  # noqa: S608
        trigger("INSERT", update("+ 1", "+ new.crc")),
        trigger("DELETE", update("- 1", "- old.crc")),
        trigger("UPDATE", update("+ 0", "- old.crc + new.crc")),
    )


_VERSION_1 = (
    "CREATE TABLE totals (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, digest INTEGER NOT NULL)",
    # one row; generation grows by one with each transaction, next_id is never used twice
    """CREATE TABLE about (
        uuid TEXT NOT NULL, model TEXT NOT NULL, model_hash TEXT NOT NULL, dim INTEGER NOT NULL,
        metric TEXT NOT NULL, created_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,
        generation INTEGER NOT NULL, next_id INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    # paths are keys (see `keys`): as a rule the bytes of the file system, relative to the collection's folder
    "CREATE TABLE roots (path BLOB PRIMARY KEY, crc INTEGER NOT NULL)",
    # where state is 'failed', width and height are null, reason is not, and sha256 is of what was indexed last, or null
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL, sha256 BLOB, width INTEGER, height INTEGER,
        state TEXT NOT NULL, reason TEXT, crc INTEGER NOT NULL)""",
    "CREATE INDEX items_sha256 ON items (sha256) WHERE sha256 IS NOT NULL",
    # the vectors not in a segment yet, float32 in little-endian order
    "CREATE TABLE pending (id INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)",
    # the files in segments/
    "CREATE TABLE segments (name TEXT PRIMARY KEY, vectors INTEGER NOT NULL, crc INTEGER NOT NULL)",
    *_counted("roots"),
    *_counted("items"),
    *_counted("pending"),
    *_counted("segments"),
)

_VERSION_2 = (
    # the vectors in segments whose items are gone
    "CREATE TABLE removed (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL)",
    # what is known of an item besides its looks, as JSON objects: what its EXIF says, and what was given
    """CREATE TABLE metadata (
        id INTEGER PRIMARY KEY, exif TEXT NOT NULL, given TEXT NOT NULL, crc INTEGER NOT NULL)""",
    # the names in metadata.given, with the kinds of their values: text, number, boolean, list
    """CREATE TABLE fields (
        name TEXT NOT NULL, kind TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (name, kind)) WITHOUT ROWID""",
    *_counted("removed"),
    *_counted("metadata"),
    *_counted("fields"),
    # version 1 did not say which sealed vectors are gone: all that no item has (those in no segment do no harm)
    """INSERT INTO removed
        WITH RECURSIVE used (id) AS (
            SELECT 1 FROM about WHERE next_id > 1 UNION ALL SELECT id + 1 FROM used, about WHERE id + 1 < next_id)
        SELECT id, row_crc(id) FROM used
        WHERE id NOT IN (SELECT id FROM items WHERE state = 'indexed') AND EXISTS (SELECT 1 FROM segments)""",
)

_VERSION_3 = (
    # the roots that are archives or files of vectors; size and mtime_ns are -1 until all of one is taken in
    """CREATE TABLE containers (
        path BLOB PRIMARY KEY, kind TEXT NOT NULL, options TEXT NOT NULL, size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL, passed TEXT NOT NULL, crc INTEGER NOT NULL)""",
    *_counted("containers"),
)

_VERSION_4 = (
    # how the whole picture of an indexed item looks: a small thumbnail (`images.thumb`), and the hash of its pixels
    # (`images.same_pixels`); a picture that was indexed before has no row until it is looked for
    "CREATE TABLE looks (id INTEGER PRIMARY KEY, thumb BLOB NOT NULL, pixels BLOB NOT NULL, crc INTEGER NOT NULL)",
    *_counted("looks"),
    # what was indexed and is gone, with what is known of it (see `absent`); of one that had failed size is -1, and
    # width and height are null
    """CREATE TABLE absent (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT NULL, width INTEGER,
        height INTEGER, exif TEXT NOT NULL, given TEXT NOT NULL, since_ns INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE INDEX absent_sha256 ON absent (sha256)",
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    *_counted("absent"),
    *_counted("settings"),
    # a change of the model that is under way: the model to come, in one row; and the vectors that it has made, as in
    # pending and segments
    """CREATE TABLE next_model (
        model TEXT PRIMARY KEY, model_hash TEXT NOT NULL, dim INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE TABLE next_pending (id INTEGER PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)",
    "CREATE TABLE next_segments (name TEXT PRIMARY KEY, vectors INTEGER NOT NULL, crc INTEGER NOT NULL)",
    *_counted("next_model"),
    *_counted("next_pending"),
    *_counted("next_segments"),
)


_BELOW = "substr(path, instr(path, x'00') + 1)"  # a path without the archive

_HAS_NAME = "instr(path, x'0000') = 0"  # it is no vector
_NAME = f"substr({_BELOW}, 1 + length(CAST(rtrim({_BELOW}, replace({_BELOW}, '/', '')) AS BLOB)))"
NAMED = f"{_HAS_NAME} AND {_NAME} = ?"
"""In SQL: whether this is the last part of the path of a picture, as an index has it."""

SEVERAL = "CASE WHEN json_valid(exif) THEN json_extract(exif, '$.pages') > 1 END"
"""In SQL: whether a row of `metadata` is of a file with several pages."""

_VERSION_5 = (
    # what is counted or found by these indexes costs nothing for the other rows
    "CREATE INDEX items_failed ON items (path) WHERE state = 'failed'",
    f"CREATE INDEX items_name ON items ({_NAME}) WHERE {_HAS_NAME}",
    f"CREATE INDEX metadata_pages ON metadata (id) WHERE {SEVERAL}",
    "CREATE INDEX absent_path ON absent (path)",
    "CREATE INDEX absent_since ON absent (since_ns)",
    # one row, written with each transaction, or none before the first: how many items are indexed, and have failed
    "CREATE TABLE counts (indexed INTEGER NOT NULL, failed INTEGER NOT NULL, crc INTEGER NOT NULL)",
    # files of vectors of which all is in: a hash of their beginnings and ends, and how many items that made
    "CREATE TABLE marks (path BLOB PRIMARY KEY, ends BLOB NOT NULL, items INTEGER NOT NULL, crc INTEGER NOT NULL)",
    *_counted("marks"),
)

MIGRATIONS = (_VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5)
"""MIGRATIONS[v] brings a catalogue from version v to v + 1; an empty file is version 0. They may call `row_crc`."""

VERSION = len(MIGRATIONS)

UNTOLD = (
    # what a repair has not told yet, as JSON objects
    "CREATE TABLE untold (number INTEGER PRIMARY KEY, report TEXT NOT NULL, crc INTEGER NOT NULL)",
    *_counted("untold"),
)
"""Of no version: a repair makes it in any, and the one that ends well drops it."""
