"""What is open of one catalogue, for many threads: connections, and what searches need of one generation."""

from __future__ import annotations

import threading
from typing import NamedTuple

from lookalike.collection import sure_file
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.classes import Classes
from lookalike.collection.place import Place
from lookalike.collection.sealed.live import LiveIndex
from lookalike.collection.sure import Calibration
from lookalike.errors import LookalikeError
from lookalike.index import Filter, Reader, Snapshot

_SPARE = 16  # connections that are kept open for threads to come


class Known(NamedTuple):
    """What items probably show, of one generation and of the model with one hash."""

    generation: int
    model: str
    classes: Classes


class Sure(NamedTuple):
    """How near is near in one generation, of the model with one hash, and what brings that along to the next."""

    generation: int
    model: str
    kept: sure_file.Kept | None


class Ready(NamedTuple):
    """What searches need of one generation, made before they come.

    Attributes:
        commits: of this process, before the generation was read.
        sure: None where nobody has asked for it yet.
    """

    about: About
    commits: int
    snapshot: Snapshot
    sure: Sure | None


class Held(NamedTuple):
    """A connection, for one thread alone.

    Attributes:
        ready: what was made of the generation that it reads; None where it is in no transaction.
        look: at which its transaction began.
    """

    catalogue: Catalogue
    ready: Ready | None = None
    look: int = 0


class Opened:
    """What was opened of one catalogue, until another is in its place.

    While searches come, connections wait within transactions of the generation that is ready: so a search neither opens
    what another process has just committed nor waits for it. `look` makes a newer one ready. As long as a transaction
    is open SQLite cannot use its WAL anew: so each look also begins them again. As many wait as threads had at once;
    one more takes the place of another before that ends.

    Attributes:
        first: a connection to it.
        live: the index of its generations.
        filters: by generation and condition.
        classes: of one generation.
        looking, lock: nobody changes what it holds while one has both.
    """

    def __init__(self, place: Place, first: Catalogue) -> None:
        self.first = first
        self.live = LiveIndex(place)
        self.filters: dict[tuple[int, str], Filter] = {}
        self.classes: Known | None = None
        self._place = place
        self.looking = threading.Lock()  # for as long as a look takes
        self.lock = threading.RLock()  # over what follows; held for moments
        self._free = [first]  # in no transaction
        self._waiting: list[Held] = []  # within one; those that began last are behind
        self._ready: Ready | None = None
        self._sures: list[Sure] = []  # the newest first, and the one before it, which some still ask for
        self._look = 0
        self._used, self._most = 0, 1  # connections that threads have now, and had at once
        self._seen = threading.local()
        self._is_closed = False

    def close(self) -> None:
        """Those that are read by are closed when they are given back."""
        self.live.close()
        with self.lock:
            self.let_go()
            self._is_closed = True
            while self._free:
                self._free.pop().close()

    def take(self) -> Held:
        """A connection for this thread: within what is ready where that has all that it must see."""
        held = self._take() or Held(self._another())
        with self.lock:
            self._used += 1
            self._most = min(max(self._most, self._used), _SPARE)
        return held

    def give_back(self, held: Held) -> None:
        with self.lock:
            self._used -= 1
            if held.ready is None:
                self._free_up(held.catalogue)
            elif self._is_closed or held.ready is not self._ready:
                self._end(held)
            elif held.look == self._look:
                self._waiting.append(held)
            else:
                self._relieve(held)

    def ready_of(self, held: Held, about: About) -> Ready | None:
        """What was made of the generation that is read by this; this thread reads none before it any more."""
        self._seen.generation = about.generation
        ready = held.ready or self._ready
        return ready if ready and ready.about == about else None

    def look(self) -> None:
        """Make ready what is committed by now, and begin the transactions that nobody reads by again.

        Raises:
            LookalikeError: it cannot be read.
        """
        with self.looking:
            fresh = self._look_at()
            with self.lock:
                if self._is_closed or fresh.look != self._look + 1:  # it was let go meanwhile
                    self._end(fresh)
                    return
                self._ready, self._look = fresh.ready, fresh.look
                before, self._waiting = self._waiting, [fresh]
                while len(self._waiting) + self._used < self._most and self._wait(self._other() or self._another()):
                    if before:
                        self._end(before.pop(0))
                for held in before:
                    if held.ready is self._ready and len(self._waiting) + self._used < self._most:
                        self._waiting.insert(0, held)  # somebody commits just now
                    else:
                        self._end(held)

    def let_go(self) -> None:
        """Let nothing be ready, and no connection wait: the next search reads what is newest then."""
        with self.lock:
            self._ready, self._look = None, self._look + 1
            while self._waiting:
                self._end(self._waiting.pop())

    def sure_of(self, index: Reader, catalogue: Catalogue, about: About) -> Sure:
        """How near is near in a generation of the index."""
        for known in self._sures:
            if (known.generation, known.model) == (about.generation, about.model_hash):
                return known
        newest = self._sures[0] if self._sures else None
        same = newest is not None and newest.model == about.model_hash
        before = sure_file.newest(self._place, about, newest.kept if newest and same else None, len(index))
        anew = None if before else Calibration.of(index)
        kept = before.followed(index, catalogue, about) if before else sure_file.kept_of(anew, about)
        known = Sure(about.generation, about.model_hash, kept)
        if newest is None or newest.generation <= about.generation:
            self._sures = [known, *self._sures[:1]]
        if kept and (before is None or before.is_old(len(index))):
            sure_file.keep(self._place, about, kept)
        return known

    def _look_at(self) -> Held:
        """A connection within a transaction of the newest generation, and what searches need of that."""
        with self.lock:
            catalogue = self._other() or self._another()
        try:
            if catalogue.file != self.first.file:
                raise catalogue.damaged("another file")  # which who searches opens
            look, commits, ready = self._look + 1, catalogue.commits, self._ready
            about = catalogue.begin()
            if ready is None or ready.about != about:
                index = self.live.at(catalogue, about)
                ready = Ready(about, commits, index, self.sure_of(index, catalogue, about) if self._sures else None)
            elif ready.commits != commits:
                ready = ready._replace(commits=commits)
            return Held(catalogue, ready, look)
        except BaseException:
            with self.lock:
                self._end(Held(catalogue))
            raise

    def _take(self) -> Held | None:
        """One that there is, if any is of use."""
        with self.lock:
            if self._waiting and self._is_newest():
                return self._waiting.pop()
            return Held(self._free.pop()) if self._free else None

    def _other(self) -> Catalogue | None:
        """One that is free, with the lock; but the first never waits: it may be read by without being taken."""
        for place, catalogue in enumerate(self._free):
            if catalogue is not self.first:
                return self._free.pop(place)
        return None

    def _another(self) -> Catalogue:
        return Catalogue(self._place.catalogue)

    def _is_newest(self) -> bool:
        """Whether what is ready has all that this thread must see."""
        ready = self._ready
        return (
            ready is not None
            and ready.commits >= self.first.commits_to_see
            and ready.about.generation >= getattr(self._seen, "generation", 0)
        )

    def _relieve(self, held: Held) -> None:
        """Let another connection wait in place of one whose transaction is old; where none can, this one goes on."""
        other = self._other()
        if other is not None and self._wait(other):
            self._end(held)
        else:
            self._waiting.insert(0, held)

    def _wait(self, catalogue: Catalogue) -> bool:
        """Let a connection wait, unless what it reads is not what is ready."""
        ready = self._ready
        try:
            if ready and catalogue.file == self.first.file and catalogue.begin() == ready.about:
                self._waiting.append(Held(catalogue, ready, self._look))
                return True
            catalogue.end()
        except LookalikeError:  # who searches is told
            catalogue.close()
            return False
        self._free_up(catalogue)
        return False

    def _end(self, held: Held) -> None:
        try:
            held.catalogue.end()
        except LookalikeError:
            held.catalogue.close()
        else:
            self._free_up(held.catalogue)

    def _free_up(self, catalogue: Catalogue) -> None:
        is_current = not self._is_closed and catalogue.file == self.first.file
        if is_current and (len(self._free) < _SPARE or catalogue is self.first):
            self._free.append(catalogue)
        else:
            catalogue.close()
