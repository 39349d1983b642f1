"""Work that no signal interrupts: in a thread of its own, for Python raises a Ctrl-C in the main thread alone.

`threading` and its executors are of no use here: a Ctrl-C in the midst of them may leave one of their locks held.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Outcomes = list[BaseException | None]


@contextmanager
def apart(worker: Generator[None, T, None]) -> Iterator[Callable[[T], None]]:
    """What sends to the `worker`, which runs apart from its start to its end, at which it is closed.

    Whatever it raises is raised here, and so is what a signal raises, once the worker has done what it was at.
    """
    given: SimpleQueue[tuple[T] | None] = SimpleQueue()
    bell: SimpleQueue[None] = SimpleQueue()
    done: Outcomes = []  # of each send, the start first
    ended: Outcomes = []

    def work() -> None:
        _do(lambda: next(worker), done, bell)
        while some := given.get():
            _do(lambda some=some: worker.send(*some), done, bell)  # type: ignore[misc]
        _do(worker.close, ended, bell)

    def send(some: T) -> None:
        before = len(done)
        given.put((some,))
        _wait(done, before, bell)

    try:
        try:
            _thread.start_new_thread(work, ())
        except RuntimeError as error:  # the system has no more
            ended.append(error)
            raise
        _wait(done, 0, bell)
        yield send
    finally:
        try:
            given.put(None)
        finally:
            _wait(ended, 0, bell)


def _do(work: Callable[[], None], outcomes: Outcomes, bell: SimpleQueue[None]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 (whoever waits for it raises it)
        outcomes.append(error)
    else:
        outcomes.append(None)
    bell.put(None)


def _wait(outcomes: Outcomes, number: int, bell: SimpleQueue[None]) -> None:
    """For the outcome of this number; a ring that a signal swallowed is not missed, for the outcome is there."""
    signal = None
    while len(outcomes) <= number:
        try:
            bell.get()
        except BaseException as raised:  # noqa: BLE001 (raised below)
            signal = raised
    if error := outcomes[number] or signal:
        raise error
