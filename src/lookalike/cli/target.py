"""The files that a verb writes, a page and a plan: that they can and may be written is known before any work."""

from __future__ import annotations

import os
import stat
from codecs import BOM_UTF8

from lookalike.errors import ArgumentError, WriteError


def require_writable(page: str | None, plan: str | None = None) -> None:
    """Refuses names that cannot be written, and files that are neither empty nor of the kind that would replace them.

    Raises:
        WriteError: there is no such file, and its folder cannot be written; or it is there, and not of that kind.
        ArgumentError: both are the same file.
    """
    if page is not None:
        from lookalike.pages import BEGINNING as PAGE  # needs jinja2

        _require(page, "page", PAGE)
    if plan is not None:
        from lookalike.dedupe.plan import BEGINNING as PLAN
        from lookalike.dedupe.plan import BEGINNING_1

        _require(plan, "plan", PLAN, BEGINNING_1)
    if page is not None and plan is not None and os.path.realpath(page) == os.path.realpath(plan):
        raise ArgumentError(f"expected two files for the page and the plan, received {plan} for both; name another")


def _require(file: str, kind: str, *beginnings: bytes) -> None:
    wanted = f"expected to write the {kind} to "
    if not os.path.basename(file):
        raise WriteError(f"{wanted}a file, received {f'the folder {file}' if file else 'an empty name'}; name another")
    try:
        mode = os.stat(file).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return  # a pipe or a device is written to, not replaced
        with open(file, "rb") as stream:  # a folder refuses
            found = stream.read(max(map(len, beginnings)) + len(BOM_UTF8)).removeprefix(BOM_UTF8)  # of an editor
    except FileNotFoundError:
        found = b""
    except OSError as error:
        raise WriteError(error.errno, f"{wanted}{file}, received {error.strerror!r}; name another") from error
    if found and not found.startswith(beginnings):
        raise WriteError(
            f"{wanted}{file}, received a file that does not begin as lookalike's {kind}s do; name another, "
            "or move it away"
        )
    folder = os.path.dirname(os.path.realpath(file))  # where a new file is made, which then takes its place
    if not (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        raise WriteError(f"{wanted}{file}, but {folder} is no folder that may be written; name another")
