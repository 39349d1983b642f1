"""Writing a plan from groups."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from shlex import quote
from typing import NamedTuple

from lookalike.collection import Collection
from lookalike.dedupe.belongings import Belongings, belongings
from lookalike.dedupe.companions import Companion
from lookalike.dedupe.disk import write_over
from lookalike.dedupe.files import File
from lookalike.dedupe.group import Group
from lookalike.dedupe.kinds import described, suspicious_first
from lookalike.dedupe.plan import ASIDE, BEGINNING, COLLECTION, FOLDER, KEEP, REFERENCE, SOURCE, VERSION, WITH
from lookalike.dedupe.quoting import quoted
from lookalike.names import visible

_NAME_COLUMN, _ABOUT_COLUMN = 28, 80  # where these begin, where what stands before them is short enough


class _Line(NamedTuple):
    """A file as it stands in a plan."""

    action: str
    number: int
    kind: str
    name: str
    about: str
    known_by: str

    def __str__(self) -> str:
        line = f"{self.action:<9} {self.number:>5}  {self.kind:<{_NAME_COLUMN}} {self.name}"
        return f"{line:<{_ABOUT_COLUMN}}  {self.about} | {self.known_by}"


def write_plan(
    path: str,
    collections: Sequence[Collection],
    found: Belongings | Sequence[Group],
    *,
    references: Sequence[Collection] = (),
) -> None:
    """Write what is proposed in groups as a plan; a file that is there is replaced.

    Args:
        found: the groups with what belongs to them; for groups alone it is looked for.
        references: of which the plan says that nothing of them is ever set aside.

    Raises:
        WriteError: it cannot be written.
    """
    if not isinstance(found, Belongings):
        found = belongings(found)
    sources = [root for collection in collections for root in collection.info().roots]
    kept_from = [root for collection in references for root in collection.info().roots]
    folder = _folder_of([*sources, *kept_from])
    groups = [group for group in suspicious_first(found.groups) if group.proposed]
    blocks = [_block(group, found, folder) for group in groups]
    head = [*_explained(path, groups, found), "", f"{FOLDER:<10} {quoted(folder)}"]
    head += [f"{SOURCE:<10} {quoted(source)}" for source in sources]
    head += [f"{REFERENCE:<10} {quoted(source)}" for source in kept_from]
    head += [f"{COLLECTION:<10} {quoted(each.place.directory)}" for each in (*collections, *references)]
    text = "\n\n".join(["\n".join(head), *("\n".join(map(str, block)) for block in blocks)])
    write_over(path, f"{text}\n".encode())


def _block(group: Group, found: Belongings, folder: str) -> list[_Line]:
    """The lines of one group."""
    lines = [_picture(KEEP, group.number, "", group.keeper, folder)]
    compared = [one for one in found.companions.get(group.keeper.path, ()) if one.half and one.path in found.digests]
    lines += _beside(group.number, compared, found, folder)
    for other in group.proposed:
        lines.append(_picture(ASIDE, group.number, described(other), other.file, folder))
        lines += _beside(group.number, found.companions.get(other.file.path, ()), found, folder)
    return lines


def _picture(action: str, number: int, kind: str, file: File, folder: str) -> _Line:
    about = f"{file.width} × {file.height}, {_said(file.size)}{', damaged' if file.damaged else ''}"
    known_by = f"{file.size} {file.mtime_ns} {file.sha256.hex()}"
    return _Line(action, number, kind, quoted(os.path.relpath(file.path, folder)), about, known_by)


def _beside(number: int, companions: Iterable[Companion], found: Belongings, folder: str) -> Iterator[_Line]:
    """The lines of what goes with a picture."""
    for one in companions:
        name = quoted(os.path.relpath(one.path, folder))
        known_by = f"{one.size} {one.mtime_ns} {found.digests[one.path]}"
        yield _Line(WITH, number, one.what, name, _said(one.size), known_by)


def _explained(path: str, groups: Sequence[Group], found: Belongings) -> list[str]:
    """What a person should know first, as comments."""
    proposed = [other for group in groups for other in group.proposed]
    kinds = Counter(map(described, proposed))
    beside = sum(len(found.companions.get(other.file.path, ())) for other in proposed)
    counted = [f"{kind} ({count:,})" for kind, count in kinds.items()]
    counted += [f"what belongs to these ({beside:,})"] if beside else []
    command = f"lookalike dedupe --apply {quote(visible(path))} --move-to DIR"
    return [
        f"{BEGINNING.decode()}{VERSION}",
        "#",
        "# Nothing is done yet. What may be set aside: " + (", ".join(counted) or "nothing") + ".",
        "#",
        "# Change it as you like, with any editor:",
        "#   Delete a line, or write # before it: that file stays where it is.",
        '#   Exchange "keep" and "set aside" in two lines of a group: the other one is kept.',
        '#   "with it" belongs to the picture above it, and goes or stays with that.',
        "#   The number is that of the group, as on the page. Names are those below the folder.",
        "#   Leave what stands behind the | as it is: by that a file is known which has changed since.",
        "#",
        f"# Then: {command}",
        "# It asks before it moves anything, and all of it can be taken back.",
    ]


def _said(size: int) -> str:
    """Bytes as a person says them."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


def _folder_of(sources: Sequence[str]) -> str:
    """The innermost folder that holds all of them."""
    return os.path.commonpath([os.path.dirname(path) if os.path.isfile(path) else path for path in sources])
