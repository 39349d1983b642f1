"""A SQLite file whose damage is noticed and whose errors are ours; the only file that imports sqlite3.

SQLite has no page checksums, so every row carries one, checked whenever it is read, and a count and sum
of those of each table are kept beside it (see `schema`).
"""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
import threading
import urllib.parse
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from lookalike.collection.catalogue.beside import copy_beside
from lookalike.collection.catalogue.lost import lost
from lookalike.collection.catalogue.refused import refused
from lookalike.collection.catalogue.row_crc import row_crc
from lookalike.collection.catalogue.schema import APPLICATION_ID, MIGRATIONS, UNTOLD, VERSION
from lookalike.durable import sync
from lookalike.errors import BusyError, DamagedError, LookalikeError, NotAnIndexError, WriteError

Row = tuple[Any, ...]

_ENDINGS = ("", "-wal", "-shm")
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_REFUSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH)
_SHARED_MEMORY = (  # what WAL needs and a network drive has not
    sqlite3.SQLITE_IOERR_SHMMAP,
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_PROTOCOL,
)
_UNWRITTEN = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_DELETE,
)
_SHM_BYTES = 32 << 10  # at least
_LONG_WAL = 8 << 20  # bytes: twice what SQLite writes back by itself, where no reader is in its way
_PATIENCE = 5000  # milliseconds that a statement waits for a lock
_READERS = 500  # milliseconds: those that wait in a transaction begin another one several times meanwhile
_MEMORY = "/dev/shm"  # noqa: S108 (a file system in memory, where Linux has it)
_NONSENSE = re.compile("syntax error|incomplete input|no such function|within a transaction|no transaction is active")


class NewerVersionError(NotAnIndexError):
    """A file that this lookalike is too old for."""


class _Shared:
    """What all connections of this process to one file know.

    Attributes:
        commits: how many transactions they have committed.
        told: how many of them by connections that are closed: their writers are done.
        writer: the thread of the last one.
        long_wal: from so many bytes on the WAL is to begin anew.
    """

    def __init__(self) -> None:
        self.commits = self.told = 0
        self.writer = 0
        self.long_wal = _LONG_WAL


_shared = WeakValueDictionary[object, _Shared]()  # by `Database.file`, as long as one is open
_one_shares = threading.Lock()
os.register_at_fork(before=_one_shares.acquire, after_in_parent=_one_shares.release, after_in_child=_one_shares.release)


class Database:
    """An open file.

    Attributes:
        path: where it is.
        file: tells it from any that comes in its place.
        is_full: its disk had no room for what SQLite needs beside it: it can be read, as it was when it was opened.

    Raises, from every method:
        DamagedError: the file is truncated or altered.
        WriteError: it cannot be written, or the disk is full.
        BusyError: another process kept it locked.
    """

    def __init__(self, path: str) -> None:
        """Open the file at `path`, for writing where that is allowed.

        Raises:
            NotAnIndexError: no file there, not one of ours, or one of a newer version.
            WriteError: it is of an older version and may not be written.
        """
        self.path = path
        # Never opened but by SQLite and `open_beside`, which says why.
        if not os.path.lexists(path):
            raise lost(path, "no file") or NotAnIndexError(
                f"expected a catalogue at {path}, received no file; index a folder first"
            )
        self._closed, self._committed = False, 0  # as many transactions when this committed the last one
        self.file = _identity(path)  # before it is opened: a file that comes between is taken for a new one
        self.is_full = False
        try:
            self._connection = _connect(path)
        except WriteError as error:
            if not (_lacks_room(error) and _is_full(path)):
                raise
            self.is_full, self.file = True, _identity(path, exactly=True)
            self._connection = _connect_without_room(path, error)
        with _one_shares:
            self._shared = _shared.setdefault(self.file, _Shared())
        weakref.finalize(self, self._connection.close)
        try:
            self._configure()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def create(path: str, rows: dict[str, Sequence[Row]]) -> None:
        """Write a file with the tables of `schema`, and rows in some of them: whole, or not at all."""
        Database.replace(path, Database.prepare(path, rows))

    @staticmethod
    def prepare(path: str, rows: dict[str, Sequence[Row]]) -> str:
        """Write such a file under another name, which is returned."""
        fresh = f"{path}.new"
        try:
            for ending in _ENDINGS:
                _unlink(fresh + ending)
            with _translated(fresh):
                _write(fresh, rows)
        except WriteError:
            raise
        except OSError as error:
            raise refused(os.path.dirname(path), error) from error
        return fresh

    def copy_beside(self, path: str) -> str:
        """Write what is seen within `reading` under another name than `path`, which is returned; as `prepare`."""
        fresh = f"{path}.new"
        self.discard(fresh)
        try:
            with _translated(fresh), closing(sqlite3.connect(fresh)) as copy:
                self._connection.backup(copy)
            sync(fresh)
        except BaseException as error:
            self.discard(fresh)
            if isinstance(error, OSError) and not isinstance(error, WriteError):
                raise refused(os.path.dirname(path), error) from error
            raise
        return fresh

    @staticmethod
    def replace(path: str, fresh: str) -> None:
        """Let a file that is closed be the one at `path`, whose WAL is worth nothing any more."""
        try:
            for ending in ("-wal", "-shm"):
                _unlink(path + ending)  # one that outlived its database would be replayed into the new one
            os.rename(fresh, path)
            sync(os.path.dirname(path))
        except OSError as error:
            raise refused(os.path.dirname(path), error) from error

    @staticmethod
    def discard(fresh: str) -> None:
        """Delete what `prepare` wrote; WriteError where that is refused."""
        try:
            for ending in _ENDINGS:
                _unlink(fresh + ending)
        except OSError as error:
            raise refused(os.path.dirname(fresh), error) from error

    @property
    def is_replaced(self) -> bool:
        """Whether another file is at its path by now, as after a rescue; not told when closed.

        Where the disk was full, whether it has changed.
        """
        if self._closed:
            return False
        return _identity(self.path, exactly=self.is_full) != self.file

    @property
    def commits(self) -> int:
        """How many transactions this process has committed to the file, by whatever connection."""
        return self._shared.commits

    @property
    def commits_to_see(self) -> int:
        """How many of them this thread must see: its own, and those of whoever is done and has closed the file."""
        is_of_this_thread = self._shared.writer == threading.get_ident()
        return self._shared.commits if is_of_this_thread else self._shared.told

    @property
    def is_in_transaction(self) -> bool:
        with _translated(self.path):
            return self._connection.in_transaction

    @property
    def takes_changes(self) -> bool:
        """Whether this user may change it, and what others commit is seen."""
        return not self.is_full and _may_write(self.path)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with _one_shares:
            self._shared.told = max(self._shared.told, self._committed)
        self._closed = True
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One snapshot of the whole file, whatever others commit meanwhile."""
        with self._transaction("BEGIN"):
            yield

    def begin(self) -> None:
        """Begin a transaction that reads one snapshot, until `end`."""
        self.execute("BEGIN")

    def end(self) -> None:
        """End it; where there is none, that is fine."""
        if self.is_in_transaction:
            self.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is on the disk at the end, or none of it."""
        if self.is_full:
            raise _full(self.path)
        if _wal_size(self.path) >= self._shared.long_wal and not self.is_in_transaction:
            self._shorten_wal()
        with self._transaction("BEGIN IMMEDIATE"):
            yield
            try:
                self.execute("COMMIT")
            finally:
                if not self.is_in_transaction:  # also where a Ctrl-C came behind it
                    with _one_shares:
                        self._committed = self._shared.commits = self._shared.commits + 1
                        self._shared.writer = threading.get_ident()

    def execute(self, statement: str, values: Row = ()) -> list[Row]:
        with _translated(self.path):
            return self._connection.execute(statement, values).fetchall()

    def each(self, statement: str, values: Row = ()) -> Iterator[Row]:
        """As `execute`, a row at a time."""
        with _translated(self.path):
            yield from self._connection.execute(statement, values)

    def define(self, name: str, function: Callable[[Any], str | int | float | bytes | None]) -> None:
        """Let statements call a function of one value, which raises nothing and always gives the same for the same."""
        with _translated(self.path):
            self._connection.create_function(name, 1, function, deterministic=True)

    def execute_many(self, statement: str, values: Iterable[Row]) -> None:
        with _translated(self.path):
            self._connection.executemany(statement, values)

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows, each with its checksum."""
        with _translated(self.path):
            _insert(self._connection, table, rows)

    def select(self, table: str, columns: str, condition: str, values: Row) -> list[Row]:
        """The rows that fulfil a condition, once each is found intact; `columns` names all but `crc`."""
        rows = self.execute(f"SELECT {columns}, crc FROM {table} WHERE {condition}", values)  # noqa: S608
        return [row[:-1] for row in self._intact(table, rows)]

    def select_all(self, table: str, columns: str, crc_of: Callable[[Row], int] = row_crc) -> list[Row]:
        """Every row of a table by its primary key, once all are found intact and none missing."""
        key = columns.partition(",")[0]
        rows = self.execute(f"SELECT {columns}, crc FROM {table} ORDER BY {key}")  # noqa: S608
        self._intact(table, rows, crc_of)
        self.require_whole(table, len(rows), sum(row[-1] for row in rows))
        return [row[:-1] for row in rows]

    def total(self, table: str) -> tuple[int, int]:
        """How many rows a table has, and the sum of their checksums; neither reads them."""
        rows = self.execute("SELECT rows, digest FROM totals WHERE name = ?", (table,))
        if len(rows) != 1 or not all(type(value) is int for value in rows[0]):
            raise self.damaged(f"no total of its table {table}")
        return rows[0][0], rows[0][1]

    def refuses_writing(self) -> bool:
        """Whether the file takes no change though this user may write it: its header is damaged."""
        if self.is_full or not _may_write(self.path):
            return False
        try:
            with self._transaction("BEGIN IMMEDIATE"):
                return False
        except BusyError:
            return False
        except WriteError:
            return True

    def problems(self) -> list[str]:
        """What SQLite finds wrong with the structure of the file; nothing where all is well."""
        try:
            found = [text for (text,) in self.execute("PRAGMA integrity_check(20)") if text != "ok"]
            if not found:
                self._walk_indexes()  # of an empty one, the check passes a root page of another kind
        except DamagedError as error:
            return [str(error)]
        return found

    def _walk_indexes(self) -> None:
        for name, table, sql in self.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index'"):
            condition = str(sql or "").partition(" WHERE ")[2] or "true"  # a partial index serves its rows alone
            table, name = (str(text).replace('"', '""') for text in (table, name))  # they may be damaged
            by_index, by_rows = (
                self.execute(f'SELECT count(*) FROM "{table}" {how} WHERE {condition}')  # noqa: S608
                for how in (f'INDEXED BY "{name}"', "NOT INDEXED")
            )
            if by_index != by_rows:  # of a partial one, the check passes more
                raise self.damaged(f"an index of its table {table} with other rows")

    def require_whole(self, table: str, rows: int, digest: int, wrong: int = 0) -> None:
        """Raise DamagedError where these are not as many rows as were written, or some have a `wrong` checksum."""
        if wrong:
            raise self.damaged(f"{wrong} of {rows} rows of its table {table} with a wrong checksum")
        if self.total(table) != (rows, digest):
            raise self.damaged(f"{rows} rows in its table {table}, which are not those written last")

    def compact(self) -> None:
        """Give free pages back to the file system; not inside a transaction."""
        if self.is_full:
            raise _full(self.path)
        with _translated(self.path):
            # a script, because `execute` takes only the first step of it, which frees one page
            self._connection.executescript("PRAGMA incremental_vacuum")

    def damaged(self, found: str) -> DamagedError:
        return DamagedError(_damage(self.path, found))

    def _shorten_wal(self) -> None:
        """Write the WAL back and cut it off. Readers who never stop keep SQLite from that, unless one waits for them.

        Where one reads for long, the next attempt is made when the WAL is twice as long.
        """
        self._shared.long_wal = 2 * _wal_size(self.path)
        with suppress(BusyError, WriteError):  # nothing is lost
            try:
                self.execute(f"PRAGMA busy_timeout = {_READERS}")
                ((is_busy, _, _),) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if not is_busy:
                    self._shared.long_wal = _LONG_WAL
            finally:
                self.execute(f"PRAGMA busy_timeout = {_PATIENCE}")

    def _configure(self) -> None:
        with _translated(self.path):
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute("PRAGMA cell_size_check = ON")
            _make_durable(self._connection)
            (application_id,) = self._connection.execute("PRAGMA application_id").fetchone()
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application_id != APPLICATION_ID:
            raise _foreign(self.path)
        if version > VERSION:
            self._refuse_version(version)
        if version < VERSION:
            with self.writing(), _translated(self.path):
                _migrate(self._connection)

    def _refuse_version(self, version: int) -> NoReturn:
        """A version has a layout of its own: where this is ours, or the file damaged, the number may be wrong."""
        if _layout(self._connection) == _our_layout():
            raise self.damaged(f"the version number {version}, but the tables of version {VERSION}")
        if self.problems():
            raise self.damaged(f"version {version}, as of a newer lookalike, but a broken structure")
        raise NewerVersionError(
            f"expected a catalogue of version {VERSION} or older in {self.path}, received version "
            f"{version}, which a newer lookalike wrote; upgrade lookalike"
        )

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if self.is_in_transaction:
            raise RuntimeError("a transaction within a transaction")  # which would end the outer one
        try:
            self.execute(begin)  # within, lest a Ctrl-C behind it leave the transaction open
            yield
        finally:
            self.end()

    def _intact(self, table: str, rows: list[Row], crc_of: Callable[[Row], int] = row_crc) -> list[Row]:
        wrong = sum(crc_of(row[:-1]) != row[-1] for row in rows)
        if wrong:
            raise self.damaged(f"{wrong} of {len(rows)} rows of its table {table} with a wrong checksum")
        return rows


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    if rows:
        marks = ", ".join("?" * (len(rows[0]) + 1))
        statement = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608
        connection.executemany(statement, [(*row, row_crc(row)) for row in rows])


def _identity(path: str, *, exactly: bool = False) -> tuple[object, ...] | None:
    """Which file it is; `exactly`, in which state it and its WAL are."""
    try:
        status = os.stat(path)
        file = status.st_dev, status.st_ino
        return (*file, status.st_size, status.st_mtime_ns, _wal_size(path)) if exactly else file
    except OSError:
        return None  # what opens it says what is wrong


def _wal_size(path: str) -> int:
    try:
        return os.path.getsize(f"{path}-wal")
    except OSError:
        return 0  # what opens it says what is wrong


def _may_write(path: str) -> bool:
    return os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _write(path: str, rows: dict[str, Sequence[Row]]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    _add_functions(connection)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _make_durable(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("BEGIN")
        _migrate(connection)
        for statement in UNTOLD if "untold" in rows else ():
            connection.execute(statement)
        for table, values in rows.items():
            _insert(connection, table, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _add_functions(connection: sqlite3.Connection) -> None:
    connection.create_function("row_crc", -1, lambda *values: row_crc(values), deterministic=True)


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, inside a transaction; another process may have done so meanwhile."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for statement in (statement for later in MIGRATIONS[version:] for statement in later):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _layout(connection: sqlite3.Connection) -> list[Row]:
    """The tables, indexes and triggers, as they were defined, but for those that come and go."""
    with suppress(sqlite3.DatabaseError, UnicodeDecodeError):  # damaged: none of ours
        return connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'untold' ORDER BY name, type"
        ).fetchall()
    return []


def _our_layout() -> list[Row]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _add_functions(connection)
        _migrate(connection)
        return _layout(connection)


def _make_durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's cache


def _connect(path: str) -> sqlite3.Connection:
    """The best connection that the place allows: read-write, read-only, or to an immutable file.

    A file in WAL mode on a read-only place can be read as it is when it has no WAL beside it.
    """
    if _may_write(path):
        return _open(path, "mode=rw")
    try:
        return _open(path, "mode=ro")
    except WriteError:
        if os.path.exists(f"{path}-wal"):
            raise
        return _open(path, "mode=ro&immutable=1")


def _lacks_room(error: WriteError) -> bool:
    """Whether there was none for the file beside the WAL."""
    return getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHMSIZE


def _is_full(path: str) -> bool:
    """Whether its disk has no room for that file: then it is not the file that cannot be written."""
    disk = os.statvfs(os.path.dirname(path))
    return disk.f_bavail * disk.f_frsize < _SHM_BYTES


def _connect_without_room(path: str, error: WriteError) -> sqlite3.Connection:
    """A connection for who reads: without a WAL to the file as it is, else to a copy of both where there is room."""
    if _wal_size(path) == 0:
        return _open(path, "mode=ro&immutable=1")
    for folder in (None, _MEMORY):
        with suppress(OSError, WriteError), tempfile.TemporaryDirectory(prefix="lookalike-", dir=folder) as private:
            copy = os.path.join(private, os.path.basename(path))
            for ending in ("", "-wal"):
                copy_beside(path + ending, copy + ending)
            return _open(copy, "mode=rw")  # what it has opened stays until it is closed
    raise error


def _open(path: str, mode: str) -> sqlite3.Connection:
    location = f"file:{urllib.parse.quote(os.fsencode(path))}?{mode}"
    with _translated(path):
        connection = sqlite3.connect(
            location, uri=True, isolation_level=None, check_same_thread=False, timeout=_PATIENCE / 1000
        )
        _add_functions(connection)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        if "closed database" not in str(error):
            raise  # a mistake of this package
        raise closed() from error
    except sqlite3.DatabaseError as error:
        if _is_mistake(error):
            raise
        raise translate(path, error) from error
    except UnicodeDecodeError as error:  # SQLite quotes a damaged name in its message
        raise DamagedError(_damage(path, "text that is not UTF-8")) from error


def _is_mistake(error: sqlite3.Error) -> bool:
    """Whether SQLite was asked for what it would refuse of an intact file, too."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code == sqlite3.SQLITE_ERROR and _NONSENSE.search(str(error)) is not None


def closed() -> LookalikeError:
    return LookalikeError("expected an open collection, received one that was closed; open it again")


def translate(path: str, error: sqlite3.Error) -> LookalikeError:
    """Ours for one of SQLite's: damage is told from a full disk, from a lock, and from what may not be read."""
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    code = extended & 0xFF
    folder = os.path.dirname(path)
    if extended in _SHARED_MEMORY:
        return WriteError(
            f"expected {folder} on a local disk, received {error}, as on a network drive; keep the "
            "collection on a local disk by `lookalike index SRC --to PATH`"
        )
    if code in _LOCKED:
        return BusyError(f"expected {path} to be free, received {error}: another process has it; try later")
    if code == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_SHMSIZE:
        return _full(path)
    if extended in _UNWRITTEN:
        return WriteError(f"expected to write {path}, received {error}; check the disk, and run it again")
    if code in _REFUSED:
        return WriteError(
            f"expected permission to write in {folder}, received {error}; allow it, or index into another "
            "place by `lookalike index SRC --to PATH`"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return _foreign(path)
    return DamagedError(_damage(path, str(error)))


def _full(path: str) -> WriteError:
    return WriteError(
        f"expected room to write {path}, received a full disk; make room and run it again: it goes on where it stopped"
    )


def _foreign(path: str) -> LookalikeError:
    return lost(path, "a file that is no such database") or NotAnIndexError(
        f"expected a catalogue of lookalike in {path}, received an empty file, or one of another program, or one "
        f"damaged at its start; name another place, or mend it by `lookalike repair {os.path.dirname(path)}`"
    )


def _damage(path: str, found: str) -> str:
    return (
        f"expected the catalogue {path} as it was written, received {found}: it is damaged; mend it by "
        f"`lookalike repair {os.path.dirname(path)}` (your files are not touched)"
    )
