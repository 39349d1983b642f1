"""Many vectors at once, past the catalogue: into one new segment, in little memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import About
from lookalike.collection.place import Place
from lookalike.collection.sealed import segments
from lookalike.index import Index
from lookalike.memory import give_back

_PART = 4095  # vectors: a file of so many has no buckets, and is written as fast as the disk takes it
MOST_PARTS = 256  # each is an open file while all of them are brought into one
MOST_BYTES = 512 << 20


class Bulk:
    """Vectors for one segment file, kept in small files beside it until `save` brings them into one.

    A crash leaves files that the catalogue does not name, which are swept.
    """

    def __init__(self, place: Place, about: About, names: Sequence[str]) -> None:
        """For a file beside those of these `names`."""
        self._place = place
        self._about = about
        self._beside = names
        self.name = segments.next_name(place, names)
        self._parts: list[str] = []
        self._waiting = Index(about.dim, about.metric)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether there are as many as one file should be made of at once."""
        much = self._count * self._about.dim * 4 >= MOST_BYTES
        return much or len(self._parts) >= MOST_PARTS

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Take more; WriteError where the disk is full."""
        while len(ids):
            room = _PART - len(self._waiting)
            self._waiting.add(vectors[:room], ids[:room])
            self._count += len(ids[:room])
            ids, vectors = ids[room:], vectors[room:]
            if len(self._waiting) == _PART:
                self._put()

    def save(self) -> None:
        """Write the file; the catalogue does not name it yet."""
        if len(self._waiting):
            self._put()
        self.name = segments.save(self._place, self._about, Index.open(*self._parts), self.name, self._beside)
        self.discard()

    def discard(self) -> None:
        """Delete the small files: they take room on a disk that may be full."""
        for part in self._parts:
            with suppress(OSError):  # it is swept later
                os.unlink(part)
        self._parts = []

    def _put(self) -> None:
        part = os.path.join(self._place.segments, f"{self.name}.part-{len(self._parts)}")
        self._parts.append(part)
        self._waiting.save(part)
        self._waiting = Index(self._about.dim, self._about.metric)
        give_back()
