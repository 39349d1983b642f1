"""A collection's catalogue and index for many threads: one writes, the others read snapshots in turns."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import classes_file
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.classes import Classes
from lookalike.collection.lock import writer_lock
from lookalike.collection.model import AS_REMEMBERED, Wanted, model_of
from lookalike.collection.place import Place
from lookalike.collection.sealed.live import LiveIndex
from lookalike.collection.sure import Calibration
from lookalike.collection.sync.report import Progress
from lookalike.errors import DamagedError, LookalikeError
from lookalike.index import Filter, Index
from lookalike.models.words import Words

T = TypeVar("T")

_FILTERS = 16  # conditions whose ids are kept, for searches to come


class _Known(NamedTuple):
    """What items probably show, of one generation and of the model with one hash."""

    generation: int
    model: str
    classes: Classes


class Access:
    """What a collection reads by, kept open; where a rescue has replaced the catalogue, the new one is opened.

    Attributes:
        place: where it lies.
        catalogue: to be read within `reading`, `in_snapshot` or `with_index`.
        model: what makes its vectors.
    """

    def __init__(self, place: Place, wanted: Wanted = AS_REMEMBERED) -> None:
        """Open what is at a place, with the model as it is `wanted`.

        Raises:
            NotAnIndexError: nothing is there, or of a newer version.
            DamagedError: it is truncated or altered.
            ModelError, ArgumentError: as for `RememberedModel`.
        """
        self.place = place
        self._wanted = wanted
        self._turn = threading.RLock()  # taken after the writer's file, never before it
        self._snapshot: About | None = None  # what the thread that has the turn sees
        self._classes: _Known | None = None
        self._open()

    def close(self) -> None:
        with self._turn:
            self._live.close()
            self.catalogue.close()

    def reopen(self) -> None:
        """Open its files anew: they were away or replaced, and may be others now; where they cannot be, keep these."""
        with self._turn:
            live, catalogue = self._live, self.catalogue
            self._open()
            live.close()
            catalogue.close()

    @contextmanager
    def writer(self, patience: float) -> Iterator[Catalogue]:
        """The catalogue, to be written: by a connection of its own, so that other threads read meanwhile.

        Raises:
            BusyError: another process or thread writes it, and still so after `patience` seconds.
            LookalikeError: this thread is within a snapshot.
        """
        with self._turn:
            if self._snapshot is not None:
                raise LookalikeError(
                    f"expected no change of {self.place.directory} by a function that `examine` was given, received "
                    "one; let the function return what it found, and change the collection then"
                )
        with writer_lock(self.place.directory, patience):
            with self._turn:
                self._current().about()  # which is an error where the collection was closed
            with closing(Catalogue(self.place.catalogue)) as catalogue:
                with self._turn:
                    self._keep_model(catalogue.about())
                yield catalogue

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot of the catalogue; within another of this thread, that one."""
        with self._turn:
            if self._snapshot is not None:
                yield self._snapshot
                return
            with self._current().reading() as self._snapshot:
                try:
                    self._keep_model(self._snapshot)
                    yield self._snapshot
                finally:
                    self._snapshot = None

    def in_snapshot(self, use: Callable[[About], T]) -> T:
        """What `use` makes of one snapshot of the catalogue, and of the segments that it names."""
        with self._turn:
            if self._snapshot is not None:
                return use(self._snapshot)
            while True:
                catalogue, generation = self._current(), -1
                try:
                    with self.reading() as about:
                        generation = about.generation
                        return use(about)
                except DamagedError:
                    if self._current() is catalogue and catalogue.about().generation == generation:
                        raise
                    # else a writer had sealed and swept between our snapshot and the opening of its segment

    def with_index(self, use: Callable[[Index], T]) -> T:
        """What `use` makes of the index, within one snapshot of the catalogue."""
        return self.in_snapshot(lambda about: use(self._live.at(about)))

    def filter(self, index: Index, where: str) -> Filter:
        """Which ids of the index a condition leaves, within `with_index`.

        Raises:
            ArgumentError: `where` is no condition, or names a fact that none has.
        """
        generation = self._live.generation
        if (generation, where) not in self._filters:
            if len(self._filters) >= _FILTERS:
                self._filters.pop(next(iter(self._filters)))
            self._filters[generation, where] = index.filter(self.matching(where))
        return self._filters[generation, where]

    def matching(self, where: str) -> NDArray[np.int64]:
        """The ids that a condition leaves, within `with_index`; raises as `filter`."""
        return self.catalogue.metadata.matching(where, self._live.generation)

    def calibration(self, index: Index) -> Calibration | None:
        """How near is near in this generation of the index, within `with_index`; None where too few are in it."""
        generation = self._live.generation
        if generation not in self._calibrations:
            self._calibrations.clear()
            self._calibrations[generation] = Calibration.of(index)
        return self._calibrations[generation]

    def classes(self, index: Index, words: Words, progress: Progress | None = None) -> Classes:
        """What the items of this generation probably show, within `with_index`; computed for those that are new."""
        about, known = self.catalogue.about(), self._classes
        if known is None or (known.generation, known.model) != (about.generation, about.model_hash):
            same = known is not None and known.model == about.model_hash
            before = known.classes if known is not None and same else classes_file.load(self.place, about, words)
            classes = Classes.of(index, words, before, progress)
            if len(np.setdiff1d(classes.ids, before.ids, assume_unique=True)) >= classes_file.WORTH:
                classes_file.keep(self.place, about, words, classes)
            known = self._classes = _Known(about.generation, about.model_hash, classes)
        return known.classes

    def _open(self) -> None:
        catalogue = Catalogue(self.place.catalogue)
        try:
            self.model = model_of(self.place, catalogue.about(), self._wanted)
        except LookalikeError:
            catalogue.close()
            raise
        self.catalogue = catalogue
        self._live = LiveIndex(self.place, catalogue)
        self._filters: dict[tuple[int, str], Filter] = {}  # by generation and condition
        self._calibrations: dict[int, Calibration | None] = {}  # of one generation
        self._classes = None

    def _keep_model(self, about: About) -> None:
        """Where another process has changed the model, take that one; ModelError where it is not the one `wanted`."""
        if about.model_hash != self.model.hash:
            self.model = model_of(self.place, about, self._wanted)

    def _current(self) -> Catalogue:
        """The catalogue; where a rescue has put another in its place, that one. To be called by whose turn it is."""
        if self.catalogue.is_replaced:
            self.reopen()
        return self.catalogue
