"""A competitor's process as the runner sees it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any, overload

from lookalike.bench import memory
from lookalike.bench.child import (
    Add,
    Build,
    Built,
    Changed,
    Failed,
    Load,
    Measure,
    Peak,
    Remove,
    Request,
    Save,
    Timed,
    Touch,
    Work,
    live,
)

SPARE = 0.9
"""Of the memory that is free when it begins, a process may take so much: the machine must not come to a standstill."""


class Process:
    """A competitor's own; started by the first `ask`. Once it has ended, every answer is a Failed that says why."""

    def __init__(self, name: str, work: Work) -> None:
        spawn = multiprocessing.get_context("spawn")  # no threads, locks or memory of ours
        self._work = replace(work, memory=work.memory or int(SPARE * memory.available()))
        self._connection, self._theirs = spawn.Pipe()
        self._process = spawn.Process(target=live, args=(self._theirs, name, self._work), daemon=True)
        self._fate = ""

    @overload
    def ask(self, request: Build, limit: float) -> Built | Failed: ...
    @overload
    def ask(self, request: Measure, limit: float) -> Timed | Failed: ...
    @overload
    def ask(self, request: Add | Remove, limit: float) -> Changed | Failed: ...
    @overload
    def ask(self, request: Touch | Load, limit: float) -> float | Failed: ...
    @overload
    def ask(self, request: Peak | Save, limit: float) -> int | Failed: ...
    def ask(self, request: Request, limit: float) -> Any:
        """Its answer, or why there is none: what went wrong, or that it ended, or took more seconds than `limit`."""
        if self._process.pid is None:
            with _environment("OMP_NUM_THREADS", str(self._work.threads)), _no_interrupt():
                self._process.start()
            self._theirs.close()  # so that the end of the process is the end of the line
        if self._fate:
            return Failed(self._fate)
        try:
            self._connection.send(request)
            if self._connection.poll(limit):
                return self._connection.recv()
            self._fate = f"stopped after {limit:,.0f} s, which is its limit"
            self._process.kill()
        except (EOFError, OSError):
            self._process.join()
            self._fate = memory.ending(self._process.exitcode, self._work.memory)
        return Failed(self._fate)

    @property
    def pid(self) -> int | None:
        """Of the process, once it was asked."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        return bool(self._fate)

    def stop(self) -> None:
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()
        self._connection.close()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C waits for the end of this; a process that is started here is never told: whoever started it ends it."""
    told: list[tuple[int, FrameType | None]] = []
    handler = signal.getsignal(signal.SIGINT)
    ours = callable(handler) and threading.current_thread() is threading.main_thread()
    if ours:  # the signal may come to any thread, such as one of BLAS's
        signal.signal(signal.SIGINT, lambda *about: told.append(about))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which the new process inherits
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if ours:
            signal.signal(signal.SIGINT, handler)
    if told and callable(handler):
        handler(*told[0])


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
