"""stdout and stderr as every verb finds them: they show what they can, and the command ends where nobody reads."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

BROKEN_PIPE = 141  # as a shell reports a command that died of SIGPIPE


class OutputClosedError(Exception):
    """Whoever read stdout or stderr (`| head`) is gone.

    No OSError: typer and rich would answer that themselves, with exit code 1. No SIGPIPE either, which a decoder that
    died would send as well.
    """


class Stream(TextIOWrapper):
    """Text that raises OutputClosedError where nobody reads it any more."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError as error:
            raise OutputClosedError from error

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError as error:
            raise OutputClosedError from error


def take_streams() -> None:
    """Let stdout and stderr be such streams, once for the life of the process."""
    # a stream that was closed (`>&-`) is None, and its number would be given to the next file that is opened
    sys.stdout = _stream(sys.stdout or open(os.devnull, "w"))  # noqa: SIM115 (for as long as this process lives)
    sys.stderr = _stream(sys.stderr or open(os.devnull, "w"))  # noqa: SIM115


def silence() -> None:
    """What is left of what nobody reads, or cannot be written, goes nowhere, lest Python complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OutputClosedError, OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _stream(stream: TextIO) -> TextIO:
    if not isinstance(stream, TextIOWrapper):
        return stream
    encoding, by_lines, at_once = stream.encoding, stream.line_buffering, stream.write_through
    # a terminal that is not UTF-8 shows what it can
    return Stream(stream.detach(), encoding, "backslashreplace", line_buffering=by_lines, write_through=at_once)
