"""The index of a collection as of one generation of its catalogue, brought along to the next."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.errors import IdError
from lookalike.index import Index, Snapshot


@dataclass(frozen=True)
class _State:
    """An index, and what of a catalogue is in it.

    Attributes:
        snapshot: of the index as of this generation.
        next_id: of the catalogue; 0 where the index was just opened, and nothing compared.
        removed_total: tells whether `removed` has changed.
    """

    index: Index
    snapshot: Snapshot
    generation: int
    model_hash: str
    segments: dict[str, tuple[int, ...]]
    next_id: int = 0
    pending: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    removed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    removed_total: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, sealed: Index, model_hash: str, names: dict[str, tuple[int, ...]]) -> _State:
        """One that was just opened."""
        return cls(sealed, sealed.snapshot(), -1, model_hash, names)


class LiveIndex:
    """All indexed vectors: the sealed ones without those removed since, and the pending ones; for many threads.

    Attributes:
        lock: nobody changes what it holds while one has it.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.lock = threading.RLock()  # over what follows
        self._state: _State | None = None
        self._files: dict[str, tuple[int, ...]] = {}  # of the state, also while it is brought along
        self._snapshots = WeakValueDictionary[int, Snapshot]()  # by generation, as long as somebody reads them

    def close(self) -> None:
        with self.lock:
            self._state, self._files = None, {}
            self._snapshots.clear()

    def at(self, catalogue: Catalogue, about: About) -> Snapshot:
        """The index of this generation, inside `reading`. Who asks first brings the index along, and others wait.

        Raises:
            DamagedError: a segment or a pending vector is damaged, or they are not those of all indexed items.
        """
        if (known := self._snapshots.get(about.generation)) is not None:
            self.require_untruncated()
            return known
        with self.lock:
            if (known := self._snapshots.get(about.generation)) is not None:
                return known
            if self._state and self._state.generation > about.generation:  # somebody else was faster
                return self._follow(catalogue, None, about).snapshot
            before, self._state = self._state, None  # until all of it has come along
            self._state = self._follow(catalogue, before, about)
            self._files = self._state.segments
            self._snapshots[about.generation] = self._state.snapshot
            return self._state.snapshot

    def _follow(self, catalogue: Catalogue, before: _State | None, about: About) -> _State:
        names = {name: (count, *self._identity(name)) for name, count in catalogue.segments().items()}
        total = catalogue.total("removed")
        removed = before.removed if before and total == before.removed_total else catalogue.removed()
        # what is removed from an index stays so: one that was brought back is in a fresh one alone
        is_known = before is not None and (before.segments, before.model_hash) == (names, about.model_hash)
        if before is None or not is_known or len(_without(before.removed, removed)):
            beside = before.index if before and _same_files(before.segments, names) else None
            sealed = segments.open_sealed(self._place, catalogue, about, beside)
            before = _State.of(sealed, about.model_hash, names)
        same = total == before.removed_total
        index, pending = before.index, catalogue.pending_ids()
        gone = _without(before.pending, pending)
        if not same:
            gone = np.concatenate([gone, _without(removed, before.removed)])
        new = _without(pending, before.pending)
        self._remove(index, gone)
        self._add(catalogue, index, new, len(pending))
        if before.next_id and same and not len(gone) and not np.any(new < before.next_id):
            self._require_new(catalogue, before, pending, new)
        elif len(index) != (indexed := catalogue.counts.of("indexed")):
            raise segments.damaged(self._place, f"{len(index)} vectors for {indexed} pictures")
        now = (about.generation, about.model_hash, names, about.next_id, pending, removed, total)
        return _State(index, index.snapshot(), *now)

    def _require_new(
        self, catalogue: Catalogue, before: _State, pending: NDArray[np.int64], new: NDArray[np.int64]
    ) -> None:
        """Where nothing is gone: DamagedError unless the new vectors are those of the new pictures, read alone."""
        indexed = catalogue.indexed(above=before.next_id)
        if len(pending) != catalogue.pending_count() or not np.array_equal(new, indexed):
            raise segments.damaged(self._place, f"{len(new)} new vectors, not those of {len(indexed)} new pictures")

    def _identity(self, name: str) -> tuple[int, ...]:
        """What tells a file from a later one of the same name."""
        try:
            status = os.stat(os.path.join(self._place.segments, name))
        except OSError:
            return ()  # what opens it says what is wrong
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def require_untruncated(self) -> None:
        """DamagedError where another program has cut off what is mapped: to read that would end the process.

        What is cut off while a search goes on ends it all the same.
        """
        for name, (_, *before) in self._files.items():
            now = self._identity(name)
            if before and now and now[:2] == tuple(before[:2]) and now[2] < before[2]:
                path = os.path.join(self._place.segments, name)
                raise segments.damaged(self._place, f"{path} was truncated while it was in use")

    def _remove(self, index: Index, gone: NDArray[np.int64]) -> None:
        if not len(gone):
            return
        with segments.cure_of(self._place):
            try:
                index.remove(gone)
            except IdError:  # version 1 named also ids that are in no segment
                index.remove(np.intersect1d(gone, index.ids, assume_unique=True))

    def _add(self, catalogue: Catalogue, index: Index, new: NDArray[np.int64], pending: int) -> None:
        if not len(new):
            return
        ids, vectors = catalogue.pending(above=int(new[0]) if len(new) < pending else 0)
        fresh = np.isin(ids, new)
        try:
            index.add(vectors[fresh], ids[fresh])
        except IdError as error:
            raise segments.damaged(self._place, f"a pending vector that is sealed: {error}") from error


def _same_files(some: dict[str, tuple[int, ...]], others: dict[str, tuple[int, ...]]) -> bool:
    """Whether those that are among both are the same, and unchanged."""
    return all(others.get(name, identity) == identity for name, identity in some.items())


def _without(ids: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those that are not among the others, in their order; none is twice in either."""
    return np.setdiff1d(ids, others, assume_unique=True)
