"""Errors as a person reads them: one sentence on stderr."""

from __future__ import annotations

import sys

from typer.exceptions import TyperException

from lookalike.errors import LookalikeError
from lookalike.names import visible

INTERRUPTED = 130  # as a shell reports a command that died of SIGINT


class Interrupted(Exception):  # noqa: N818 (InterruptedError is Python's own)
    """Ctrl-C, with a sentence that says what is kept. No KeyboardInterrupt: typer would swallow it in silence."""


def debugging(arguments: list[str]) -> tuple[bool, list[str]]:
    """Whether `--debug` is among the options, wherever it stands, and the arguments without it."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    rest = [argument for argument in options if argument != "--debug"] + arguments[len(options) :]
    return len(rest) < len(arguments), rest


def report(error: Exception) -> int:
    """Says what went wrong and gives the exit code."""
    if isinstance(error, Interrupted):
        say(str(error))
        return INTERRUPTED
    if isinstance(error, TyperException):
        if message := error.format_message():  # empty where it was answered by the help
            say(f"{message.rstrip('.')}{'' if message.endswith('?') else ';'} {_advice(error)}")
        return 2
    if isinstance(error, LookalikeError | OSError | MemoryError | ImportError):
        say(str(error) or "out of memory; close other programs or index in smaller parts")
        return 2
    say(f"a mistake of ours ({type(error).__name__}: {error}); please report it with what --debug shows")
    return 2


def _advice(error: TyperException) -> str:
    """What to do about arguments that were not understood."""
    option = getattr(error, "option_name", "--")
    if not option.startswith("--"):
        return "a file's name that begins with a dash is written as ./-NAME"
    context = getattr(error, "ctx", None)
    return f"see: {context.command_path if context else 'lookalike'} --help"


def say(sentence: str) -> None:
    """An error on stderr."""
    sys.stderr.write(f"lookalike: {visible(sentence)}\n")
