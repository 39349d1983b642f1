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

_SPARE = 16  # threads for which connections wait, and others are kept that may wait next
_ROUNDS = 3  # in which connections begin again until all read one generation, while others commit


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

    While searches come, connections wait within transactions of the generation that is ready, as many as threads had at
    once: so a search neither opens what another process has just committed nor waits for it. `look` makes a newer
    one ready. As long as a transaction is open SQLite cannot use its WAL anew: so with each look others wait, and those
    that began before end, or when they are given back.

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
        self._waiting: list[Held] = []  # within one that began with the last look
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
            # of some errors SQLite ends a transaction by itself
            if held.ready and held.look == self._look and held.catalogue.has_begun and not self._is_closed:
                self._waiting.append(held)
            else:
                self._end(held.catalogue)

    def ready_of(self, held: Held, about: About) -> Ready | None:
        """What was made of the generation that is read by this; this thread reads none before it any more."""
        self._seen.generation = about.generation
        ready = held.ready or self._ready
        return ready if ready and ready.about == about else None

    def look(self) -> None:
        """Make ready what is committed by now, and let connections wait within transactions of it.

        Raises:
            LookalikeError: it cannot be read.
        """
        with self.looking:
            if self._is_closed:
                return
            look, commits, begun = self._look + 1, self.first.commits, list[Catalogue]()
            try:
                about = self._begin_together(begun)
                ready = self._made_ready(begun[0], about, commits)
                with self.lock:
                    waiting = [Held(each, ready, look) for each in begun]
                    before = [held.catalogue for held in self._waiting]
                    if look == self._look + 1 and not self._is_closed:  # else it was let go meanwhile
                        # one line, lest a Ctrl-C leave a connection in two places
                        self._waiting, self._ready, self._look, begun = waiting, ready, look, before
            finally:
                with self.lock:
                    for each in begun:
                        self._end(each)

    def let_go(self) -> None:
        """Let nothing be ready, and no connection wait: the next search reads what is newest then."""
        with self.lock:
            self._ready, self._look = None, self._look + 1
            while self._waiting:
                self._end(self._waiting.pop().catalogue)

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

    def _begin_together(self, begun: list[Catalogue]) -> About:
        """Connections for all threads, each within a transaction of one generation, which is returned."""
        for _ in range(self._most):
            with self.lock:
                free = self._other()
            begun.append(free or self._another())
            if begun[-1].file != self.first.file:
                raise begun[-1].damaged("another file")  # which who searches opens
        abouts = [each.begin() for each in begun]
        for _ in range(_ROUNDS):
            newest = max(abouts, key=lambda about: about.generation)
            for place, each in enumerate(begun):
                if abouts[place] != newest:  # somebody committed meanwhile
                    each.end()
                    abouts[place] = each.begin()
        most = max(abouts, key=abouts.count)  # all, unless somebody never stops committing
        with self.lock:
            for place in reversed(range(len(begun))):
                if abouts[place] != most:
                    self._end(begun.pop(place))
        return most

    def _made_ready(self, catalogue: Catalogue, about: About, commits: int) -> Ready:
        """What searches need of a generation."""
        ready = self._ready
        index = ready.snapshot if ready and ready.about == about else self.live.at(catalogue, about)
        return Ready(about, commits, index, self.sure_of(index, catalogue, about) if self._sures else None)

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

    def _end(self, catalogue: Catalogue) -> None:
        """Let it be in no transaction, and be taken again."""
        try:
            catalogue.end()
        except LookalikeError:  # who searches is told
            catalogue.close()
            return
        is_current = not self._is_closed and catalogue.file == self.first.file
        if is_current and (len(self._free) < 2 * _SPARE or catalogue is self.first):
            self._free.append(catalogue)
        else:
            catalogue.close()
