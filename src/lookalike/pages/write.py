"""Writing a page to its file: the old one or the new one, never half of one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from lookalike.durable import draft, sync
from lookalike.errors import WriteError

BEGINNING = (
    b'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="lookalike">\n'
)
"""How every page begins, and nobody else's: only such a file may be replaced by a page."""


def write_page(page: str | Iterable[str], path: str) -> None:
    """Writes `page`, or its pieces, to `path` as UTF-8: into a new file beside it, which then takes its place.

    A link is followed. What is not a regular file, such as a pipe or `/dev/stdout`, is written to as it is.

    Raises:
        WriteError: it cannot be written; a file that was there before is still there, unchanged.
    """
    pieces = [page] if isinstance(page, str) else page
    try:
        if _is_stream(path):
            with open(path, "wb") as stream:
                stream.writelines(piece.encode("utf-8") for piece in pieces)
        else:
            target = os.path.realpath(path)
            with draft(target) as beside:
                with open(beside, "xb") as file:
                    file.writelines(piece.encode("utf-8") for piece in pieces)
                sync(beside)
                os.replace(beside, target)
    except OSError as error:
        raise WriteError(
            error.errno,
            f"expected to write the page to {path}, received {error.strerror!r} from the system; "
            "choose a file in a folder that exists and that you may write to",
        ) from error


def _is_stream(path: str) -> bool:
    """A pipe or a device: it can be written to, but must not be replaced."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode)  # a directory refuses to be opened, which says why
