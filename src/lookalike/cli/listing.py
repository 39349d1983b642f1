"""Groups of copies on stdout: as lines for a person, cut where they are many, or as JSON for programs, all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lookalike.cli.output import counted, print_json, print_line, short, size
from lookalike.dedupe import Belongings, Group, Kind, Other
from lookalike.dedupe.companions import Companion
from lookalike.dedupe.files import File
from lookalike.dedupe.kinds import SUSPICIOUS_FIRST, TITLES, described, suspicious_first
from lookalike.names import visible

GROUPS, OTHERS = 50, 10
"""So many groups are listed, and of each so many others; pages and JSON have all."""


class Count(NamedTuple):
    """How many files there are of a kind.

    Attributes:
        proposed: those of them that may be set aside, with their bytes.
    """

    files: int
    bytes: int
    proposed: int
    proposed_bytes: int


def counts(groups: Sequence[Group]) -> dict[Kind, Count]:
    """The files of each kind that there is, in the order of pages."""
    found = {}
    for kind in SUSPICIOUS_FIRST:
        if others := [other for group in groups for other in group.others if other.kind == kind]:
            proposed = [other.file.size for other in others if other.proposed]
            found[kind] = Count(len(others), sum(o.file.size for o in others), len(proposed), sum(proposed))
    return found


def list_groups(found: Belongings) -> None:
    """A summary by kind, and the groups in the order of the page; long lists are cut, which is said."""
    if not found.groups:
        return
    print_line(f"{counted(len(found.groups), 'group')}:")
    for kind, count in counts(found.groups).items():
        print_line(f"  {counted_kind(count.files, kind):<48}  {size(count.bytes):>9}  {_proposed(count)}")
    for group in suspicious_first(found.groups)[:GROUPS]:
        _list(group, found)
    if more := len(found.groups[GROUPS:]):
        print_line(f"\n… and {counted(more, 'group')} more: --html FILE shows all, and --json prints them")


def summary(found: Belongings) -> str:
    """One line on what is proposed."""
    proposed = [other for group in found.groups for other in group.proposed]
    if not proposed:
        return f"nothing is proposed to be set aside, of {counted(len(found.groups), 'group')}"
    belonging = [one for other in proposed for one in found.companions.get(other.file.path, ())]
    text = f"{counted(len(proposed), 'picture')} could be set aside"
    text += f" and {counted(len(belonging), 'file')} beside them" if belonging else ""
    return f"{text}: {size(sum(other.file.size for other in proposed) + sum(one.size for one in belonging))}"


def print_groups(found: Belongings) -> None:
    """One JSON object a group."""
    for group in suspicious_first(found.groups):
        print_json(
            {
                "group": group.number,
                "keeper": _fields(group.keeper, found.companions),
                "others": [_other(other, found) for other in group.others],
                "spared": group.spared,
            }
        )


def beside(companions: Sequence[Companion]) -> str:
    """What belongs to a file, by names: "with IMG_1.xmp and IMG_1.mov"."""
    names = [os.path.basename(one.path) for one in companions]
    return f"with {' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))}" if names else ""


def about(file: File) -> str:
    """Its size in pixels and bytes."""
    return f"{file.width} × {file.height}, {size(file.size)}{', damaged' if file.damaged else ''}"


def counted_kind(count: int, kind: Kind) -> str:
    """How many files there are of a kind, in words."""
    return counted(count, TITLES[kind], f"{TITLES[kind]}{'s' if kind == 'identical file' else ''}")


def _proposed(count: Count) -> str:
    if not count.proposed:
        return "shown only"
    return "proposed" if count.proposed == count.files else f"{count.proposed:,} of them proposed"


def _list(group: Group, found: Belongings) -> None:
    print_line(f"\ngroup {group.number}")
    reference = ", of the reference" if group.keeper.reference else ""
    _line("keep", "", group.keeper, found, reference)
    for other in group.others[:OTHERS]:
        reason = found.held.get(other.file.path)
        _line("set aside" if other.proposed else "stays", described(other), other.file, found, _why(reason))
    if more := len(group.others[OTHERS:]):
        print_line(f"  … and {more:,} more")


def _why(reason: str | None) -> str:
    return f"; {reason}" if reason else ""


def _line(action: str, kind: str, file: File, found: Belongings, remark: str) -> None:
    text = f"  {action:<9}  {kind:<28}  {short(file.path)}  {about(file)}"
    with_it = beside(found.companions.get(file.path, ()))
    print_line(visible(f"{text}{f', {with_it}' if with_it else ''}{remark}"))


def _fields(file: File, companions: Mapping[str, Sequence[Companion]]) -> dict[str, Any]:
    belonging = [{"path": one.path, "what": one.what, "size": one.size} for one in companions.get(file.path, ())]
    return {
        "path": file.path,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "mtime_ns": file.mtime_ns,
        "sha256": file.sha256.hex(),
        "reference": file.reference,
        "damaged": file.damaged,
        "companions": belonging,
    }


def _other(other: Other, found: Belongings) -> dict[str, Any]:
    return _fields(other.file, found.companions) | {
        "kind": other.kind,
        "changes": list(other.changes),
        "region": None if other.region is None else other.region._asdict(),
        "distance": None if other.distance is None else round(other.distance, 6),
        "proposed": other.proposed,
        "held": found.held.get(other.file.path),
    }
