"""A thread that looks again and again for what was committed, beside those that search."""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol
from weakref import WeakSet, ref

EVERY = 0.1
"""Seconds between two looks."""

AGAIN = 1.0
"""Seconds between two looks that fail."""


class Followed(Protocol):
    """What is looked at."""

    def follow(self) -> float | None:
        """Look once; after how many seconds to look again, if at all."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Nothing of it is locked by another thread meanwhile, and no connection waits in a transaction."""
        ...


def pause_for_forks(followed: Followed) -> None:
    """In a child, what another thread has locked would stay so; and locks of SQLite are of one process."""
    _paused.add(followed)


class Follower:
    """The thread; it ends by itself when there is nothing to look for, or nobody has what it looks at.

    Raises RuntimeError where there are too many threads.

    In a child of a fork there is none, and no transaction that was begun for it.

    Attributes:
        is_over: whether it has ended, or will at once.
    """

    def __init__(self, followed: Followed) -> None:
        self.is_over = False
        self._followed = ref(followed)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lookalike-follower", daemon=True)
        _all.add(self)
        try:
            self._thread.start()
        except BaseException:  # a Ctrl-C comes after the thread has begun
            self.is_over = True
            self._stopped.set()
            raise

    def stop(self) -> None:
        """End it; a look that is under way is waited for."""
        self.is_over = True
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self.is_over and (seconds := self._look()):
                self._stopped.wait(seconds)
        finally:
            self.is_over = True

    def _look(self) -> float | None:
        followed = self._followed()  # held for no longer than a look
        return followed.follow() if followed else None


_all = WeakSet[Follower]()
_paused = WeakSet[Followed]()
_forking, _one_forks = ExitStack(), threading.Lock()


def _stop_all() -> None:
    """A thread that is left in the midst of the engine at the end of the interpreter would abort the process."""
    for each in list(_all):
        each.stop()


def _before_fork() -> None:
    _forking.enter_context(_one_forks)
    for each in list(_paused):
        _forking.enter_context(each.paused())


def _after_fork_in_child() -> None:
    for each in list(_all):
        each.is_over = True
    _forking.close()


atexit.register(_stop_all)
os.register_at_fork(before=_before_fork, after_in_parent=_forking.close, after_in_child=_after_fork_in_child)
