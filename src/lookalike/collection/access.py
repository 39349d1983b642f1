"""A collection's catalogue and index for many threads: one writes, the others read, each in a session of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import classes_file, sure_file
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.catalogue.database import closed
from lookalike.collection.classes import Classes
from lookalike.collection.lock import writer_lock
from lookalike.collection.model import AS_REMEMBERED, RememberedModel, Wanted, model_of
from lookalike.collection.no_model import NoModel
from lookalike.collection.place import Place
from lookalike.collection.sealed.live import LiveIndex
from lookalike.collection.sure import Calibration
from lookalike.collection.sync.report import Progress
from lookalike.errors import DamagedError, LookalikeError
from lookalike.index import Filter, Reader
from lookalike.models.words import Words

T = TypeVar("T")

_FILTERS = 16  # conditions whose ids are kept, for searches to come
_SPARE = 16  # connections that are kept open for threads to come


class _Known(NamedTuple):
    """What items probably show, of one generation and of the model with one hash."""

    generation: int
    model: str
    classes: Classes


class _Sure(NamedTuple):
    """How near is near in one generation, of the model with one hash, and what brings that along to the next."""

    generation: int
    model: str
    kept: sure_file.Kept | None


class _Session(NamedTuple):
    """What one thread reads of one snapshot of the catalogue."""

    opened: _Opened
    catalogue: Catalogue
    about: About
    model: RememberedModel | NoModel


class _Opened:
    """What was opened of one catalogue, until another is in its place.

    Attributes:
        first: a connection to it.
        free: connections that no thread reads by.
        live: the index of its generations.
        filters: by generation and condition.
        sure, classes: of one generation.
    """

    def __init__(self, place: Place, first: Catalogue) -> None:
        self.first = first
        self.free = [first]
        self.live = LiveIndex(place)
        self.filters: dict[tuple[int, str], Filter] = {}
        self.sure: _Sure | None = None
        self.classes: _Known | None = None

    def close(self) -> None:
        """Those that are read by are closed when they are given back."""
        self.live.close()
        while self.free:
            self.free.pop().close()


class Access:
    """What a collection reads by; where a rescue has replaced the catalogue, the new one is opened.

    Each thread that reads has a session of its own: a connection, one generation, and the snapshot of the index that is
    of this generation. None waits for another, but for who opens the segments of a new generation.

    Attributes:
        place: where it lies.
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
        self._threads = threading.local()
        self._lock = threading.RLock()  # over what follows; held for moments, and to open what was replaced
        self._closed = False
        self._opened, self._model = self._open()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._opened.close()

    def reopen(self) -> None:
        """Open its files anew: they were away or replaced, and may be others now; where they cannot be, keep these."""
        self._reopen(self._opened)

    @property
    def catalogue(self) -> Catalogue:
        """To be read within `reading`, `in_snapshot` or `with_index`."""
        session = self._session
        return session.catalogue if session else self._opened.first

    @property
    def model(self) -> RememberedModel | NoModel:
        """What makes its vectors."""
        session = self._session
        return session.model if session else self._model

    @contextmanager
    def writer(self, patience: float) -> Iterator[Catalogue]:
        """The catalogue, to be written, by a connection of its own.

        Raises:
            BusyError: another process or thread writes it, and still so after `patience` seconds.
            LookalikeError: this thread is within a snapshot.
        """
        if self._session:
            raise LookalikeError(
                f"expected no change of {self.place.directory} by a function that `examine` was given, received "
                "one; let the function return what it found, and change the collection then"
            )
        with writer_lock(self.place.directory, patience):
            with self.reading():
                pass  # which is an error where the collection was closed
            with closing(Catalogue(self.place.catalogue)) as catalogue:
                self._model_of(catalogue.about())
                yield catalogue

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot of the catalogue; within another of this thread, that one."""
        if session := self._session:
            yield session.about
            return
        opened, catalogue = self._take()
        try:
            with catalogue.reading() as about:
                self._threads.session = _Session(opened, catalogue, about, self._model_of(about))
                try:
                    yield about
                finally:
                    self._threads.session = None
        finally:
            self._give_back(opened, catalogue)

    def in_snapshot(self, use: Callable[[About], T]) -> T:
        """What `use` makes of one snapshot of the catalogue, and of the segments that it names."""
        if session := self._session:
            return use(session.about)
        while True:
            opened, generation = self._opened, -1
            try:
                with self.reading() as about:
                    generation = about.generation
                    return use(about)
            except DamagedError:
                with self.reading() as about:
                    if self._opened is opened and about.generation == generation:
                        raise
                # else a writer had sealed and swept between our snapshot and the opening of its segment

    def with_index(self, use: Callable[[Reader], T]) -> T:
        """What `use` makes of the index, within one snapshot of the catalogue."""

        def of(about: About) -> T:
            session = self._needed()
            return use(session.opened.live.at(session.catalogue, about))

        return self.in_snapshot(of)

    def filter(self, index: Reader, where: str) -> Filter:
        """Which ids of the index a condition leaves, within `with_index`.

        Raises:
            ArgumentError: `where` is no condition, or names a fact that none has.
        """
        session = self._needed()
        filters, key = session.opened.filters, (session.about.generation, where)
        with self._lock:
            known = filters.get(key)
        if known is None:
            known = index.filter(self.matching(where))
            with self._lock:
                if len(filters) >= _FILTERS:
                    filters.pop(next(iter(filters)))
                filters[key] = known
        return known

    def matching(self, where: str) -> NDArray[np.int64]:
        """The ids that a condition leaves, within `with_index`; raises as `filter`."""
        session = self._needed()
        return session.catalogue.metadata.matching(where, session.about.generation)

    def calibration(self, index: Reader) -> Calibration | None:
        """How near is near in this generation of the index, within `with_index`; None where too few are in it."""
        session = self._needed()
        opened, about = session.opened, session.about
        known = opened.sure
        if known is None or (known.generation, known.model) != (about.generation, about.model_hash):
            same = known is not None and known.model == about.model_hash
            before = sure_file.newest(self.place, about, known.kept if known and same else None, len(index))
            if before:
                kept = before.followed(index, session.catalogue, about)
            else:
                kept = sure_file.kept_of(Calibration.of(index), about)
            known = opened.sure = _Sure(about.generation, about.model_hash, kept)
            if kept and (before is None or before.is_old(len(index))):
                sure_file.keep(self.place, about, kept)
        return replace(known.kept.calibration, count=len(index)) if known.kept else None

    def classes(self, index: Reader, words: Words, progress: Progress | None = None) -> Classes:
        """What the items of this generation probably show, within `with_index`; computed for those that are new."""
        session = self._needed()
        about, known = session.about, session.opened.classes
        if known is None or (known.generation, known.model) != (about.generation, about.model_hash):
            same = known is not None and known.model == about.model_hash
            before = known.classes if known is not None and same else classes_file.load(self.place, about, words)
            classes = Classes.of(index, words, before, progress)
            if len(np.setdiff1d(classes.ids, before.ids, assume_unique=True)) >= classes_file.WORTH:
                classes_file.keep(self.place, about, words, classes)
            known = session.opened.classes = _Known(about.generation, about.model_hash, classes)
        return known.classes

    @property
    def _session(self) -> _Session | None:
        """Of this thread."""
        return getattr(self._threads, "session", None)

    def _needed(self) -> _Session:
        session = self._session
        if session is None:
            raise RuntimeError("expected to be called within a session")
        return session

    def _open(self) -> tuple[_Opened, RememberedModel | NoModel]:
        catalogue = Catalogue(self.place.catalogue)
        try:
            model = model_of(self.place, catalogue.about(), self._wanted)
        except LookalikeError:
            catalogue.close()
            raise
        return _Opened(self.place, catalogue), model

    def _reopen(self, before: _Opened) -> None:
        """Unless another thread did."""
        with self._lock:
            if self._opened is before and not self._closed:
                self._opened, self._model = self._open()
                before.close()

    def _take(self) -> tuple[_Opened, Catalogue]:
        """A connection for this thread alone, to the catalogue that is at the place now."""
        while True:
            with self._lock:
                if self._closed:
                    raise closed()
                opened = self._opened
                catalogue = opened.free.pop() if opened.free else None
            if catalogue is None:
                catalogue = Catalogue(self.place.catalogue)
            if catalogue.file == opened.first.file and not catalogue.is_replaced:
                return opened, catalogue
            self._give_back(opened, catalogue)
            self._reopen(opened)

    def _give_back(self, opened: _Opened, catalogue: Catalogue) -> None:
        with self._lock:
            is_current = opened is self._opened and not self._closed and catalogue.file == opened.first.file
            if is_current and (len(opened.free) < _SPARE or catalogue is opened.first):
                opened.free.append(catalogue)
                return
        catalogue.close()

    def _model_of(self, about: About) -> RememberedModel | NoModel:
        """The model of a generation: another process may have changed it; ModelError where it is not as `wanted`."""
        model = self._model
        if about.model_hash != model.hash:
            model = self._model = model_of(self.place, about, self._wanted)
        return model
