"""What is known of the items besides their looks: the facts in their EXIF, and those that were given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import intact
from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.matching import FUNCTIONS, kinds_of, matching, needs_metadata
from lookalike.collection.catalogue.schema import SEVERAL
from lookalike.errors import ArgumentError
from lookalike.facts import Facts, Kind, Value, parse
from lookalike.facts.check import check
from lookalike.facts.fact import MOST_BYTES, kind_of, to_json

MOST_FIELDS = 1000
"""Different names of given facts in a collection."""

_FIELDS = """SELECT DISTINCT fact.key, CASE fact.type
        WHEN 'integer' THEN 'number' WHEN 'real' THEN 'number' WHEN 'text' THEN 'text' WHEN 'array' THEN 'list'
        ELSE 'boolean' END
    FROM metadata, json_each(given) AS fact"""


class Known(NamedTuple):
    """The facts of an item, each a JSON object."""

    exif: str = "{}"
    given: str = "{}"


class Metadata:
    """The tables `metadata` and `fields` of a catalogue; the transactions are the catalogue's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._intact: dict[str, int] = {}  # by table, the generation whose rows were all read and found intact
        self._dropped: set[str] = set()  # in this transaction: what had been given, and nobody has now
        self._is_back = False  # in this transaction: something given
        for name, function in FUNCTIONS.items():
            database.define(name, function)

    def read_all(self) -> None:
        """DamagedError where a row is damaged or missing."""
        intact.require_intact(self._database, "metadata")
        self._fields()

    def of(self, item_id: int) -> Known:
        """What is known of an item; nothing where it has no row."""
        rows = self._database.select("metadata", "id, exif, given", "id = ?", (item_id,))
        return Known(*rows[0][1:]) if rows else Known()

    def facts_among(self, ids: NDArray[np.int64], generation: int) -> dict[int, Facts]:
        """The facts of items but for their files', by their ids; one that was given stands before one of EXIF.

        This is the `generation` that is read.

        Raises:
            DamagedError: a row is damaged or missing.
        """
        self._require_intact("metadata", generation)
        condition = "id IN (SELECT value FROM json_each(?))"
        rows = self._database.select("metadata", "id, exif, given", condition, (str(ids.tolist()),))
        return {item_id: json.loads(exif) | json.loads(given) for item_id, exif, given in rows}

    def given(self, item_id: int) -> Facts:
        """The facts that were given to an item."""
        facts: Facts = json.loads(self.of(item_id).given)
        return facts

    def unknown(self) -> set[int]:
        """The ids of the indexed items that have no row."""
        found = self._database.execute(
            "SELECT id FROM items WHERE state = 'indexed' AND id NOT IN (SELECT id FROM metadata)"
        )
        return {item_id for (item_id,) in found}

    def add(self, known: Mapping[int, Known]) -> None:
        """Write what is known of items that have no row yet."""
        self._database.insert("metadata", [(item_id, *facts) for item_id, facts in known.items()])
        self._dropped.difference_update(facts.given for facts in known.values())

    def bring_back(self, known: Mapping[int, Known]) -> None:
        """As `add`, of items whose facts nobody had meanwhile."""
        self.add(known)
        self._is_back = self._is_back or any(facts.given != Known().given for facts in known.values())

    def remove(self, ids: Iterable[int]) -> None:
        each = [(item_id,) for item_id in ids]
        for one in each:
            found = self._database.execute("SELECT given FROM metadata WHERE id = ? AND given <> '{}'", one)
            self._dropped.update(given for (given,) in found)
        self._database.execute_many("DELETE FROM metadata WHERE id = ?", each)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around a transaction: a name that nobody has any more is unknown after it."""
        self._dropped.clear()
        self._is_back = False
        yield
        if self._dropped or self._is_back:
            self._renew_fields()

    def give(self, facts: Mapping[int, Mapping[str, Value | None]]) -> None:
        """Give facts to items: those of other names stay, None takes one away.

        Raises:
            ArgumentError: an item would have more than `MOST_BYTES` of them, or the collection `MOST_FIELDS` names.
        """
        known = {item_id: _with(self.of(item_id), more) for item_id, more in facts.items()}
        self.remove(known)
        self.add(known)
        if self._renew_fields() > MOST_FIELDS:
            raise ArgumentError(f"expected at most {MOST_FIELDS:,} names of facts in a collection, received more")
        self._dropped.clear()

    def matching(self, where: str, generation: int) -> NDArray[np.int64]:
        """The ids of the indexed items that fulfil a condition, in order; this is the `generation` that is read.

        Raises:
            ArgumentError: it is no condition, or one on facts that nothing here has.
            DamagedError: a row that it is about to read is.
        """
        condition = parse(where)
        given = self._given()
        check(where, condition, kinds_of(given))
        self._require_intact("items", generation)
        if needs_metadata(condition, given):
            self._require_intact("metadata", generation)
        found = self._database.execute(*matching(condition, given))
        return np.fromiter((item_id for (item_id,) in found), np.int64, len(found))

    def of_several_pages(self, generation: int) -> int:
        """How many indexed items fulfil `pages > 1`; where nobody was given that fact, only these are looked at."""
        if "pages" in self._given():
            return len(self.matching("pages > 1", generation))
        ((number,),) = self._database.execute(
            "SELECT count(*) FROM metadata AS m CROSS JOIN items AS i ON i.id = m.id"  # noqa: S608
            f" WHERE {SEVERAL} AND i.state = 'indexed'"
        )
        return int(number)

    def kinds(self) -> dict[str, set[Kind]]:
        """The names that conditions may use, with the kinds of their values."""
        return kinds_of(self._given())

    def _given(self) -> dict[str, set[Kind]]:
        given: dict[str, set[Kind]] = {}
        for name, kind in self._fields():
            given.setdefault(name, set()).add(kind)
        return given

    def _renew_fields(self) -> int:
        """Let the table say which names were given, and to how many that amounts."""
        found = self._database.execute(_FIELDS)
        self._database.execute("DELETE FROM fields")
        self._database.insert("fields", found)
        return len({name for name, _ in found})

    def _fields(self) -> list[tuple[str, Kind]]:
        return self._database.select_all("fields", "name, kind")

    def _require_intact(self, table: intact.Table, generation: int) -> None:
        """Read every row once in each generation: SQL looks at no checksum."""
        if self._intact.get(table) != generation:
            intact.require_intact(self._database, table)
            self._intact[table] = generation


def fields_of(given: Iterable[str]) -> set[tuple[str, Kind]]:
    """The names in facts that were given, with the kinds of their values."""
    return {(name, kind_of(value)) for facts in given for name, value in json.loads(facts).items()}


def _with(known: Known, more: Mapping[str, Value | None]) -> Known:
    facts = json.loads(known.given) | more
    given = to_json({name: value for name, value in facts.items() if value is not None})
    if len(given.encode()) > MOST_BYTES:
        raise ArgumentError(
            f"expected at most {MOST_BYTES >> 10} KiB of facts for a picture, received more; give fewer"
        )
    return known._replace(given=given)
