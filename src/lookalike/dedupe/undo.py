"""The undo file: what may have been done, one step a line, written before the first is taken; and taking it back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lookalike.collection import Progress
from lookalike.dedupe.disk import write_new
from lookalike.dedupe.given import facts_of, restore_facts
from lookalike.dedupe.lines import Line, absolute, named, read_lines, relative, sha256, sound, to_lines, whole
from lookalike.dedupe.link import Link, fields_of, part
from lookalike.dedupe.move import move_back
from lookalike.dedupe.outcome import Left, Outcome
from lookalike.dedupe.plan import Aside, Plan, Planned
from lookalike.facts import Facts
from lookalike.facts.fact import as_facts

KIND, VERSION = "dedupe undo", 1

_CURE = "nothing was done; copy the plan to a folder that may be written"

_MOVED, _LINKED = "move", "hard-link"


def write_moves(path: str, plan: Plan, to: str, asides: Sequence[Aside]) -> None:
    """Write the undo file of moves from the folder of a plan to `to`, with what was given to the pictures.

    What belongs to a picture follows it, and says so by `with`. Facts are those of the first collection, and of
    further ones by their directories; so an undo file of one collection is as version 1 always was.

    WriteError where it cannot be written, or is there already. DamagedError where one of the plan's collections is.
    """
    paths = [plan.where(file) for aside in asides for file in aside.files]
    given = {directory: facts_of(directory, paths) for directory in plan.collections}
    head = {"lookalike": KIND, "version": VERSION, "did": _MOVED, "to": to, **named(plan.folder)}
    first, further = next(iter(plan.collections), None), plan.collections[1:]
    lines = []
    for aside in asides:
        for file in aside.files:
            fields = _fields(file) | ({} if file is aside.file else {"with": aside.file.path})
            if first and (facts := given[first].get(plan.where(file))):
                fields["facts"] = facts
            if others := {each: known for each in further if (known := given[each].get(plan.where(file)))}:
                fields["facts_of"] = others
            lines.append(fields)
    write_new(path, to_lines([head | {"collection": first}, *lines]), _CURE)


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
    steps: list[tuple[Planned, Callable[[Outcome], None]]] = []
    for together in reversed(_units(path, lines)):
        with sound(path, KIND, together[0][0]):
            steps.append(_step(to, folder, [line for _, line in together]))
    for done, (file, back) in enumerate(steps, 1):
        with outcome.step(os.path.join(folder, file.path)):
            back(outcome)
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
    kept: dict[str, dict[str, tuple[str, Facts]]] = {}
    with sound(path, KIND, 1):
        folder, first = absolute(head["path"]), head.get("collection")
        first = None if first is None else absolute(first)
    for number, line in lines:
        with sound(path, KIND, number):
            for directory, facts in _facts(line, first):
                file = os.path.join(folder, relative(line["path"]))
                kept.setdefault(directory, {})[file] = sha256(line["sha256"]), facts
    return sum(restore_facts(directory, known, progress) for directory, known in kept.items())


def _facts(line: Mapping[str, Any], first: str | None) -> Iterator[tuple[str, Facts]]:
    """What was given to the picture of a line, by the collections that know it."""
    given = [(first, line["facts"])] if line.get("facts") and first else []
    others = line.get("facts_of", {})
    if not isinstance(others, dict):
        raise ValueError(f"{others!r:.80} is no object of facts")
    for directory, facts in [*given, *((absolute(each), facts) for each, facts in others.items())]:
        yield directory, {name: value for name, value in as_facts(facts).items() if value is not None}


def _units(path: str, lines: Sequence[Line]) -> list[list[Line]]:
    """The lines, with those together that belong to one picture: they follow it."""
    units: list[list[Line]] = []
    for number, line in lines:
        with sound(path, KIND, number):
            if "with" not in line:
                units.append([(number, line)])
            elif not units or units[-1][0][1]["path"] != line["with"]:
                raise ValueError(f"what belongs to {line['with']!r:.80}, which is not before it")
            else:
                units[-1].append((number, line))
    return units


def _target(head: Mapping[str, Any]) -> str | None:
    """The folder that files were moved to; None where they were linked."""
    if head["did"] == _MOVED:
        return absolute(head["to"])
    if head["did"] != _LINKED:
        raise ValueError(f"it undoes {head['did']!r}")
    return None


def _step(to: str | None, folder: str, lines: Sequence[Mapping[str, Any]]) -> tuple[Planned, Callable[[Outcome], None]]:
    """A picture, and how it is taken back with what belongs to it."""
    files = [
        Planned(relative(line["path"]), whole(line["size"]), whole(line["mtime_ns"]), sha256(line["sha256"]))
        for line in lines
    ]
    if to is not None:
        return files[0], lambda outcome: _move_back(files, folder, to, outcome)
    numbers = [whole(lines[0][name]) for name in ("source_inode", "mode", "owner", "group", "atime_ns")]
    link = Link(files[0], relative(lines[0]["source"]), *numbers)

    def back(outcome: Outcome) -> None:
        if part(link, folder):
            outcome.count(link.file.size)

    return files[0], back


def _move_back(files: Sequence[Planned], folder: str, to: str, outcome: Outcome) -> None:
    returned = move_back(files, folder, to)
    for file in returned.back:
        outcome.count(file.size, beside=file is not files[0])
    outcome.left += [Left(os.path.join(folder, file.path), reason) for file, reason in returned.gone]


def _fields(file: Planned) -> dict[str, Any]:
    return {**named(file.path), "size": file.size, "mtime_ns": file.mtime_ns, "sha256": file.sha256}
