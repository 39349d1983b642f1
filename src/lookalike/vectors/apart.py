"""Work that no signal interrupts: in a thread of its own, for Python raises a Ctrl-C in the main thread alone.

`threading` and its executors are of no use here: a Ctrl-C in the midst of them may leave one of their locks held.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

Work = Callable[[], Any]
Answer = tuple[Any, BaseException | None]


@contextmanager
def apart() -> Iterator[Callable[[Work], Any]]:
    """What does one piece of work after the other, and gives or raises what that does; waiting may be interrupted."""
    orders: SimpleQueue[tuple[Work, SimpleQueue[Answer]] | None] = SimpleQueue()

    def serve() -> None:
        while order := orders.get():
            work, answer = order
            try:
                answer.put((work(), None))
            except BaseException as error:  # noqa: BLE001 (whoever waits for it raises it)
                answer.put((None, error))

    def do(work: Work) -> Any:
        answer: SimpleQueue[Answer] = SimpleQueue()
        orders.put((work, answer))
        given, error = answer.get()
        if error is not None:
            raise error
        return given

    try:
        _thread.start_new_thread(serve, ())
        yield do
    finally:
        orders.put(None)
