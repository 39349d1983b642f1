"""The groups of a collection: exact and near duplicates, and which file of each is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from lookalike.collection import Collection, Progress
from lookalike.dedupe.files import File, files_of
from lookalike.dedupe.near import Led, near
from lookalike.errors import ArgumentError

WITHIN = 0.01
"""Cosine distance at which pictures count as one: docs/dedupe.md says how it was chosen."""

Keep = Literal["largest", "oldest", "first"]
KEEP: tuple[Keep, ...] = get_args(Keep)

_RULES: dict[Keep, Callable[[File], Any]] = {
    "largest": lambda file: (-file.width * file.height, -file.size, file.mtime_ns, file.key),
    "oldest": lambda file: (file.mtime_ns, file.key),
    "first": lambda file: file.key,
}


class Other(NamedTuple):
    """A file that is not kept.

    Attributes:
        file: it.
        distance: of its picture to the keeper's.
        exact: whether it is the keeper byte for byte.
    """

    file: File
    distance: float
    exact: bool


@dataclass(frozen=True)
class Group:
    """Files that are alike: each of the others is as near to the keeper as was asked for.

    Attributes:
        keeper: the file that comes first by the rule.
        others: the copies of it, then its near duplicates, the nearest first.
    """

    keeper: File
    others: Sequence[Other]

    @property
    def exact(self) -> bool:
        """Whether all are the same byte for byte."""
        return all(other.exact for other in self.others)

    @property
    def spared(self) -> int:
        """The bytes of the others."""
        return sum(other.file.size for other in self.others)


def find_groups(
    collection: Collection,
    within: float = WITHIN,
    *,
    keep: Keep = "largest",
    exact_only: bool = False,
    progress: Progress | None = None,
) -> list[Group]:
    """The groups of duplicates among the indexed pictures, those that would spare most bytes first.

    Files are put in order by the rule. The first leads a group of all whose picture is within the distance of its own,
    the next that is in none leads another; so nothing is chained. Only regular files that are as they were when
    indexed take part: a symbolic link, a second name of the same file, or a member of an archive is no copy.

    Args:
        within: the largest cosine distance between a picture and the one that is kept.
        keep: "largest" (pixels, then bytes), "oldest" (time of the last change) or "first" (by path).
        exact_only: byte for byte alone.
        progress: called with how many of how many different pictures were looked up.

    Raises:
        ArgumentError: a distance below 0, or no such rule; a collection of vectors, which are in no files of their own.
        DamagedError: the collection is.
    """
    if keep not in _RULES:
        raise ArgumentError(f"expected one of {', '.join(KEEP)} as the one to keep, received {keep!r}")
    require_distance(within)
    if collection.things == "vectors":
        raise ArgumentError(
            f"expected a collection of pictures, received {collection.place.directory}, which is of vectors; look for "
            "those alike by `Collection.search`"
        )
    return collection.examine(
        lambda index, items: _groups(
            sorted(files_of(items, collection.place), key=_RULES[keep]),
            lambda leaders: [] if exact_only else near(index, leaders, within, progress),
        )
    )


def require_distance(within: float) -> None:
    """ArgumentError for what is no distance."""
    if not 0 <= within < math.inf:
        raise ArgumentError(f"expected a distance of 0 or more, received {within!r}")


def _groups(files: Sequence[File], look: Callable[[list[int]], list[Led]]) -> list[Group]:
    """The groups of files that are in the order of the rule."""
    copies: dict[bytes, list[File]] = {}
    for file in files:
        copies.setdefault(file.sha256, []).append(file)
    of_picture = {same[0].id: same for same in copies.values()}
    groups = []
    for leader, ids, distances in look(list(of_picture)):
        same = of_picture.pop(leader)
        others = [
            Other(file, max(distance, 0.0), exact=False)
            for id, distance in zip(ids, distances, strict=True)
            for file in of_picture.pop(id)
        ]
        groups.append(Group(same[0], _copies(same) + others))
    groups += [Group(same[0], _copies(same)) for same in of_picture.values() if len(same) > 1]
    return sorted(groups, key=lambda group: (-group.spared, group.keeper.key))


def _copies(same: Sequence[File]) -> list[Other]:
    return [Other(file, 0.0, exact=True) for file in same[1:]]
