"""`lookalike VERB`: the verbs put together, and what every one of them promises.

Data goes to stdout, progress and notes to stderr. An error is one sentence; `--debug` shows where it came
from. Exit codes: 0 something was found or done, 1 nothing was found, 2 an error, 130 interrupted,
141 nobody reads what is printed.
"""

from __future__ import annotations

import os
import sys
import traceback

from lookalike.cli.streams import BROKEN_PIPE, OutputClosedError, silence, take_streams


def main() -> None:
    """What the `lookalike` command runs; it never returns."""
    take_streams()
    try:
        try:
            code = run(sys.argv[1:])
            _end_silently()
        except KeyboardInterrupt:
            _end_silently()
            sys.stderr.write("lookalike: interrupted\n")
            code = 130
    except OutputClosedError:
        code = BROKEN_PIPE
    except OSError:  # of stderr: there is nowhere to say it
        code = 2
    silence()
    sys.exit(code)


def _end_silently() -> None:
    """From now on Ctrl-C has nothing to stop but the cleaning up, and shows no traceback of it."""
    import signal

    signal.signal(signal.SIGINT, lambda *_: os._exit(130))


def run(arguments: list[str]) -> int:
    """Runs one command line and gives its exit code. OutputClosedError where nobody reads what it says."""
    from lookalike.cli.errors import INTERRUPTED, debugging, report, say

    debug, arguments = debugging(arguments)
    try:
        from lookalike.cli.app import app  # may fail: LOOKALIKE_SIMD may name a level that is not there

        code = app(arguments, standalone_mode=False)
        sys.stdout.flush()
    except OutputClosedError:
        raise
    except Exception as error:  # noqa: BLE001 (the last stop: whatever comes here is said, with --debug shown)
        if debug:
            traceback.print_exception(error)
        return report(error)
    if code == INTERRUPTED:  # typer's answer to a KeyboardInterrupt within a verb
        say("interrupted")
    return code if isinstance(code, int) else 0
