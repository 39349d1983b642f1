"""A collection's catalogue and index for many threads: one writes, the others read, each in a session of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import classes_file
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.catalogue.database import closed
from lookalike.collection.classes import Classes
from lookalike.collection.follower import AGAIN, EVERY, Follower, pause_for_forks
from lookalike.collection.lock import writer_lock
from lookalike.collection.model import AS_REMEMBERED, RememberedModel, Wanted, model_of
from lookalike.collection.no_model import NoModel
from lookalike.collection.opened import Held, Known, Opened, Ready
from lookalike.collection.place import Place
from lookalike.collection.sure import Calibration
from lookalike.collection.sync.report import Progress
from lookalike.errors import DamagedError, LookalikeError
from lookalike.index import Filter, Reader
from lookalike.models.words import Words

T = TypeVar("T")

_FILTERS = 16  # conditions whose ids are kept, for searches to come
_LATELY = 10.0  # seconds; searches that came so far apart are followed by more


class _Session(NamedTuple):
    """What one thread reads of one snapshot of the catalogue.

    Attributes:
        ready: what was made of its generation beforehand, if anything was.
    """

    opened: Opened
    catalogue: Catalogue
    about: About
    model: RememberedModel | NoModel
    ready: Ready | None


class Access:
    """What a collection reads by; where a rescue has replaced the catalogue, the new one is opened.

    Each thread that reads has a session of its own: a connection, one generation, and the snapshot of the index that is
    of this generation. What a thread has committed it sees at once. While
    searches come, a `Follower` brings along what other processes commit, and until it has, sessions are of the
    generation before. The same goes for what another thread commits, until its writer is done.

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
        self._searched = -math.inf  # when, by the monotonic clock
        self._failures = 0  # of the looks of late
        self._follower: Follower | None = None
        self._models: tuple[RememberedModel | NoModel, ...]  # of the newest generation, and the one before
        self._generation: int  # from which on it is the first of them
        self._opened = self._open()
        pause_for_forks(self)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            follower, self._follower = self._follower, None
        try:
            if follower:
                follower.stop()
        finally:
            with self._lock:
                self._opened.close()

    def follow(self) -> float | None:
        """Bring along what is committed by now, for sessions to come; after how many seconds to do so again.

        None where no search came lately. What is wrong is told by who searches.
        """
        opened, is_well, goes_on = self._opened, False, False
        try:
            with suppress(LookalikeError, MemoryError):
                opened.look()
                is_well = True
            goes_on = opened.first.takes_changes
        finally:
            with self._lock:
                goes_on = goes_on and not self._closed and time.monotonic() - self._searched < _LATELY
                if not goes_on:
                    self._follower = None
                    self._opened.let_go()
            if not (goes_on and is_well):
                opened.let_go()
        if not goes_on:
            return None
        self._failures = 0 if is_well else self._failures + 1
        return EVERY if self._failures < 2 else AGAIN  # the first may be of a segment that others just deleted

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No other thread has a lock of this meanwhile, and no connection waits in a transaction: for a fork."""
        while True:
            opened = self._opened
            with opened.looking, self._lock, opened.live.lock, opened.lock:
                if opened is self._opened:
                    opened.let_go()
                    yield
                    return

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
        return session.model if session else self._models[0]

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
        with ExitStack() as stack:
            with writer_lock(self.place.directory, patience):
                with self.reading():
                    pass  # which is an error where the collection was closed
                catalogue = stack.enter_context(closing(Catalogue(self.place.catalogue)))
                self.model_of(catalogue.about())  # which is an error where it is another than is wanted
                yield catalogue
            self._bring_along()

    @contextmanager
    def reading(self) -> Iterator[About]:
        """One snapshot of the catalogue; within another of this thread, that one."""
        if session := self._session:
            yield session.about
            return
        opened, held = self._take()
        try:
            with nullcontext(held.ready.about) if held.ready else held.catalogue.reading() as about:
                ready = opened.ready_of(held, about)
                self._threads.session = _Session(opened, held.catalogue, about, self.model_of(about), ready)
                try:
                    yield about
                finally:
                    self._threads.session = None
        finally:
            opened.give_back(held)

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
                opened.let_go()
                with self.reading() as about:
                    if self._opened is opened and about.generation == generation:
                        raise
                # else a writer had sealed and swept between our snapshot and the opening of its segment

    def with_index(self, use: Callable[[Reader], T]) -> T:
        """What `use` makes of the index, within one snapshot of the catalogue."""

        def of(about: About) -> T:
            session = self._needed()
            live, ready = session.opened.live, session.ready
            if ready is None:
                return use(live.at(session.catalogue, about))
            live.require_untruncated()
            return use(ready.snapshot)

        if not self._session:
            self._follow_for_searches()
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
        known = session.ready.sure if session.ready else None
        if known is None:
            known = session.opened.sure_of(index, session.catalogue, session.about)
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
            known = session.opened.classes = Known(about.generation, about.model_hash, classes)
        return known.classes

    def model_of(self, about: About) -> RememberedModel | NoModel:
        """The model of a generation; raises as `RememberedModel` where it is not as `wanted`.

        While another process changes it, some threads read what is before the change and some what is behind it.
        """
        newest, *_ = before = self._models
        if newest.hash == about.model_hash:
            return newest
        model = next((each for each in before if each.hash == about.model_hash), None)
        model = model or model_of(self.place, about, self._wanted)
        with self._lock:
            model = next((each for each in self._models if each.hash == about.model_hash), model)  # another's
            if about.generation > self._generation:
                if model is not self._models[0]:
                    self._models = (model, self._models[0])
                self._generation = about.generation
        return model

    def _is_followed(self) -> bool:
        follower = self._follower
        return follower is not None and not follower.is_over

    @property
    def _session(self) -> _Session | None:
        """Of this thread."""
        return getattr(self._threads, "session", None)

    def _needed(self) -> _Session:
        session = self._session
        if session is None:
            raise RuntimeError("expected to be called within a session")
        return session

    def _open(self) -> Opened:
        catalogue = Catalogue(self.place.catalogue)
        try:
            about = catalogue.about()
            self._models, self._generation = (model_of(self.place, about, self._wanted),), about.generation
        except LookalikeError:
            catalogue.close()
            raise
        return Opened(self.place, catalogue)

    def _reopen(self, before: Opened) -> None:
        """Unless another thread did."""
        with self._lock:
            if self._opened is before and not self._closed:
                self._opened = self._open()
                before.close()

    def _take(self) -> tuple[Opened, Held]:
        """A connection for this thread alone, to the catalogue that is at the place now."""
        while True:
            with self._lock:
                if self._closed:
                    raise closed()
                opened = self._opened
            held = opened.take()
            if held.catalogue.file == opened.first.file and not held.catalogue.is_replaced:
                return opened, held
            opened.give_back(held)
            self._reopen(opened)

    def _follow_for_searches(self) -> None:
        """Where one search has followed another, more will come: those need not bring along what others commit."""
        before, self._searched = self._searched, time.monotonic()
        if self._is_followed():
            return
        if self._searched - before < _LATELY and self._opened.first.takes_changes:
            with self._lock, suppress(RuntimeError):  # too many threads: each search does it itself
                if not self._closed and not self._is_followed():
                    self._follower = Follower(self)

    def _bring_along(self) -> None:
        """What this thread has committed, before other threads must see it."""
        opened = self._opened
        if self._is_followed():
            try:
                with suppress(LookalikeError, MemoryError):  # who searches is told
                    opened.look()
            finally:
                if not self._is_followed():
                    opened.let_go()
