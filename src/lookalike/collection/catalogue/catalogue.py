"""What a collection knows: its items, where they lie and what became of them; the one source of truth.

An item is one picture, or one vector of a file; `keys` says what it is called. Its id belongs to its content: an id's
vector changes with the model alone, and no id is used twice. Reads happen inside `reading`, one snapshot; writes
inside `writing`, one transaction.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.absent import Absent, Absents
from lookalike.collection.catalogue.containers import Container, Containers
from lookalike.collection.catalogue.counts import Counts, State
from lookalike.collection.catalogue.database import Database
from lookalike.collection.catalogue.file_facts import all_facts
from lookalike.collection.catalogue.intact import crc_of_item, require_intact
from lookalike.collection.catalogue.kept_rows import KeptRows
from lookalike.collection.catalogue.looks import Look, Looks
from lookalike.collection.catalogue.metadata import Known, Metadata
from lookalike.collection.catalogue.next_model import NextVectors
from lookalike.collection.catalogue.schema import NAMED
from lookalike.collection.catalogue.untold import Untold
from lookalike.errors import DamagedError, LookalikeError
from lookalike.facts import Facts
from lookalike.metric import Metric

NAME = "catalogue.sqlite"


class About(NamedTuple):
    """What a catalogue says of itself."""

    uuid: str
    model: str
    model_hash: str
    dim: int
    metric: Metric
    created_ns: int
    updated_ns: int
    generation: int
    next_id: int


class Item(NamedTuple):
    """One picture: indexed, or failed for a reason.

    Of a failed one the size and time are those of what cannot be read, and the hash is of what was indexed last, if
    anything was: by that it is known when it is back.
    """

    id: int
    path: bytes
    size: int
    mtime_ns: int
    sha256: bytes | None
    width: int | None
    height: int | None
    state: State
    reason: str | None


_ABOUT = ", ".join(About._fields)
_ITEM = ", ".join(Item._fields)
_VALUES = 500  # in a statement; older versions of SQLite take 999


class Catalogue:
    """An open catalogue; every method may raise what `Database` does."""

    def __init__(self, path: str) -> None:
        self._database = Database(path)
        self.metadata = Metadata(self._database)
        self.looks = Looks(self._database)
        self.untold = Untold(self._database)
        self.containers = Containers(self._database)
        self.counts = Counts(self._database)
        self.absent = Absents(self._database)
        self.kept = KeptRows(self._database)
        self.next = NextVectors(self._database, self)
        try:
            with self.reading():
                pass  # refuse a damaged file now, not at the first query
        except LookalikeError:
            self.close()
            raise

    @staticmethod
    def create(
        path: str,
        *,
        model: str,
        model_hash: str,
        dim: int,
        metric: Metric,
        roots: Iterable[bytes] = (),
        containers: Iterable[Container] = (),
    ) -> None:
        """Write a catalogue without items: whole, or not at all."""
        now = time.time_ns()
        about = About(uuid.uuid4().hex, model, model_hash, dim, metric, now, now, 0, 1)
        rows: dict[str, Sequence[tuple[Any, ...]]] = {
            "about": [about],
            "roots": [(root,) for root in dict.fromkeys(roots)],
            "containers": list(containers),
        }
        Database.create(path, rows)

    def copy_beside(self, path: str) -> str:
        """Write a copy of what is seen within `reading`; as `Database.copy_beside`."""
        return self._database.copy_beside(path)

    @staticmethod
    def replace(path: str, fresh: str) -> None:
        """As `Database.replace`."""
        Database.replace(path, fresh)

    @staticmethod
    def discard(fresh: str) -> None:
        """As `Database.discard`."""
        Database.discard(fresh)

    def close(self) -> None:
        self._database.close()

    @property
    def file(self) -> object:
        """Tells it from any that comes in its place."""
        return self._database.file

    @property
    def is_replaced(self) -> bool:
        """Whether another catalogue is at its path by now, and this one says nothing new any more; as `Database`."""
        return self._database.is_replaced

    @property
    def is_full(self) -> bool:
        """Whether its disk had no room when it was opened; as `Database`."""
        return self._database.is_full

    @property
    def commits(self) -> int:
        """How many transactions this process has committed to it; as `Database`."""
        return self._database.commits

    @property
    def commits_to_see(self) -> int:
        """How many of them this thread must see; as `Database`."""
        return self._database.commits_to_see

    @property
    def takes_changes(self) -> bool:
        """Whether this user may change it, and what others commit is seen."""
        return self._database.takes_changes

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot of the whole catalogue, whatever others commit meanwhile."""
        with self._database.reading():
            yield self.about()

    def begin(self) -> About:
        """Read one snapshot of it until `end`, instead of within `reading`."""
        self._database.begin()
        try:
            return self.about()
        except BaseException:
            self._database.end()
            raise

    def end(self) -> None:
        """End what `begin` began; where it has ended, that is fine."""
        self._database.end()

    @property
    def has_begun(self) -> bool:
        """Whether it is within what `begin` began."""
        return self._database.is_in_transaction

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is on the disk at the end, or none of it."""
        with self._database.writing():
            with self.metadata.writing():
                yield
            self.counts.keep()
            about = self.about()
            self._replace(about._replace(generation=about.generation + 1, updated_ns=time.time_ns()))

    def about(self) -> About:
        rows = self._database.select("about", _ABOUT, "true", ())
        if len(rows) != 1:
            raise self._database.damaged(f"{len(rows)} rows in its table about, which has one")
        return About._make(rows[0])

    def rename_model(self, name: str) -> None:
        """The same model has another name now."""
        self._replace(self.about()._replace(model=name))

    def change_model(self, removed: Iterable[int]) -> None:
        """Let the model to come be the model, and the vectors that it has made the vectors; as `put_in_place`."""
        model = self.next.model()
        if model is None:
            raise self.damaged("no model to change to")
        self.next.put_in_place(removed)
        self._replace(self.about()._replace(**model._asdict()))

    def roots(self) -> list[bytes]:
        """The folders and files that were given to be indexed."""
        return [path for (path,) in self._database.select_all("roots", "path")]

    def items(self) -> list[Item]:
        """Every item, by id."""
        return list(map(Item._make, self._database.select_all("items", _ITEM, crc_of_item)))

    def ids_under(self, container: bytes, state: State) -> NDArray[np.int64]:
        """The ids of these, ascending; their rows are not looked at."""
        condition = "path > ? AND path < ? AND state = ?"
        return np.sort(self._ids(f"SELECT id FROM items WHERE {condition}", (*keys.bounds(container), state)))  # noqa: S608

    def failed_under(self, container: bytes) -> list[Item]:
        """The items in an archive or a file of vectors that failed, by name."""
        condition = "path > ? AND path < ? AND state = 'failed' ORDER BY path"
        return [Item._make(row) for row in self._database.select("items", _ITEM, condition, keys.bounds(container))]

    def under(self, container: bytes) -> list[Item]:
        """The items in an archive or a file of vectors, by name."""
        condition = "path > ? AND path < ? ORDER BY path"
        return [Item._make(row) for row in self._database.select("items", _ITEM, condition, keys.bounds(container))]

    def between(self, first: int, last: int) -> list[Item]:
        """The items with ids from `first` to `last`, by id."""
        return [
            Item._make(row)
            for row in self._database.select("items", _ITEM, "id BETWEEN ? AND ? ORDER BY id", (first, last))
        ]

    def among(self, ids: NDArray[np.int64]) -> list[Item]:
        """The items with these ids, by id; DamagedError where one is missing."""
        condition = "id IN (SELECT value FROM json_each(?)) ORDER BY id"
        items = [Item._make(row) for row in self._database.select("items", _ITEM, condition, (str(ids.tolist()),))]
        if len(items) != len(ids):
            raise self._database.damaged(f"{len(items)} items for {len(ids)} vectors")
        return items

    def indexed(self, above: int = 0) -> NDArray[np.int64]:
        """The ids of the indexed items from `above` on, ascending; their rows are not looked at."""
        return self._ids("SELECT id FROM items WHERE id >= ? AND state = 'indexed' ORDER BY id", (above,))

    def failed(self) -> list[Item]:
        """The items that failed, by id."""
        found = self._database.select("items", _ITEM, "state = 'failed' ORDER BY +id", ())
        if len(found) != self.counts.of("failed"):
            raise self.damaged(f"{len(found)} items that failed, which are not those written last")
        return [Item._make(row) for row in found]

    def with_id(self, item_id: int) -> Item | None:
        return self._one("id", item_id)

    def with_path(self, path: bytes) -> Item | None:
        """The item at a path; None once all paths were looked at: SQLite's index may be damaged."""
        item = self._one("path", path)
        if item is None and self._database.select("items", _ITEM, "+path = ?", (path,)):
            raise self._database.damaged("an index that misses a row of its table items")
        return item

    def has_path(self, path: bytes) -> bool:
        """Whether there is an item at a path; where SQLite's index is damaged, perhaps not."""
        return bool(self._database.execute("SELECT 1 FROM items WHERE path = ?", (path,)))

    def named(self, name: bytes) -> list[Item]:
        """The pictures of which this is the last part of the path; where SQLite's index is damaged, perhaps not all."""
        return [Item._make(row) for row in self._database.select("items", _ITEM, f"{NAMED} ORDER BY +id", (name,))]

    def paths(self) -> Iterator[bytes]:
        """Of all items, without looking at their rows."""
        return (path for (path,) in self._database.each("SELECT path FROM items ORDER BY path"))

    def at(self, paths: Sequence[bytes]) -> dict[bytes, Item]:
        """The items at these paths, where there is one; where SQLite's index is damaged, perhaps not all."""
        found: dict[bytes, Item] = {}
        for start in range(0, len(paths), _VALUES):
            some = tuple(paths[start : start + _VALUES])
            rows = self._database.select("items", _ITEM, f"path IN ({', '.join('?' * len(some))})", some)
            found |= {item.path: item for item in map(Item._make, rows)}
        return found

    def with_paths(self, paths: Sequence[bytes]) -> dict[bytes, Item]:
        """The items at these paths, where there is one; where one has none all are looked at, as by `with_path`."""
        found = self.at(paths)
        missing = set(paths) - found.keys()
        if missing and any(path in missing for (path,) in self._database.each("SELECT path FROM items NOT INDEXED")):
            raise self._database.damaged("an index that misses a row of its table items")
        return found

    def with_sha256(self, sha256: bytes) -> Item | None:
        """The oldest indexed item with this content; where SQLite's index is damaged, perhaps None."""
        return self._one("state = 'indexed' AND sha256", sha256)

    def all_with_sha256(self, sha256: bytes) -> list[Item]:
        """Every indexed item with this content, as `with_sha256`."""
        condition = "state = 'indexed' AND sha256 = ? ORDER BY id"
        return [Item._make(row) for row in self._database.select("items", _ITEM, condition, (sha256,))]

    def facts(self, item: Item) -> Facts:
        """What is known of an item: of its file, from its EXIF, and what was given, each before the one before it."""
        known = self.metadata.of(item.id)
        return all_facts(item, json.loads(known.exif), json.loads(known.given))

    def pending(self, above: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids (n,), ascending, and vectors (n, dim) that are in no segment yet; only of ids from `above` on."""
        if above:
            rows = self._database.select("pending", "id, vector", "id >= ? ORDER BY id", (above,))
        else:
            rows = self._database.select_all("pending", "id, vector")
        dim = self.about().dim
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f4")
        if vectors.size != len(rows) * dim:
            raise self._database.damaged(f"a vector that has not {dim} dimensions")
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        return ids, vectors.reshape(-1, dim).astype(np.float32, copy=False)

    def pending_ids(self) -> NDArray[np.int64]:
        """The ids of these, ascending, without reading their vectors."""
        return self._ids("SELECT id FROM pending ORDER BY id")

    def removed(self) -> NDArray[np.int64]:
        """The ids of sealed vectors that are of no item any more, ascending."""
        rows = self._database.select_all("removed", "id")
        return np.fromiter((row[0] for row in rows), np.int64, len(rows))

    def awaited(self) -> list[int]:
        """The ids of those of pictures that are gone and may come back."""
        return self.absent.ids()

    def pending_vector(self, item_id: int) -> NDArray[np.float32] | None:
        """The vector of one item, or None where it is in a segment."""
        rows = self._database.select("pending", "id, vector", "id = ?", (item_id,))
        return np.frombuffer(rows[0][1], "<f4").astype(np.float32) if rows else None

    def pending_count(self) -> int:
        return self.total("pending")[0]

    def total(self, table: str) -> tuple[int, int]:
        """How many rows a table has, and the sum of their checksums: as long as both stay, so do the rows."""
        return self._database.total(table)

    def segments(self) -> dict[str, int]:
        """The names of the segment files, with the number of vectors in each."""
        return dict(self._database.select_all("segments", "name, vectors"))

    def files(self) -> set[str]:
        """The names of all segment files, also of those of a change of the model that is under way."""
        return {*self.segments(), *self.next.segments()}

    def add_roots(self, paths: Iterable[bytes]) -> None:
        new = dict.fromkeys(paths).keys() - set(self.roots())
        self._database.insert("roots", [(path,) for path in sorted(new)])

    def remove_roots(self, paths: Iterable[bytes]) -> None:
        self._database.execute_many("DELETE FROM roots WHERE path = ?", [(path,) for path in paths])

    def add(
        self,
        items: Sequence[Item],
        vectors: Sequence[NDArray[np.float32] | None],
        known: Sequence[Known | None] = (),
        looks: Sequence[Look | None] = (),
    ) -> None:
        """Add items, each with its vector, or None for one that failed, and what is `known` of it, if anything.

        Their ids are those that follow `next_id`, in order.
        """
        about = self.about()
        self._replace(about._replace(next_id=about.next_id + len(items)))
        numbered = [item._replace(id=about.next_id + i) for i, item in enumerate(items)]
        self._database.insert("items", numbered)
        pairs = zip(numbered, vectors, strict=True)
        pending = [(item.id, vector.astype("<f4").tobytes()) for item, vector in pairs if vector is not None]
        self._database.insert("pending", pending)
        if known:
            facts = zip(numbered, known, strict=True)
            self.metadata.add({item.id: each for item, each in facts if each is not None})
        if looks:
            seen = zip(numbered, looks, strict=True)
            self.looks.put({item.id: look for item, look in seen if look is not None})

    def update(self, items: Sequence[Item]) -> None:
        """Replace items of the same ids: their contents are the same, elsewhere, perhaps in each other's places."""
        self._database.execute_many("DELETE FROM items WHERE id = ?", [(item.id,) for item in items])
        self._database.insert("items", items)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove items, what is known of them, and their vectors: the pending at once, the sealed by name."""
        each = [(item_id,) for item_id in ids]
        self._database.execute_many(
            "INSERT OR IGNORE INTO removed SELECT id, row_crc(id) FROM items WHERE id = ? AND state = 'indexed'"
            " AND NOT EXISTS (SELECT 1 FROM pending WHERE pending.id = items.id)",
            each,
        )
        self.metadata.remove(item_id for (item_id,) in each)
        self.looks.remove(item_id for (item_id,) in each)
        self._database.execute_many("DELETE FROM pending WHERE id = ?", each)
        self._database.execute_many("DELETE FROM items WHERE id = ?", each)

    def leave(self, ids: Iterable[int]) -> None:
        """Remove items that are gone, as `remove`; where their content is known, what is known of them waits for it."""
        given = list(ids)
        for start in range(0, len(given) if self.absent.days else 0, _VALUES):
            some = str(given[start : start + _VALUES])
            condition = "sha256 IS NOT NULL AND id IN (SELECT value FROM json_each(?))"
            now = time.time_ns()
            self.absent.add(
                Absent(
                    item.id,
                    item.path,
                    item.size if item.state == "indexed" else -1,
                    item.sha256 or b"",
                    item.width,
                    item.height,
                    *self.metadata.of(item.id),
                    now,
                )
                for item in map(Item._make, self._database.select("items", _ITEM, condition, (some,)))
            )
        self.remove(given)

    def bring_back(
        self,
        items: Sequence[Item],
        vectors: Sequence[NDArray[np.float32] | None],
        known: Sequence[Known],
        looks: Sequence[Look | None],
    ) -> None:
        """Add items that were absent, under their ids; each with its vector, or None where a segment still has it."""
        ids = [item.id for item in items]
        self.absent.remove(ids)
        self._database.insert("items", items)
        made = {item_id: vector for item_id, vector in zip(ids, vectors, strict=True) if vector is not None}
        self.revive(ids)
        self.restore(made.keys(), made.values())
        self.metadata.bring_back(dict(zip(ids, known, strict=True)))
        self.looks.put({item_id: look for item_id, look in zip(ids, looks, strict=True) if look is not None})

    def seal(self, name: str, vectors: int, instead_of: Iterable[str], forgotten: Iterable[int]) -> None:
        """Let a segment file hold the vectors of others and all that were pending.

        Args:
            forgotten: the removed ids that were in the other files, and are in no file now.
        """
        self._database.execute_many("DELETE FROM segments WHERE name = ?", [(other,) for other in instead_of])
        self._database.execute_many("DELETE FROM removed WHERE id = ?", [(item_id,) for item_id in forgotten])
        self._database.execute("DELETE FROM pending")
        if vectors:
            self._database.insert("segments", [(name, vectors)])

    def add_segment(self, name: str, vectors: int) -> None:
        """Let a segment file hold the vectors of items that were added without."""
        self._database.insert("segments", [(name, vectors)])

    def restore(self, ids: Iterable[int], vectors: Iterable[NDArray[np.float32]]) -> None:
        """Let items that are there have these vectors, pending, and none that is sealed."""
        rows = [(item_id, vector.astype("<f4").tobytes()) for item_id, vector in zip(ids, vectors, strict=True)]
        self._database.insert("pending", rows)

    def forget(self, ids: Iterable[int]) -> None:
        """Name sealed vectors that are of no item, and never will be: a crash may leave some of ids that come next."""
        unused = sorted(ids)
        self._database.insert("removed", [(item_id,) for item_id in unused])
        about = self.about()
        if unused and unused[-1] >= about.next_id:
            self._replace(about._replace(next_id=unused[-1] + 1))

    def revive(self, ids: Iterable[int]) -> None:
        """Take back that these sealed vectors are of no item."""
        self._database.execute_many("DELETE FROM removed WHERE id = ?", [(item_id,) for item_id in ids])

    def drop_pending(self, ids: Iterable[int]) -> None:
        """Forget pending vectors of items that have a sealed one."""
        self._database.execute_many("DELETE FROM pending WHERE id = ?", [(item_id,) for item_id in ids])

    def set_aside(self, item: Item, reason: str) -> None:
        """Let an item whose vector is lost be a failed one, with what is known of it; the next sync tries it again."""
        text = reason.encode("utf-8", "backslashreplace").decode()
        failed = item._replace(mtime_ns=-1, width=None, height=None, state="failed", reason=text)
        self.update([failed])

    def replace_segments(self, segments: Mapping[str, int]) -> None:
        """Let these be all segment files, with the number of vectors in each."""
        self._database.execute("DELETE FROM segments")
        self._database.insert("segments", list(segments.items()))

    def refuses_writing(self) -> bool:
        """Whether it takes no change though this user may write it; not inside `reading`."""
        return self._database.refuses_writing()

    def problems(self, advance: Callable[[int], None] | None = None) -> list[str]:
        """What is wrong with it, row by row and as SQLite's file; nothing where all is well.

        Args:
            advance: called with the number of items read since.
        """
        found = self._database.problems()
        items = partial(require_intact, self._database, "items", advance)
        tables = (self.about, self.roots, self.containers.all, items, self.pending, self.removed, self.segments)
        coming = (self.next.model, self.next.pending, self.next.segments)
        rows = (self.metadata.read_all, self.looks.read_all, self.absent.all, self.untold.read)
        kept = (self.counts.require_right, self.containers.require_marks)
        for read in (*tables, *coming, *rows, *kept):
            try:
                read()
            except DamagedError as error:
                found.append(str(error))
        return list(dict.fromkeys(found))

    def compact(self) -> None:
        """Give the room of removed rows back to the file system; not inside `writing`."""
        self._database.compact()

    def damaged(self, found: str) -> DamagedError:
        """The error to raise for what does not fit together."""
        return self._database.damaged(found)

    def _ids(self, statement: str, values: tuple[int | str | bytes, ...] = ()) -> NDArray[np.int64]:
        def ids() -> Iterator[int]:
            for (item_id,) in self._database.each(statement, values):
                if type(item_id) is not int:  # a damaged schema makes a key a column like any other
                    raise self._database.damaged("an id that is no number")
                yield item_id

        return np.fromiter(ids(), np.int64)

    def _one(self, condition: str, value: int | bytes) -> Item | None:
        rows = self._database.select("items", _ITEM, f"{condition} = ? ORDER BY id LIMIT 1", (value,))
        return Item._make(rows[0]) if rows else None

    def _replace(self, about: About) -> None:
        self._database.execute("DELETE FROM about")
        self._database.insert("about", [about])
