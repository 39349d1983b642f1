"""The parent's end of one decoder process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast
from weakref import WeakSet

from lookalike.errors import LookalikeError, PictureError
from lookalike.images import wire


@dataclass(frozen=True)
class Limits:
    """What decoding one picture may cost.

    Attributes:
        memory: bytes of address space of a child (Linux only).
        cpu_seconds: of CPU time.
        pixels: width times height, checked in the header before any pixel is decoded.
        seconds: of wall-clock time, for reading from a slow or dead drive; not while this process is stopped.
    """

    memory: int = 1 << 30
    cpu_seconds: float = 3
    pixels: int = 64_000_000
    seconds: float = 30


DEFAULT_LIMITS = Limits()

_STEP = 0.1  # seconds of waiting at once: no more are counted where this process was stopped meanwhile (Ctrl-Z)

# The package without its __init__, which imports NumPy: a child is up in a third of the time.
# Not multiprocessing: it would import the user's __main__ again. Without site (-S): sys.path is the parent's,
# less the working folder, in which a picture collection may hold a PIL.py.
_START = """
import sys, types
package = types.ModuleType("lookalike")
package.__path__ = [sys.argv[1]]
sys.modules["lookalike"] = package
memory, cpu_seconds, pixels, *sys.path = sys.argv[2:]
from lookalike.images.worker import main
main(int(memory), float(cpu_seconds), int(pixels))
"""
_PACKAGE = str(Path(__file__).resolve().parent.parent)


class Child:
    """One decoder process. One thread at a time may `ask`; any thread may `kill`.

    Raises:
        LookalikeError: the system starts no process.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._started = False
        self._ended = False
        self._seconds_left = limits.seconds
        given = (_PACKAGE, str(limits.memory), str(limits.cpu_seconds), str(limits.pixels))
        try:
            self._process = subprocess.Popen(  # noqa: S603 (our own command, without a shell)
                [sys.executable, "-S", "-P", "-c", _START, *given, *filter(None, sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                process_group=0,  # a Ctrl-C in the terminal reaches only the parent
            )
        except OSError as error:
            raise LookalikeError(
                f"expected a decoder process to start, received {error.strerror} from the system; allow this user "
                "more processes and open files"
            ) from error

        # Popen's types leave open whether it has pipes.
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._replies = cast("IO[bytes]", self._process.stdout)
        self._complaints = cast("IO[bytes]", self._process.stderr)
        _living.add(self)

    @property
    def alive(self) -> bool:
        return not self._ended and self._process.poll() is None

    def ask(self, request: wire.Request) -> bytes:
        """What the child answers, without the leading OK.

        Raises:
            PictureError: the picture cannot be read, or the child came to grief over it (see `alive`).
            LookalikeError: the child could not even start.
        """
        self._seconds_left = self._limits.seconds
        try:
            if not self._started:
                self._wait_ready()
            self._send(request.pack())
            reply = self._receive(request.largest_reply)
        except (EOFError, BrokenPipeError) as error:
            raise PictureError(self._cause_of_death()) from error
        except TimeoutError as error:
            self.end()
            raise PictureError(f"took more than {self._limits.seconds:g} s to read and decode") from error
        if reply[:1] != wire.OK:
            raise PictureError(reply[1:].decode("utf-8", "replace"))
        return reply[1:]

    def kill(self) -> None:
        """Ends the process without waiting for it."""
        self._process.kill()

    def end(self) -> None:
        """Ends the process, also in the midst of a picture, and gives back all it holds."""
        self._ended = True
        self.kill()
        # It may be stuck in the kernel, on a dead network drive; then subprocess reaps it later.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self.let_go()

    def let_go(self) -> None:
        """Closes this process's ends of the pipes; the child ends once nobody else has them."""
        for pipe in (self._requests, self._replies, self._complaints):
            pipe.close()

    def _wait_ready(self) -> None:
        try:
            self._started = self._receive(len(wire.READY)) == wire.READY
        except EOFError:
            if self._process.wait() < 0:
                raise  # killed from outside: that says nothing about the next one
        if not self._started:
            self.kill()
            last_words = self._complaints.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise LookalikeError(
                f"expected a decoder process to start, but it ended ({last_words or 'without a word'});"
                " reinstall lookalike and Pillow"
            )

    def _send(self, message: bytes) -> None:
        rest = memoryview(wire.LENGTH.pack(len(message)) + message)
        while rest:
            rest = rest[os.write(self._requests.fileno(), rest) :]

    def _receive(self, most: int) -> bytes:
        (length,) = wire.LENGTH.unpack(self._read(wire.LENGTH.size))
        if length > most:
            raise EOFError("a reply that is too long")
        return self._read(length)

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
        readable = select.poll()
        readable.register(self._replies.fileno(), select.POLLIN)
        while True:
            step = min(self._seconds_left, _STEP)
            began = time.monotonic()
            ready = readable.poll(step * 1000)
            self._seconds_left -= min(time.monotonic() - began, step)
            if ready:
                return
            if self._seconds_left <= 0:
                raise TimeoutError

    def _cause_of_death(self) -> str:
        self.end()
        code = self._process.returncode
        if code == -signal.SIGPROF:
            return f"took more than {self._limits.cpu_seconds:g} s of CPU time to decode"
        if code is not None and code < 0:
            return f"its decoder was ended by signal {-code} ({signal.strsignal(-code)})"
        return f"its decoder ended unexpectedly (exit code {code})"


_living: WeakSet[Child] = WeakSet()


def _let_go_of_all() -> None:
    for child in _living:
        child.let_go()


# Else a process forked from this one, and alive when this one is killed, would keep the children waiting for requests.
os.register_at_fork(after_in_child=_let_go_of_all)
