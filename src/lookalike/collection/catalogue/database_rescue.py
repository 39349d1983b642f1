"""The rows of a damaged SQLite file that are as they were written, wherever the damage lies."""

from __future__ import annotations

import os
import shutil
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from lookalike.collection.catalogue.beside import copy_beside, open_beside
from lookalike.collection.catalogue.database import Database, Row, translate
from lookalike.collection.catalogue.refused import refused
from lookalike.collection.catalogue.row_crc import row_crc
from lookalike.durable import sync
from lookalike.errors import DamagedError, NotAnIndexError

_TABLES = {  # with the key to go along, and the columns
    "about": ("rowid", "uuid, model, model_hash, dim, metric, created_ns, updated_ns, generation, next_id"),
    "roots": ("rowid", "path"),
    "containers": ("rowid", "path, kind, options, size, mtime_ns, passed"),
    "items": ("rowid", "id, path, size, mtime_ns, sha256, width, height, state, reason"),
    "pending": ("rowid", "id, vector"),
    "segments": ("rowid", "name, vectors"),
    "removed": ("rowid", "id"),
    "next_model": ("rowid", "model, model_hash, dim"),
    "next_segments": ("rowid", "name, vectors"),
    "metadata": ("rowid", "id, exif, given"),
    "absent": ("rowid", "id, path, size, sha256, width, height, exif, given, since_ns"),
    "settings": ("rowid", "name, value"),
    "untold": ("rowid", "number, report"),
}
_BEYOND = 2**62
_HEADER, _PAGE = 100, 4096  # bytes: sqlite.org/fileformat2.html, 1.3
_REFUSALS = (sqlite3.Error, UnicodeDecodeError)


def intact_rows(path: str) -> dict[str, list[Row]]:
    """By table, the rows with a right checksum, without it; none of a table that cannot be read at all, or of no file.

    Under "totals" is, where it can be read, how many rows each table should have: no checksum covers it.

    Raises:
        WriteError, BusyError: reading failed for another reason than damage: nothing is known of the rest.
    """
    if not os.path.lexists(path):
        return _nothing()
    with _mended(path) as readable:
        return _read(readable)


def take_in_wal(path: str) -> None:
    """Let the file alone hold what it and its WAL hold, so that the WAL may go before the file is replaced."""
    if not os.path.exists(f"{path}-wal"):
        return
    with _mended(path, as_copy=True) as copy:
        with suppress(*_REFUSALS), closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as does, where the schema is damaged, closing it
        if os.path.exists(f"{copy}-wal") and os.path.getsize(f"{copy}-wal"):
            return  # nothing can be read of it either
        try:
            sync(copy)
            os.rename(copy, path)  # with the WAL still beside it: to write that into it again changes nothing
            sync(os.path.dirname(path))
        except OSError as error:
            raise refused(os.path.dirname(path), error) from error


@contextmanager
def _mended(path: str, *, as_copy: bool = False) -> Iterator[str]:
    """The file itself, or where its header is damaged a copy with the header as we write it."""
    copy = f"{path}.rescue"
    try:
        try:
            readable = path if not as_copy and _is_right(path) else _copy_mended(path, copy)
        except OSError as error:
            raise refused(os.path.dirname(path), error) from error
        yield readable
    finally:
        Database.discard(copy)


def _is_right(path: str) -> bool:
    header = open_beside(path).read(_HEADER)
    return header == _right(header, os.path.getsize(path))


def _copy_mended(path: str, copy: str) -> str:
    Database.discard(copy)  # what a killed process left: its WAL would be replayed into this one
    # The WAL first: a reader that closes last meanwhile writes it into the file, and deletes it.
    with suppress(FileNotFoundError):
        shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    copy_beside(path, copy)
    with open(copy, "r+b") as file:
        header = file.read(_HEADER)
        if len(header) == _HEADER:
            file.seek(0)
            file.write(_right(header, os.path.getsize(copy)))
    return copy


def _right(header: bytes, length: int) -> bytes:
    """The header as we write it of a file of so many bytes, with what may vary as it is (fileformat2.html, 1.3)."""
    size = int.from_bytes(header[16:18], "big")
    if size not in (1, *(1 << n for n in range(9, 16))):
        size = _PAGE
    pages = min(int.from_bytes(header[28:32], "big"), length // size)
    return b"".join(
        (
            b"SQLite format 3\0" + size.to_bytes(2, "big") + bytes([2, 2, 0, 64, 32, 32]),
            header[24:28] + pages.to_bytes(4, "big") + header[32:44] + (4).to_bytes(4, "big"),
            header[48:56] + (1).to_bytes(4, "big") + header[60:72] + bytes(20) + header[92:],
        )
    )


def _read(path: str) -> dict[str, list[Row]]:
    location = f"file:{urllib.parse.quote(os.fsencode(path))}?mode=rw"  # what is in the WAL counts
    found = _nothing()
    try:
        connection = sqlite3.connect(location, uri=True, isolation_level=None)
    except _REFUSALS as error:
        _pass_damage_alone(path, error)
        return found
    with closing(connection):
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        for table, (key, columns) in _TABLES.items():
            query = f"SELECT {key}, {columns}, crc FROM {table} NOT INDEXED WHERE {key} >= ? ORDER BY {key}"  # noqa: S608
            rows = _intact_rows(path, connection, query)
            found[table] = list({row[0]: row for row in rows}.values())  # damage may show a row under two keys
        with suppress(*_REFUSALS):
            found["totals"] = connection.execute("SELECT name, rows FROM totals").fetchall()
    return found


def _nothing() -> dict[str, list[Row]]:
    return {table: [] for table in (*_TABLES, "totals")}


def _is_intact(row: Sequence[Any]) -> bool:
    try:
        return bool(row_crc(row[:-1]) == row[-1])
    except UnicodeEncodeError:  # text that was no UTF-8
        return False


def _pass_damage_alone(path: str, error: sqlite3.Error | UnicodeDecodeError) -> None:
    """A full disk or a lock is not to be taken for damage: intact rows would be left out."""
    if isinstance(error, UnicodeDecodeError):
        return  # SQLite quotes a damaged name
    ours = translate(path, error)
    if not isinstance(ours, DamagedError | NotAnIndexError):
        raise ours from error


def _intact_rows(path: str, connection: sqlite3.Connection, query: str) -> Iterator[Row]:
    """The rows with a right checksum, without it, by key: past what cannot be read, it goes on.

    It ends, whatever keys the damage shows: each row is either new, or goes on one key further.
    """
    seen: set[int] = set()
    start: int | None = 0
    limit = ""
    while start is not None and start <= _BEYOND:
        before = start
        try:
            for key, *row in connection.execute(query + limit, (start,)):
                if _is_intact(row) and key not in seen:
                    seen.add(key)
                    start = key + 1
                    yield tuple(row[:-1])
                else:  # its key may be anything, or of a page that is shown twice; what belongs here is no smaller
                    start += 1
            if not limit or start == before:
                return
            limit = ""
        except _REFUSALS as error:
            _pass_damage_alone(path, error)
            if limit:
                start = _past_damage(path, connection, query, start)
            limit = " LIMIT 1"  # Python keeps a row back until it has read the next, which may be the damaged one


def _past_damage(path: str, connection: sqlite3.Connection, query: str, start: int) -> int | None:
    """The smallest key above `start` from which on it reads, by doubling and halving; None if there is none."""

    def reads(key: int) -> bool:
        try:
            connection.execute(f"{query} LIMIT 1", (key,)).fetchone()
        except _REFUSALS as error:
            _pass_damage_alone(path, error)
            return False
        return True

    step = 1
    while not reads(start + step):
        step *= 2
        if start + step > _BEYOND:
            return None
    worst, best = start + step // 2, start + step
    while best - worst > 1:
        middle = (worst + best) // 2
        worst, best = (worst, middle) if reads(middle) else (middle, best)
    return best
