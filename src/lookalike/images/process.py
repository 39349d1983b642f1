"""The parent's end of one child process that works under limits."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, ClassVar, cast
from weakref import WeakSet

from lookalike.errors import LookalikeError
from lookalike.images.serving import LENGTH, READY

_STEP = 0.1  # seconds of waiting at once: no more are counted where this process was stopped meanwhile (Ctrl-Z)

# The package without its __init__, which imports NumPy: a child is up in a third of the time.
# Not multiprocessing: it would import the user's __main__ again. Without site (-S): sys.path is the parent's,
# less the working folder, in which a picture collection may hold a PIL.py.
_START = """
import sys, types
package = types.ModuleType("lookalike")
package.__path__ = sys.argv[1].split("\\n")
sys.modules["lookalike"] = package
count = 3 + int(sys.argv[2])
given, sys.path[:] = sys.argv[3:count], sys.argv[count:]
"""
_PACKAGE = str(Path(__file__).resolve().parent.parent)


def _folders() -> str:
    """Where the package lies: that of an editable install has its compiled modules elsewhere."""
    return "\n".join(dict.fromkeys([_PACKAGE, *sys.modules["lookalike"].__path__]))


class Process:
    """A child process. One thread at a time may send and receive; any thread may `kill`.

    Args:
        start: the Python code by which it begins; `given` are texts for it.

    Raises:
        LookalikeError: the system starts no process.
    """

    what: ClassVar[str]
    """What it is called in sentences."""

    parts: ClassVar[str]
    """The packages that it needs."""

    def __init__(self, start: str, *given: object) -> None:
        self._started = False
        self._ended = False
        self._seconds_left = 0.0
        try:
            self._process = subprocess.Popen(  # noqa: S603 (our own command, without a shell)
                [
                    *(sys.executable, "-S", "-P", "-c", _START + start),
                    *(_folders(), str(len(given)), *map(str, given)),
                    *filter(None, sys.path),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=0,  # a Ctrl-C in the terminal reaches only the parent
            )
        except OSError as error:
            raise LookalikeError(
                f"expected {self.what} process to start, received {error.strerror} from the system; allow this user "
                "more processes and open files"
            ) from error

        # Popen's types leave open whether it has pipes.
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._replies = cast("IO[bytes]", self._process.stdout)
        self._complaints = cast("IO[bytes]", self._process.stderr)
        self._readable = select.poll()
        self._readable.register(self._replies.fileno(), select.POLLIN)
        _living.add(self)

    @property
    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def allow(self, seconds: float) -> None:
        """From now on, so long may be waited for what is received; not while this process is stopped."""
        self._seconds_left = seconds

    def send(self, *parts: bytes) -> None:
        """Sends a message that is made of these parts, once the child has started.

        Raises:
            EOFError, BrokenPipeError: it has ended (see `ending`).
            TimeoutError: it is late.
            LookalikeError: it could not even start.
        """
        if not self._started:
            self._wait_ready()
        # Not joined: a part may be as large as a picture.
        rest = [memoryview(part) for part in (LENGTH.pack(sum(map(len, parts))), *parts)]
        while rest:
            written = os.writev(self._requests.fileno(), rest)
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if rest:
                rest[0] = rest[0][written:]

    def receive(self, most: int) -> bytes:
        """A message of at most `most` bytes.

        Raises:
            EOFError: it has ended (see `ending`), or sends more.
            TimeoutError: it is late.
        """
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        if length > most:
            self.kill()
            raise EOFError("a message that is too long")
        return self._read(length)

    def kill(self) -> None:
        """Ends the process without waiting for it."""
        self._process.kill()

    def end(self) -> None:
        """Ends the process, also in the midst of its work, and gives back all it holds."""
        self._ended = True
        self.kill()
        # It may be stuck in the kernel, on a dead network drive; then subprocess reaps it later.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self.let_go()

    def ending(self) -> int | None:
        """The exit code, as Popen's, of a process whose pipe was at its end."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self.end()
        return self._process.returncode

    def let_go(self) -> None:
        """Closes this process's ends of the pipes; the child ends once nobody else has them."""
        for pipe in (self._requests, self._replies, self._complaints):
            pipe.close()

    def _wait_ready(self) -> None:
        try:
            self._started = self.receive(len(READY)) == READY
        except EOFError:
            if self._process.wait() < 0:
                raise  # killed from outside: that says nothing about the next one
        if not self._started:
            self.kill()
            last_words = self._complaints.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise LookalikeError(
                f"expected {self.what} process to start, but it ended ({last_words or 'without a word'});"
                f" reinstall {self.parts}"
            )

    def _read(self, count: int) -> bytes:
        chunks = []
        while count > 0:
            self._wait_for_reply()
            chunk = os.read(self._replies.fileno(), count)
            if not chunk:
                raise EOFError
            chunks.append(chunk)
            count -= len(chunk)
        return b"".join(chunks)

    def _wait_for_reply(self) -> None:
        while True:
            step = min(self._seconds_left, _STEP)
            began = time.monotonic()
            ready = self._readable.poll(step * 1000)
            self._seconds_left -= min(time.monotonic() - began, step)
            if ready:
                return
            if self._seconds_left <= 0:
                raise TimeoutError


def how(code: int | None) -> str:
    """How a process ended, by its exit code: the end of a sentence."""
    if code is not None and code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code)})"
    return f"ended unexpectedly (exit code {code})"


_living: WeakSet[Process] = WeakSet()


def _let_go_of_all() -> None:
    for child in _living:
        child.let_go()


# Else a process forked from this one, and alive when this one is killed, would keep the children waiting for requests.
os.register_at_fork(after_in_child=_let_go_of_all)
