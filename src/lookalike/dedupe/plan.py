"""The groups as a file: NDJSON, so that who disagrees with a group deletes its line.

The first line says what the file is and where the pictures lie; every other line is one group. Paths are relative to
the folder that holds them all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.collection import Collection
from lookalike.dedupe.disk import write_over
from lookalike.dedupe.files import File
from lookalike.dedupe.groups import Group
from lookalike.dedupe.lines import absolute, named, read_lines, relative, sha256, sound, to_lines, whole

KIND, VERSION = "dedupe plan", 1

BEGINNING = to_lines([{"lookalike": KIND}]).rstrip(b"}\n")
"""How every plan begins, and no undo file: only such a file may be replaced by a plan."""


@dataclass(frozen=True)
class Planned:
    """A file as the plan knows it: its path relative to the plan's folder, and how to tell whether it is the same."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What `write_plan` wrote, or what is left of it.

    Attributes:
        folder: the folder of all pictures, absolute.
        sources: the folders and files that are indexed, absolute; where an older plan does not say, that folder.
        groups: of each the keeper and the others.
        collection: the directory of the collection, absolute; it knows what was given to the pictures.
    """

    folder: str
    sources: Sequence[str]
    groups: Sequence[tuple[Planned, Sequence[Planned]]]
    collection: str | None = None


def write_plan(path: str, collection: Collection, groups: Sequence[Group]) -> None:
    """Write the groups as a plan; a file that is there is replaced. WriteError where it cannot be written."""
    sources = collection.info().roots
    folder = _folder_of(sources)
    head = {"lookalike": KIND, "version": VERSION, **named(folder), "collection": collection.place.directory}
    head["sources"] = sources
    lines: list[dict[str, Any]] = [head]
    lines += [group_fields(group, folder) for group in groups]
    write_over(path, to_lines(lines))


def group_fields(group: Group, folder: str | None = None) -> dict[str, Any]:
    """A group for JSON; paths are relative to `folder`, if one is given."""
    keeper = _fields(group.keeper, folder)
    others = [
        _fields(other.file, folder) | {"distance": round(other.distance, 6), "exact": other.exact}
        for other in group.others
    ]
    return {"exact": group.exact, "spared": group.spared, "keeper": keeper, "others": others}


def read_plan(path: str) -> Plan:
    """What `write_plan` wrote.

    Raises:
        NotAnIndexError: it is not there, or no plan, or one of a newer version, or was changed to what no plan is;
            the sentence says in which line.
    """
    head, lines = read_lines(path, KIND, VERSION)
    with sound(path, KIND, 1):
        folder = absolute(head["path"])
        collection = absolute(head["collection"]) if "collection" in head else None
        sources = [absolute(source) for source in head.get("sources", [folder])]
    groups = []
    seen: dict[str, int] = {}
    for number, line in lines:
        with sound(path, KIND, number):
            groups.append((_planned(line["keeper"]), [_planned(other) for other in line["others"]]))
            _require_each_once(groups[-1], number, seen)
    return Plan(folder, sources, groups, collection)


def _fields(file: File, folder: str | None) -> dict[str, Any]:
    return {
        **named(file.path if folder is None else os.path.relpath(file.path, folder)),
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "mtime_ns": file.mtime_ns,
        "sha256": file.sha256.hex(),
    }


def _planned(fields: Mapping[str, Any]) -> Planned:
    return Planned(relative(fields["path"]), whole(fields["size"]), whole(fields["mtime_ns"]), sha256(fields["sha256"]))


def _require_each_once(group: tuple[Planned, Sequence[Planned]], number: int, seen: dict[str, int]) -> None:
    """ValueError for a file that was in a line before, which `seen` tells, or is in this one twice."""
    for file in (group[0], *group[1]):
        if (before := seen.setdefault(os.path.normpath(file.path), number)) != number:
            raise ValueError(f"{file.path!r}, which is in line {before} already")
    if len({os.path.normpath(file.path) for file in (group[0], *group[1])}) <= len(group[1]):
        raise ValueError("a file that is in it twice")


def _folder_of(sources: Sequence[str]) -> str:
    """The innermost folder that holds all of them."""
    return os.path.commonpath([os.path.dirname(path) if os.path.isfile(path) else path for path in sources])
