"""A change of the model that is under way: the model to come, and the vectors that it has made so far.

They gather beside those of the model that answers until then, as that one's do: pending in the catalogue, then sealed
into files. `sealed.segments` seals them as it does the others, for it asks no more of a catalogue than is here. What
becomes of items meanwhile is not followed: at the end, vectors of items that are gone are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.database import Database

if TYPE_CHECKING:
    from lookalike.collection.catalogue.catalogue import About, Catalogue


class NextModel(NamedTuple):
    """The model that a collection changes to."""

    model: str
    model_hash: str
    dim: int


class NextVectors:
    """What a change of the model has gathered; the transactions are the catalogue's, but for those of `gather`."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        """That of a catalogue, to which it keeps a weak reference alone: who has these has that."""
        self._database = database
        self._catalogue = proxy(catalogue)

    def writing(self) -> AbstractContextManager[None]:
        """As `Catalogue.writing`."""
        writing: AbstractContextManager[None] = self._catalogue.writing()
        return writing

    def model(self) -> NextModel | None:
        """The model to come; None where no change is under way."""
        rows = self._database.select_all("next_model", "model, model_hash, dim")
        if len(rows) > 1:
            raise self._database.damaged(f"{len(rows)} rows in its table next_model, which has one at most")
        return NextModel(*rows[0]) if rows else None

    def begin(self, model: NextModel) -> None:
        """Begin a change; what another one has gathered is forgotten."""
        self.forget()
        self._database.insert("next_model", [model])

    def rename(self, model: NextModel) -> None:
        """The model to come has another name now."""
        self._database.execute("DELETE FROM next_model")
        self._database.insert("next_model", [model])

    def forget(self) -> None:
        """No change is under way any more."""
        for table in ("next_model", "next_pending", "next_segments"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot; what the catalogue will say of itself once the model is changed."""
        with self._catalogue.reading() as about:
            model = self.model()
            if model is None:
                raise self._database.damaged("vectors for a change of the model, but no model")
            yield about._replace(**model._asdict())

    def gather(self, ids: Iterable[int], vectors: Iterable[NDArray[np.float32]]) -> None:
        """Add new vectors, in a transaction of their own: no reader sees a change."""
        rows = [(item_id, vector.astype("<f4").tobytes()) for item_id, vector in zip(ids, vectors, strict=True)]
        with self._database.writing():
            self._database.insert("next_pending", rows)

    def segments(self) -> dict[str, int]:
        """The names of the segment files, with the number of vectors in each."""
        return dict(self._database.select_all("next_segments", "name, vectors"))

    def files(self) -> set[str]:
        """The names of all segment files of the collection."""
        return {*self.segments(), *(name for (name,) in self._database.execute("SELECT name FROM segments"))}

    def pending_count(self) -> int:
        return self.total("pending")[0]

    def pending_ids(self) -> NDArray[np.int64]:
        """The ids of the vectors that are in no segment yet, ascending."""
        rows = self._database.execute("SELECT id FROM next_pending ORDER BY id")
        return np.fromiter((item_id for (item_id,) in rows), np.int64, len(rows))

    def pending(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The ids (n,), ascending, and vectors (n, dim) that are in no segment yet."""
        rows = self._database.select_all("next_pending", "id, vector")
        model = self.model()
        dim = model.dim if model else 1
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f4")
        if vectors.size != len(rows) * dim:
            raise self._database.damaged(f"a vector that has not {dim} dimensions")
        ids = np.fromiter((item_id for item_id, _ in rows), np.int64, len(rows))
        return ids, vectors.reshape(-1, dim).astype(np.float32, copy=False)

    def removed(self) -> NDArray[np.int64]:
        """None: what is gone is found out at the end."""
        return np.empty(0, np.int64)

    def awaited(self) -> list[int]:
        """None: what comes back is embedded again."""
        return []

    def total(self, table: str) -> tuple[int, int]:
        """As `Catalogue.total`, of the tables of this change."""
        if table == "removed":
            return 0, 0
        return self._database.total(f"next_{table}")

    def seal(self, name: str, vectors: int, instead_of: Iterable[str], forgotten: Iterable[int]) -> None:  # noqa: ARG002
        """Let a segment file hold the vectors of others and all that were pending."""
        self.drop_segments(instead_of)
        self._database.execute("DELETE FROM next_pending")
        if vectors:
            self._database.insert("next_segments", [(name, vectors)])

    def drop_segments(self, names: Iterable[str]) -> None:
        """Forget some files, and the vectors in them."""
        self._database.execute_many("DELETE FROM next_segments WHERE name = ?", [(name,) for name in names])

    def compact(self) -> None:
        """Give the room of removed rows back to the file system; not inside `writing`."""
        self._database.compact()

    def put_in_place(self, removed: Iterable[int]) -> None:
        """Let all vectors be these, but for those of items that are not indexed.

        Args:
            removed: the ids of sealed vectors that are of no indexed item.
        """
        for table in ("pending", "segments", "removed"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608
        self._database.execute("INSERT INTO segments SELECT * FROM next_segments")
        self._database.execute(
            "INSERT INTO pending SELECT * FROM next_pending WHERE id IN (SELECT id FROM items WHERE state = 'indexed')"
        )
        self._database.insert("removed", [(item_id,) for item_id in removed])
        self.forget()
