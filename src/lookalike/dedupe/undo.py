"""The undo file: what may have been done, one step a line, written before the first is taken; and taking it back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lookalike.collection import Progress
from lookalike.dedupe.disk import write_new
from lookalike.dedupe.link import Link, fields_of, part
from lookalike.dedupe.move import move_back
from lookalike.dedupe.outcome import Outcome
from lookalike.dedupe.plan import Planned, named, read_lines, relative, sha256, spoilt, to_lines, whole

KIND, VERSION = "dedupe undo", 1

_CURE = "nothing was done; copy the plan to a folder that may be written"

_MOVED, _LINKED = "move", "hard-link"


def write_moves(path: str, folder: str, to: str, files: Sequence[Planned]) -> None:
    """Write the undo file of moves from `folder` to `to`.

    WriteError where it cannot be written, or is there already.
    """
    head = {"lookalike": KIND, "version": VERSION, "did": _MOVED, "to": to, **named(folder)}
    write_new(path, to_lines([head, *map(_fields, files)]), _CURE)


def write_links(path: str, folder: str, links: Sequence[Link]) -> None:
    """Write the undo file of hard links within `folder`. WriteError as for `write_moves`."""
    head = {"lookalike": KIND, "version": VERSION, "did": _LINKED, **named(folder)}
    lines = [_fields(link.file) | {"source": link.source} | fields_of(link) for link in links]
    write_new(path, to_lines([head, *lines]), _CURE)


def take_back(path: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Take back what an undo file tells of, the last step first, and count it in `outcome` as it goes.

    A step that was never taken, or is taken back already, is passed over; a file that was changed since, or whose
    name is taken, is left alone. So it may be killed and run again.

    Raises:
        NotAnIndexError: it is not there, or no undo file.
    """
    head, *lines = read_lines(path, KIND, VERSION)
    try:
        folder = _absolute(head["path"])
        steps = [_step(head, folder, line) for line in reversed(lines)]
    except (KeyError, TypeError, ValueError) as error:
        raise spoilt(path, KIND, str(error)) from error
    for done, (file, back) in enumerate(steps, 1):
        with outcome.step(os.path.join(folder, file.path)):
            if back():
                outcome.count(file.size)
        if progress:
            progress(done, len(steps))


def _step(head: Mapping[str, Any], folder: str, line: Mapping[str, Any]) -> tuple[Planned, Callable[[], bool]]:
    file = Planned(relative(line["path"]), whole(line["size"]), whole(line["mtime_ns"]), sha256(line["sha256"]))
    if head["did"] == _MOVED:
        to = _absolute(head["to"])
        return file, lambda: move_back(file, folder, to)
    if head["did"] != _LINKED:
        raise ValueError(f"it undoes {head['did']!r}")
    numbers = [whole(line[name]) for name in ("source_inode", "mode", "owner", "group", "atime_ns")]
    link = Link(file, relative(line["source"]), *numbers)
    return file, lambda: part(link, folder)


def _fields(file: Planned) -> dict[str, Any]:
    return {**named(file.path), "size": file.size, "mtime_ns": file.mtime_ns, "sha256": file.sha256}


def _absolute(path: object) -> str:
    if not isinstance(path, str) or not os.path.isabs(path) or "\0" in path:
        raise ValueError(f"{path!r} is no absolute path")
    return path
