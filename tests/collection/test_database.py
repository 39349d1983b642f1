"""Damage is noticed, and SQLite's errors never come through as they are."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.database_rescue import intact_rows
from lookalike.collection.catalogue.row_crc import row_crc
from lookalike.errors import DamagedError, NotAnIndexError, WriteError

from .conftest import Python

DIM = 8

_OTHER_LEAF = {0x0D: 0x0A, 0x0A: 0x0D}  # the kind of a page without pages below it, of a table and of an index

Damage = Callable[[bytes, random.Random], Iterator[bytes]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalogue with 50 items, of which 5 failed, and 45 pending vectors."""
    place = tmp_path / "catalogue.sqlite"
    Catalogue.create(str(place), model="m", model_hash="h", dim=DIM, metric="cosine")
    with closing(Catalogue(str(place))) as catalogue, catalogue.writing():
        catalogue.add_roots([b".", b"../other"])
        items = [
            Item(0, b"%d.png" % i, 100 + i, 10**18 + i, bytes([i]) * 32, 640, 480, "indexed", None) for i in range(45)
        ]
        failed = [Item(0, b"%d.bad" % i, i, i, None, None, None, "failed", "not a picture") for i in range(5)]
        catalogue.add(items + failed, [*np.eye(45, DIM, dtype=np.float32) + 1, *[None] * 5])
        catalogue.seal("000001.segment", 45, [], [])
        catalogue.remove([1, 2])
        catalogue.add([items[0]], [np.ones(DIM, np.float32)])
    return place


def contents(path: Path) -> list[object]:
    """All that a catalogue says."""
    with closing(Catalogue(str(path))) as catalogue, catalogue.reading() as about:
        ids, vectors = catalogue.pending()
        items = catalogue.items()
        for item in items:
            if item.sha256 and (twin := catalogue.with_sha256(item.sha256)):
                assert twin.sha256 == item.sha256
        return [about, catalogue.roots(), items, ids.tolist(), vectors.tolist(), catalogue.segments()]


def without_news(path: Path) -> None:
    for end in ("-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def flips(data: bytes, dice: random.Random) -> Iterator[bytes]:
    for _ in range(400):
        damaged = bytearray(data)
        damaged[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        yield bytes(damaged)


def smears(data: bytes, dice: random.Random) -> Iterator[bytes]:
    for _ in range(200):
        damaged = bytearray(data)
        start = dice.randrange(len(data) - 64)
        damaged[start : start + 64] = dice.randbytes(64)
        yield bytes(damaged)


def misplaced_pages(data: bytes, dice: random.Random) -> Iterator[bytes]:
    pages = len(data) // 4096
    for _ in range(200):
        damaged = bytearray(data)
        to, of = dice.randrange(pages), dice.randrange(pages)
        damaged[to * 4096 : (to + 1) * 4096] = data[of * 4096 : (of + 1) * 4096]
        yield bytes(damaged)


def truncations(data: bytes, dice: random.Random) -> Iterator[bytes]:
    for _ in range(200):
        yield data[: dice.randrange(len(data))]


@pytest.mark.parametrize("damage", [flips, smears, misplaced_pages, truncations], ids=lambda f: f.__name__)
def test_damage_is_refused_or_harmless(path: Path, damage: Damage) -> None:
    expected, data = contents(path), path.read_bytes()
    refused = 0
    for damaged in damage(data, random.Random(7)):
        path.write_bytes(damaged)
        without_news(path)
        try:
            assert contents(path) == expected
        except (DamagedError, NotAnIndexError):
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE items SET size = size + 1 WHERE id = 7", "items"),
        ("UPDATE items SET path = x'00' WHERE id = 7", "items"),
        ("UPDATE items SET state = 'failed' WHERE id = 7", "items"),
        ("UPDATE items SET path = CAST(path AS TEXT) WHERE id = 7", "items"),  # as one flipped bit does
        ("UPDATE items SET state = CAST(state AS BLOB) WHERE id = 7", "items"),
        ("DELETE FROM items WHERE id = 7", "items"),
        ("UPDATE pending SET vector = zeroblob(32)", "pending"),
        ("DELETE FROM pending", "pending"),
        ("UPDATE roots SET path = x'41' WHERE path = x'2e'", "roots"),
        ("UPDATE segments SET name = '000002.segment'", "segments"),
        ("UPDATE about SET next_id = 1", "about"),
        ("DELETE FROM about", "about"),
    ],
)
def test_a_row_changed_or_lost_behind_our_back_is_refused(path: Path, statement: str, table: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for event in ("INSERT", "UPDATE", "DELETE"):
            if table != "about":
                connection.execute(f"DROP TRIGGER {table}_{event}")
        connection.execute(statement)
        connection.commit()
    with pytest.raises(DamagedError, match=f"table {table}.*mend it by `lookalike repair"):
        contents(path)


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_page_that_a_table_or_an_index_begins_at_is_of_its_kind(path: Path, is_empty: bool) -> None:
    """The check that SQLite has passes an index without entries whose page says that it is a table's."""
    if is_empty:
        path.unlink()
        without_news(path)
        Catalogue.create(str(path), model="m", model_hash="h", dim=DIM, metric="cosine")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        begins = connection.execute("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0").fetchall()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    without_news(path)
    data = path.read_bytes()
    leaves = [(name, at) for name, page in begins if data[at := (page - 1) * size] in _OTHER_LEAF]
    assert {"absent_sha256", "items_sha256", "sqlite_autoindex_roots_1"} <= {name for name, _ in leaves}
    for name, at in leaves:
        path.write_bytes(data[:at] + bytes([_OTHER_LEAF[data[at]]]) + data[at + 1 :])
        without_news(path)
        try:
            with closing(Catalogue(str(path))) as catalogue:
                assert catalogue.problems(), name
        except (DamagedError, NotAnIndexError):
            pass  # as well


def test_an_index_of_sqlite_that_points_to_another_content_is_refused(path: Path) -> None:
    sha256 = bytes([5]) * 32
    with closing(Catalogue(str(path))) as catalogue:
        item = catalogue.with_sha256(sha256)
        assert item
    other = item._replace(sha256=bytes([99]) * 32)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        hidden = connection.execute("SELECT * FROM sqlite_master WHERE name = 'items_sha256'").fetchone()
        connection.execute("DELETE FROM sqlite_master WHERE name = 'items_sha256'")
        connection.commit()
    with closing(sqlite3.connect(path)) as connection:  # the index does not see this
        changed = (other.sha256, row_crc(other), other.id)
        connection.execute("UPDATE items SET sha256 = ?, crc = ? WHERE id = ?", changed)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", hidden)
        connection.commit()
    with closing(Catalogue(str(path))) as catalogue, pytest.raises(DamagedError, match="wrong checksum"):
        catalogue.with_sha256(sha256)


def test_an_index_of_sqlite_that_misses_a_row_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            """UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master
            WHERE name = 'sqlite_autoindex_roots_1') WHERE name = 'sqlite_autoindex_items_1'"""
        )
        connection.commit()
    with closing(Catalogue(str(path))) as catalogue:
        assert catalogue.with_path(b"nowhere.png") is None
        with pytest.raises(DamagedError, match="misses a row of its table items"):
            catalogue.with_path(b"7.png")


@pytest.mark.parametrize(("index", "other"), [("items_failed", "items_sha256"), ("items_name", "items_failed")])
def test_a_partial_index_that_has_the_rows_of_another_is_found(path: Path, index: str, other: str) -> None:
    """SQLite's own check passes it."""
    with closing(sqlite3.connect(path)) as connection:
        pages = dict(connection.execute("SELECT name, rootpage FROM sqlite_master"))
    data = path.read_bytes()
    to, of = ((pages[name] - 1) * PAGE for name in (index, other))
    path.write_bytes(data[:to] + data[of : of + PAGE] + data[to + PAGE :])
    with closing(Catalogue(str(path))) as catalogue:
        assert catalogue.problems()
        if index == "items_failed":
            with pytest.raises(DamagedError):
                catalogue.failed()


def test_a_schema_by_which_ids_are_no_keys_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'PRIMARY KEY', '') WHERE name = 'pending'")
        connection.commit()
    with closing(Catalogue(str(path))) as catalogue, pytest.raises(DamagedError, match="id that is no number"):
        catalogue.pending_ids()


def test_a_damaged_name_that_sqlite_quotes_is_damage_to_a_rescue_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET name = CAST(x'69a8' AS TEXT), sql = 'CREATE x' WHERE name = 'items_sha256'"
        )
        connection.commit()
    with pytest.raises(DamagedError, match="not UTF-8"):
        Catalogue(str(path))
    assert not any(intact_rows(str(path)).values())


PAGE = 4096


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A catalogue of 1,000 items, which take many pages."""
    place = tmp_path / "many.sqlite"
    Catalogue.create(str(place), model="m", model_hash="h", dim=DIM, metric="cosine")
    with closing(Catalogue(str(place))) as catalogue, catalogue.writing():
        failed = [Item(0, b"%d.bad" % i, i, i, None, None, None, "failed", "not a picture") for i in range(1000)]
        catalogue.add(failed, [None] * len(failed))
    without_news(place)
    return place


def leaves(path: Path) -> list[int]:
    """Where the pages of the items begin, in the order of their rows (sqlite.org/fileformat2.html, 1.6)."""
    with closing(sqlite3.connect(path)) as connection:
        ((root,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'items'")
    data, start = path.read_bytes(), (root - 1) * PAGE
    assert data[start] == 5, "its root has leaves"
    cells = [start + number(data, at) for at in range(start + 12, start + 12 + 2 * number(data, start + 3), 2)]
    pages = [int.from_bytes(data[at : at + 4], "big") for at in (*cells, start + 8)]
    return [(page - 1) * PAGE for page in pages]


def number(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def test_a_rescue_loses_the_rows_of_a_damaged_page_alone(many: Path) -> None:
    whole, place = intact_rows(str(many))["items"], leaves(many)[3]
    data = bytearray(many.read_bytes())
    data[place] = 255  # no kind of page
    many.write_bytes(data)
    found = intact_rows(str(many))["items"]
    first = next(row[0] for row, other in zip(whole, found, strict=False) if row != other)
    rows = number(data, place + 3)
    assert found == [row for row in whole if not first <= row[0] < first + rows]


@pytest.mark.parametrize("key", [b"\x80\x04", b"\xbf\x04"], ids=["earlier", "later"])
def test_a_rescue_ends_and_loses_no_more_though_a_row_before_the_damage_has_a_wrong_key(many: Path, key: bytes) -> None:
    whole, (*_, before, place) = {row[0]: row for row in intact_rows(str(many))["items"]}, leaves(many)[:4]
    data = bytearray(many.read_bytes())
    for cell in (-2, -1):
        at = before + number(data, before + 8 + 2 * (number(data, before + 3) + cell))
        assert data[at] < 128 <= data[at + 1]
        data[at + 1 : at + 3] = key  # after the size of the row
    data[place] = 255
    many.write_bytes(data)
    found = intact_rows(str(many))["items"]
    assert [whole[row[0]] for row in found] == found
    lost = sorted(whole.keys() - {row[0] for row in found})
    assert lost == [*range(lost[0], lost[0] + 2 + number(data, place + 3))], "the two, and the page behind them"


@pytest.mark.parametrize("damage", [smears, misplaced_pages], ids=lambda f: f.__name__)
def test_what_a_rescue_finds_is_as_it_was(many: Path, damage: Damage) -> None:
    whole = {row[0]: row for row in intact_rows(str(many))["items"]}
    for damaged in islice(damage(many.read_bytes(), random.Random(3)), 60):
        many.write_bytes(damaged)
        without_news(many)
        found = intact_rows(str(many))["items"]
        assert all(whole[row[0]] == row for row in found)


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(NotAnIndexError, match="another program"):
        Catalogue(str(path))


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.write_text("not a database")
    with pytest.raises(NotAnIndexError, match=r"catalogue\.sqlite"):
        Catalogue(str(path))


def test_a_missing_file_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    with pytest.raises(NotAnIndexError, match="no file"):
        Catalogue(str(path))
    assert not path.exists()


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.touch()
    with pytest.raises(NotAnIndexError, match="empty"):
        Catalogue(str(path))
    assert path.stat().st_size == 0


def test_an_interrupt_right_behind_a_begin_leaves_no_transaction_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Catalogue(str(path))) as catalogue:
        database = catalogue._database
        execute = database.execute

        def interrupted(statement: str) -> None:
            execute(statement)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(database, "execute", interrupted)
            with pytest.raises(KeyboardInterrupt), catalogue.writing():
                pass
        with catalogue.writing():
            catalogue.add_roots([b"new"])
        assert b"new" in catalogue.roots()


def test_opening_twice_in_a_process_drops_no_lock(path: Path, python: Python) -> None:
    """A lock lost would let another process, closing, take itself for the last and delete the WAL."""
    with closing(Catalogue(str(path))) as first:
        with first.writing():
            first.add_roots([b"new"])
        Catalogue(str(path)).close()
        script = (
            "import sys; from lookalike.collection.catalogue.catalogue import Catalogue; Catalogue(sys.argv[1]).close()"
        )
        assert python(script, path).returncode == 0
        assert Path(f"{path}-wal").exists()


def test_a_newer_version_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("ALTER TABLE items ADD COLUMN later TEXT")
    with pytest.raises(NotAnIndexError, match=r"version 99.*upgrade lookalike"):
        Catalogue(str(path))


def test_creating_where_nothing_may_be_written(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="permission"):
        Catalogue.create(str(tmp_path / "missing" / "c.sqlite"), model="m", model_hash="h", dim=1, metric="dot")


def test_the_checksum_is_the_one_that_was_written_by_the_first_version() -> None:
    row = (1, b"a\xff.png", 10, -5, None, "Bär")
    assert row_crc(row) == 1671234460


def test_a_catalogue_that_nobody_holds_is_closed(path: Path) -> None:
    catalogue = Catalogue(str(path))
    connection = catalogue._database._connection
    del catalogue
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")


def test_a_transaction_within_another_is_a_mistake_and_ends_neither(path: Path) -> None:
    with closing(Database(str(path))) as database, database.writing():
        database.insert("roots", [(b"kept",)])
        with pytest.raises(RuntimeError, match="within a transaction"), database.reading():
            pass
        with pytest.raises(RuntimeError, match="within a transaction"), database.writing():
            pass
    with closing(Database(str(path))) as database:
        assert database.select("roots", "path", "path = ?", (b"kept",)) == [(b"kept",)]


@pytest.mark.parametrize("statement", ["SELEKT 1", "SELECT", "SELECT nothing_such(1)", "COMMIT"])
def test_a_mistake_in_a_statement_is_not_taken_for_damage(path: Path, statement: str) -> None:
    with closing(Database(str(path))) as database, pytest.raises(sqlite3.OperationalError):
        database.execute(statement)
