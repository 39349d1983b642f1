"""The index of a collection as of one generation of its catalogue, brought along to the next."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import segments
from lookalike.collection.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.errors import IdError
from lookalike.index import Index


@dataclass(frozen=True)
class _State:
    """An index, and what of a catalogue is in it."""

    index: Index
    generation: int
    segments: dict[str, tuple[int, ...]]
    pending: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    removed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


class LiveIndex:
    """All indexed vectors: the sealed ones without those removed since, and the pending ones."""

    def __init__(self, place: Place, catalogue: Catalogue) -> None:
        self._place = place
        self._catalogue = catalogue
        self._state: _State | None = None

    def close(self) -> None:
        self._state = None

    @property
    def generation(self) -> int:
        """Of the index that `at` gave last."""
        return self._state.generation if self._state else -1

    def at(self, about: About) -> Index:
        """The index of this generation, inside `reading`; it is good until the next call.

        Raises:
            DamagedError: a segment or a pending vector is damaged, or they are not those of all indexed items.
        """
        before, self._state = self._state, None  # until all of it has come along
        if before is None or before.generation != about.generation:
            before = self._follow(before, about)
        self._state = before
        return before.index

    def _follow(self, before: _State | None, about: About) -> _State:
        catalogue = self._catalogue
        names = {name: (count, *self._identity(name)) for name, count in catalogue.segments().items()}
        if before is None or before.segments != names:
            before = _State(segments.open_sealed(self._place, catalogue, about), -1, names)
        now = _State(before.index, about.generation, names, catalogue.pending_ids(), catalogue.removed())
        self._remove(now.index, before, now)
        self._add(now.index, np.setdiff1d(now.pending, before.pending), len(now.pending))
        indexed = catalogue.count("indexed")
        if len(now.index) != indexed:
            raise segments.damaged(self._place, f"{len(now.index)} vectors for {indexed} pictures")
        return now

    def _identity(self, name: str) -> tuple[int, ...]:
        """What tells a file from a later one of the same name."""
        try:
            status = os.stat(os.path.join(self._place.segments, name))
        except OSError:
            return ()  # what opens it says what is wrong
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

    def _remove(self, index: Index, before: _State, now: _State) -> None:
        gone = np.concatenate([np.setdiff1d(before.pending, now.pending), np.setdiff1d(now.removed, before.removed)])
        if len(gone):
            with segments.cure_of(self._place):
                index.remove(np.intersect1d(gone, index.ids))

    def _add(self, index: Index, new: NDArray[np.int64], pending: int) -> None:
        if not len(new):
            return
        ids, vectors = self._catalogue.pending(above=int(new[0]) if len(new) < pending else 0)
        fresh = np.isin(ids, new)
        try:
            index.add(vectors[fresh], ids[fresh])
        except IdError as error:
            raise segments.damaged(self._place, f"a pending vector that is sealed: {error}") from error
