"""The groups as a file: NDJSON, so that who disagrees with a group deletes its line.

The first line says what the file is and where the pictures lie; every other line is one group. Paths are relative to
the folder that holds them all.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lookalike.collection import Collection
from lookalike.dedupe.disk import write_over
from lookalike.dedupe.files import File
from lookalike.dedupe.groups import Group
from lookalike.errors import NotAnIndexError

KIND, VERSION = "dedupe plan", 1


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
        groups: of each the keeper and the others.
    """

    folder: str
    groups: Sequence[tuple[Planned, Sequence[Planned]]]


def write_plan(path: str, collection: Collection, groups: Sequence[Group]) -> None:
    """Write the groups as a plan; a file that is there is replaced. WriteError where it cannot be written."""
    folder = _folder_of(collection)
    lines: list[dict[str, Any]] = [{"lookalike": KIND, "version": VERSION, **named(folder)}]
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


def named(path: str) -> dict[str, str]:
    """A path for JSON, by surrogateescape where it is not UTF-8, and then with its very bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return {"path": path, "path_base64": b64encode(os.fsencode(path)).decode("ascii")}
    return {"path": path}


def read_plan(path: str) -> Plan:
    """What `write_plan` wrote.

    Raises:
        NotAnIndexError: it is not there, or no plan, or one of a newer version, or was changed to what no plan is.
    """
    head, *lines = read_lines(path, KIND, VERSION)
    try:
        groups = [(_planned(line["keeper"]), [_planned(other) for other in line["others"]]) for line in lines]
        folder = head["path"]
        if not isinstance(folder, str) or not os.path.isabs(folder):
            raise ValueError("its folder is no absolute path")
        _require_each_once(groups)
    except (KeyError, TypeError, ValueError) as error:
        raise spoilt(path, KIND, str(error)) from error
    return Plan(folder, groups)


def to_lines(values: Sequence[Mapping[str, Any]]) -> bytes:
    """NDJSON in ASCII."""
    return "".join(f"{json.dumps(value)}\n" for value in values).encode("ascii")


def read_lines(path: str, kind: str, version: int) -> list[dict[str, Any]]:
    """The objects of an NDJSON file of ours, of which the first says what it is. NotAnIndexError for anything else."""
    try:
        with open(path, "rb") as file:
            lines = [json.loads(line) for line in file.read().splitlines() if line.strip()]
    except OSError as error:
        raise NotAnIndexError(f"expected a {kind} at {path}, received {error.strerror!r} from the system") from error
    except (ValueError, RecursionError) as error:
        raise spoilt(path, kind, "a line is no JSON") from error
    if not lines or not all(isinstance(line, dict) for line in lines) or lines[0].get("lookalike") != kind:
        raise spoilt(path, kind, "its first line does not say that it is one")
    if lines[0].get("version") != version:
        raise spoilt(path, kind, f"it has version {lines[0].get('version')}, and this lookalike reads {version}")
    return lines


def spoilt(path: str, kind: str, why: str) -> NotAnIndexError:
    return NotAnIndexError(f"expected a {kind} in {path}, received another file ({why}); name one that dedupe wrote")


def relative(path: object) -> str:
    """A path out of a file of ours. ValueError for one that leads out of its folder."""
    if not isinstance(path, str) or not path or "\0" in path or os.path.isabs(path) or ".." in path.split("/"):
        raise ValueError(f"{path!r} is no path within a folder")
    return path


def whole(value: object) -> int:
    """A number out of a file of ours. ValueError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")
    return value


def sha256(value: object) -> str:
    """A hash out of a file of ours. ValueError for anything else."""
    if not isinstance(value, str) or len(bytes.fromhex(value)) != 32:
        raise ValueError(f"{value!r} is no SHA-256")
    return value


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


def _require_each_once(groups: Sequence[tuple[Planned, Sequence[Planned]]]) -> None:
    seen: set[str] = set()
    for keeper, others in groups:
        for file in (keeper, *others):
            if os.path.normpath(file.path) in seen:
                raise ValueError(f"{file.path!r} is in it twice")
            seen.add(os.path.normpath(file.path))


def _folder_of(collection: Collection) -> str:
    """The innermost folder that holds all sources."""
    roots = collection.info().roots
    return os.path.commonpath([os.path.dirname(root) if os.path.isfile(root) else root for root in roots])
