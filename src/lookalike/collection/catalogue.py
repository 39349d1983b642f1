"""What a collection knows: its items, where they lie and what became of them; the one source of truth.

An item is one picture file. Its id belongs to its content: an id's vector never changes, and no id is
used twice. Reads happen inside `reading`, one snapshot; writes inside `writing`, one transaction.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.database import Database, row_crc
from lookalike.collection.file_facts import file_facts
from lookalike.collection.metadata import Known, Metadata
from lookalike.errors import LookalikeError
from lookalike.facts import Facts
from lookalike.metric import Metric

NAME = "catalogue.sqlite"

State = Literal["indexed", "failed"]


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
    """One picture: indexed, or failed for a reason."""

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


class Catalogue:
    """An open catalogue; every method may raise what `Database` does."""

    def __init__(self, path: str) -> None:
        self._database = Database(path)
        self.metadata = Metadata(self._database)
        self._intact = -1  # the generation whose items were all read and found intact
        try:
            with self.reading():
                pass  # refuse a damaged file now, not at the first query
        except LookalikeError:
            self.close()
            raise

    @staticmethod
    def create(path: str, *, model: str, model_hash: str, dim: int, metric: Metric) -> None:
        """Write an empty catalogue: whole, or not at all."""
        now = time.time_ns()
        about = About(uuid.uuid4().hex, model, model_hash, dim, metric, now, now, 0, 1)
        Database.create(path, {"about": about})

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot of the whole catalogue, whatever others commit meanwhile."""
        with self._database.reading():
            yield self.about()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is on the disk at the end, or none of it."""
        with self._database.writing():
            yield
            about = self.about()
            self._replace(about._replace(generation=about.generation + 1, updated_ns=time.time_ns()))

    def about(self) -> About:
        rows = self._database.select("about", _ABOUT, "true", ())
        if len(rows) != 1:
            raise self._database.damaged(f"{len(rows)} rows in its table about, which has one")
        return About._make(rows[0])

    def roots(self) -> list[bytes]:
        """The folders and files that were given to be indexed."""
        return [path for (path,) in self._database.select_all("roots", "path")]

    def items(self) -> list[Item]:
        """Every item, by id."""
        items = list(map(Item._make, self._database.select_all("items", _ITEM)))
        self._intact = self.about().generation
        return items

    def indexed(self) -> set[int]:
        """The ids of all indexed items, once every row is found intact."""
        if self._intact != self.about().generation:
            self.items()
        return {row[0] for row in self._database.execute("SELECT id FROM items WHERE state = 'indexed'")}

    def count(self, state: State) -> int:
        ((count,),) = self._database.execute("SELECT count(*) FROM items WHERE state = ?", (state,))
        return int(count)

    def with_id(self, item_id: int) -> Item | None:
        return self._one("id", item_id)

    def with_path(self, path: bytes) -> Item | None:
        return self._one("path", path)

    def with_sha256(self, sha256: bytes) -> Item | None:
        """The oldest indexed item with this content; where SQLite's index is damaged, perhaps None."""
        return self._one("sha256", sha256)

    def facts(self, item: Item) -> Facts:
        """What is known of an item: of its file, from its EXIF, and what was given, each before the one before it."""
        return file_facts(item) | self.metadata.facts(item.id)

    def pending(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids (n,) and vectors (n, dim) that are in no segment yet."""
        rows = self._database.select_all("pending", "id, vector")
        dim = self.about().dim
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f4")
        if vectors.size != len(rows) * dim:
            raise self._database.damaged(f"a vector that has not {dim} dimensions")
        ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        return ids, vectors.reshape(-1, dim).astype(np.float32, copy=False)

    def pending_vector(self, item_id: int) -> NDArray[np.float32] | None:
        """The vector of one item, or None where it is in a segment."""
        rows = self._database.select("pending", "id, vector", "id = ?", (item_id,))
        return np.frombuffer(rows[0][1], "<f4").astype(np.float32) if rows else None

    def pending_count(self) -> int:
        ((count,),) = self._database.execute("SELECT count(*) FROM pending")
        return int(count)

    def segments(self) -> dict[str, int]:
        """The names of the segment files, with the number of vectors in each."""
        return dict(self._database.select_all("segments", "name, vectors"))

    def add_roots(self, paths: Iterable[bytes]) -> None:
        known = self.roots()
        self._database.insert("roots", [(path,) for path in dict.fromkeys(paths) if path not in known])

    def add(
        self, items: Sequence[Item], vectors: Sequence[NDArray[np.float32] | None], known: Sequence[Known] = ()
    ) -> None:
        """Add items, each with its vector, or None for one that failed, and what is `known` of it, if anything.

        Their ids are chosen here.
        """
        about = self.about()
        self._replace(about._replace(next_id=about.next_id + len(items)))
        numbered = [item._replace(id=about.next_id + i) for i, item in enumerate(items)]
        self._database.insert("items", numbered)
        pairs = zip(numbered, vectors, strict=True)
        pending = [(item.id, vector.astype("<f4").tobytes()) for item, vector in pairs if vector is not None]
        self._database.insert("pending", pending)
        if known:
            self.metadata.add(dict(zip((item.id for item in numbered), known, strict=True)))

    def update(self, items: Iterable[Item]) -> None:
        """Replace items of the same ids: their contents are the same, elsewhere or at another time."""
        assignments = ", ".join(f"{column} = ?" for column in (*Item._fields, "crc"))
        self._database.execute_many(
            f"UPDATE items SET {assignments} WHERE id = ?",  # noqa: S608
            [(*item, row_crc(item), item.id) for item in items],
        )

    def remove(self, ids: Iterable[int]) -> None:
        """Remove items, what is known of them, and their vectors where they are pending."""
        each = [(item_id,) for item_id in ids]
        self.metadata.remove(item_id for (item_id,) in each)
        self._database.execute_many("DELETE FROM pending WHERE id = ?", each)
        self._database.execute_many("DELETE FROM items WHERE id = ?", each)

    def seal(self, name: str, vectors: int) -> None:
        """Let one segment file hold all vectors, so that none is pending any more."""
        self._database.execute("DELETE FROM segments")
        self._database.execute("DELETE FROM pending")
        self._database.insert("segments", [(name, vectors)])

    def compact(self) -> None:
        """Give the room of removed rows back to the file system; not inside `writing`."""
        self._database.compact()

    def _one(self, column: str, value: int | bytes) -> Item | None:
        rows = self._database.select("items", _ITEM, f"{column} = ? ORDER BY id LIMIT 1", (value,))
        return Item._make(rows[0]) if rows else None

    def _replace(self, about: About) -> None:
        self._database.execute("DELETE FROM about")
        self._database.insert("about", [about])
