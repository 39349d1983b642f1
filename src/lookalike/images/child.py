"""One decoder process, as its parent sees it."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from lookalike.errors import PictureError
from lookalike.images import wire
from lookalike.images.process import Process, how


@dataclass(frozen=True)
class Limits:
    """What decoding one picture may cost.

    Attributes:
        memory: bytes of address space of a child (Linux only).
        cpu_seconds: of CPU time; a HEIC may take `wire.HEIC_TIMES` as much.
        pixels: width times height, checked in the header before any pixel is decoded.
        seconds: of wall-clock time, for reading from a slow or dead drive; not while this process is stopped.
    """

    memory: int = 1 << 30
    cpu_seconds: float = 3
    pixels: int = 64_000_000
    seconds: float = 30


DEFAULT_LIMITS = Limits()

_START = """
memory, cpu_seconds, pixels = given
from lookalike.images.worker import main
main(int(memory), float(cpu_seconds), int(pixels))
"""


class Child(Process):
    """One decoder process. One thread at a time may `ask`; any thread may `kill`.

    Raises:
        LookalikeError: the system starts no process.
    """

    what = "a decoder"
    parts = "lookalike and Pillow"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        super().__init__(_START, limits.memory, limits.cpu_seconds, limits.pixels)

    def ask(self, request: wire.Request) -> bytes:
        """What the child answers, without the leading OK.

        Raises:
            PictureError: the picture cannot be read, or the child came to grief over it (see `alive`).
            LookalikeError: the child could not even start.
        """
        self.allow(self._limits.seconds)
        try:
            self.send(*request.pack())
            reply = self.receive(request.largest_reply)
        except (EOFError, BrokenPipeError) as error:
            raise PictureError(self._cause_of_death()) from error
        except TimeoutError as error:
            self.end()
            raise PictureError(f"took more than {self._limits.seconds:g} s to read and decode") from error
        if reply[:1] != wire.OK:
            raise PictureError(reply[1:].decode("utf-8", "replace"))
        return reply[1:]

    def _cause_of_death(self) -> str:
        code = self.ending()
        if code == -signal.SIGPROF:
            seconds = self._limits.cpu_seconds
            return f"took more than {seconds:g} s of CPU time to decode (HEIC: {wire.HEIC_TIMES * seconds:g} s)"
        return f"its decoder {how(code)}"
