"""What belongs to the files of groups, and what follows from it for what is proposed.

A copy whose RAW or video has no copy beside the one that is kept is no copy of all of it: it is not proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from lookalike.dedupe.companions import Companion, Companions
from lookalike.dedupe.disk import digest
from lookalike.dedupe.files import File
from lookalike.dedupe.group import Group, Other
from lookalike.errors import PictureError

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Belongings:
    """Groups, and what lies beside their files.

    Attributes:
        groups: those that were given; what cannot be set aside whole is not proposed any more.
        companions: of each file, by its path, what belongs to it; of a proposed one what is set aside with it.
        held: why a copy is not proposed, by its path.
        digests: the SHA-256 of companions that are set aside, by their paths, in hexadecimal.
    """

    groups: Sequence[Group]
    companions: Mapping[str, Sequence[Companion]]
    held: Mapping[str, str]
    digests: Mapping[str, str]


def belongings(groups: Sequence[Group], *, exchange: bool = False, progress: Progress | None = None) -> Belongings:
    """Look for what belongs to the files of groups, and propose only what can be set aside with all of it.

    Args:
        exchange: whether of identical files that one may be kept to which most belongs.
        progress: called with how many of how many groups were looked at.
    """
    beside = Companions()
    if exchange:
        groups = [_keeping_most(group, beside) for group in groups]
    work = _Work(groups, beside)
    work.hold_halves(progress)
    companions: dict[str, Sequence[Companion]] = {}
    going: set[str] = set()
    for group in groups:
        for file in (group.keeper, *(other.file for other in group.others)):
            found = work.going_with(file.path) if file.path in work.moved else beside.of(file.path)
            if file.path in work.moved:  # what two of them share goes with the first, so that it is told of once
                found = [one for one in found if one.path not in going]
                going |= {one.path for one in found}
            if found:
                companions[file.path] = found
    settled = [
        replace(
            group,
            others=[
                other._replace(proposed=other.proposed and other.file.path in work.moved) for other in group.others
            ],
        )
        for group in groups
    ]
    return Belongings(settled, companions, work.held, work.digests)


class _Work:
    """Which of the proposed can be moved: those that are left when no more of them has to stay."""

    def __init__(self, groups: Sequence[Group], beside: Companions) -> None:
        self.moved = {other.file.path for group in groups for other in group.proposed}
        self.held: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        self._groups = groups
        self._beside = beside
        self._staying = {group.keeper.path: group.number for group in groups}

    def going_with(self, path: str) -> list[Companion]:
        """What is moved with a file: what belongs to it, and to none that stays; what is moved by itself left out."""
        return [one for one in self._belonging(path) if one.path not in self.moved]

    def hold_halves(self, progress: Progress | None) -> None:
        """Take from `moved` what cannot go whole, until that changes no more."""
        again = True
        while again:
            again = False
            for done, group in enumerate(self._groups, 1):
                for other in group.proposed:
                    if other.file.path in self.moved and (reason := self._why_not(group, other)):
                        self.moved.discard(other.file.path)
                        self.held[other.file.path] = reason
                        again = True
                if progress:
                    progress(done, len(self._groups))

    def _belonging(self, path: str) -> list[Companion]:
        found = self._beside.of(path)
        going = {path}  # beside all that is moved; a set of both would be made for each picture

        def is_moved(owner: str) -> bool:
            return owner in going or owner in self.moved

        halves = [one for one in found if one.half and not self._beside.stay_with(one.path, is_moved)]
        going |= {half.path for half in halves}
        return halves + [one for one in found if not one.half and not self._beside.stay_with(one.path, is_moved)]

    def _why_not(self, group: Group, other: Other) -> str | None:
        kept = [one for one in self._beside.of(group.keeper.path) if one.half]
        for one in self.going_with(other.file.path):
            if one.path == group.keeper.path:
                return f"it and the one that is kept, its {one.what}, are one"
            if number := self._staying.get(one.path):
                return f"its {one.what} is kept, as of group {number}"
            try:
                if one.half and not any(self._same(one, half) for half in kept):
                    return f"its {one.what} has no copy beside the one that is kept"
                self._digest(one)
            except PictureError as error:
                return f"of {one.path}, which belongs to it: {error.reason}"
        return None

    def _same(self, one: Companion, other: Companion) -> bool:
        return (
            one.path != other.path
            and one.size == other.size
            and other.path not in self.moved
            and self._digest(one) == self._digest(other)
        )

    def _digest(self, one: Companion) -> str:
        if one.path not in self.digests:
            self.digests[one.path] = digest(one.path)
        return self.digests[one.path]


def _keeping_most(group: Group, beside: Companions) -> Group:
    """The group, of whose identical files that one is kept to which most belongs; of a reference nothing changes."""
    same = [place for place, other in enumerate(group.others) if other.kind == "identical file" and other.proposed]
    if group.keeper.reference or not same:
        return group

    def most(file: File) -> tuple[int, int]:
        found = beside.of(file.path)
        return sum(one.half for one in found), len(found)

    best = max(same, key=lambda place: most(group.others[place].file))
    if most(group.others[best].file) <= most(group.keeper):
        return group
    others = list(group.others)
    kept = others[best].file
    others[best] = others[best]._replace(file=group.keeper)
    return replace(group, keeper=kept, others=others)
