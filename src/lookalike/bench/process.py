"""A competitor's process as the runner sees it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lookalike.bench.child import Built, Mode, Timed, Work, live
from lookalike.bench.competitors import Setting


class Process:
    """Started by `build`; answers with what was measured, or with a sentence that says what went wrong."""

    def __init__(self, name: str, work: Work) -> None:
        spawn = multiprocessing.get_context("spawn")  # no threads, locks or memory of ours
        self._connection, self._theirs = spawn.Pipe()
        self._process = spawn.Process(target=live, args=(self._theirs, name, work), daemon=True)
        self._threads = work.threads

    def build(self) -> Built | str:
        with _environment("OMP_NUM_THREADS", str(self._threads)):
            self._process.start()
        self._theirs.close()  # so that the end of the process is the end of the line
        answer: Built | str = self._answer()
        return answer

    def measure(self, mode: Mode, setting: Setting, count: int) -> Timed | str:
        try:
            self._connection.send((mode, setting, count))
        except OSError:
            return self._fate()
        answer: Timed | str = self._answer()
        return answer

    def stop(self) -> None:
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()
        self._connection.close()

    def _answer(self) -> Any:
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return self._fate()

    def _fate(self) -> str:
        self._process.join()
        return f"its process ended with exit code {self._process.exitcode}"


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
