"""The undo file: what may have been done, one step a line, written before the first is taken; and taking it back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lookalike.collection import Progress
from lookalike.dedupe.disk import write_new
from lookalike.dedupe.given import facts_of, restore_facts
from lookalike.dedupe.lines import absolute, named, read_lines, relative, sha256, sound, to_lines, whole
from lookalike.dedupe.link import Link, fields_of, part
from lookalike.dedupe.move import move_back
from lookalike.dedupe.outcome import Outcome
from lookalike.dedupe.plan import Plan, Planned
from lookalike.facts import Facts
from lookalike.facts.fact import as_facts

KIND, VERSION = "dedupe undo", 1

_CURE = "nothing was done; copy the plan to a folder that may be written"

_MOVED, _LINKED = "move", "hard-link"


def write_moves(path: str, plan: Plan, to: str, files: Sequence[Planned]) -> None:
    """Write the undo file of moves from the folder of a plan to `to`, with what was given to the pictures.

    WriteError where it cannot be written, or is there already. DamagedError where the plan's collection is.
    """
    head = {"lookalike": KIND, "version": VERSION, "did": _MOVED, "to": to, **named(plan.folder)}
    given = facts_of(plan.collection, [os.path.join(plan.folder, file.path) for file in files])
    facts = [given.get(os.path.join(plan.folder, file.path)) for file in files]
    lines = [_fields(file) | ({"facts": known} if known else {}) for file, known in zip(files, facts, strict=True)]
    write_new(path, to_lines([head | {"collection": plan.collection}, *lines]), _CURE)


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
    head, lines = read_lines(path, KIND, VERSION)
    with sound(path, KIND, 1):
        folder = absolute(head["path"])
        to = _target(head)
    steps = []
    for number, line in reversed(lines):
        with sound(path, KIND, number):
            steps.append(_step(to, folder, line))
    for done, (file, back) in enumerate(steps, 1):
        with outcome.step(os.path.join(folder, file.path)):
            if back():
                outcome.count(file.size)
        if progress:
            progress(done, len(steps))


def give_back(path: str, progress: Progress | None = None) -> int:
    """Give pictures that were moved, and are back, the facts that a sync dropped meanwhile; how many got some.

    To be called after `take_back`. Where facts are missing, the collection is brought up to date first. What a picture
    has by now stays, and another picture by its name gets nothing.

    Raises:
        NotAnIndexError: as for `take_back`.
        BusyError, WriteError, DamagedError: the collection cannot be written now; it may be called again.
    """
    head, lines = read_lines(path, KIND, VERSION)
    kept: dict[str, tuple[str, Facts]] = {}
    with sound(path, KIND, 1):
        folder, collection = absolute(head["path"]), head.get("collection")
        collection = None if collection is None else absolute(collection)
    for number, line in lines:
        with sound(path, KIND, number):
            if line.get("facts"):
                facts = {name: value for name, value in as_facts(line["facts"]).items() if value is not None}
                kept[os.path.join(folder, relative(line["path"]))] = sha256(line["sha256"]), facts
    return restore_facts(collection, kept, progress)


def _target(head: Mapping[str, Any]) -> str | None:
    """The folder that files were moved to; None where they were linked."""
    if head["did"] == _MOVED:
        return absolute(head["to"])
    if head["did"] != _LINKED:
        raise ValueError(f"it undoes {head['did']!r}")
    return None


def _step(to: str | None, folder: str, line: Mapping[str, Any]) -> tuple[Planned, Callable[[], bool]]:
    file = Planned(relative(line["path"]), whole(line["size"]), whole(line["mtime_ns"]), sha256(line["sha256"]))
    if to is not None:
        return file, lambda: move_back(file, folder, to)
    numbers = [whole(line[name]) for name in ("source_inode", "mode", "owner", "group", "atime_ns")]
    link = Link(file, relative(line["source"]), *numbers)
    return file, lambda: part(link, folder)


def _fields(file: Planned) -> dict[str, Any]:
    return {**named(file.path), "size": file.size, "mtime_ns": file.mtime_ns, "sha256": file.sha256}
