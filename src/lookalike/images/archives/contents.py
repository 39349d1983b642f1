"""What an archive holds: the pictures, and what is passed over."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lookalike.errors import ArchiveError
from lookalike.images.archives.file import State
from lookalike.images.archives.limits import LARGEST_PICTURE, LONGEST_NAME, NAMES
from lookalike.images.content import SMALLER

CHANGED = "expected the archive as it was looked at, received another; look at it again"

AGAIN = "comes again later in the archive"
LINK = "a link"
NOT_REGULAR = "not a regular file"
TOO_LARGE = f"larger than {LARGEST_PICTURE >> 20} MiB; {SMALLER}"


class Passed(NamedTuple):
    """Members that are left out for one reason.

    Attributes:
        name: the first one's.
        count: of all of them.
    """

    name: str
    reason: str
    count: int  # type: ignore[assignment]


@dataclass(frozen=True)
class Contents:
    """What an archive holds.

    Attributes:
        names: of its pictures, each once, in the order of the archive.
        passed: what is left out, by reason.
        again: how many others come before a picture of that name.
        state: of the file that was looked at.
    """

    names: list[str]
    passed: list[Passed]
    again: dict[str, int] = field(default_factory=dict, repr=False)
    state: State | None = field(default=None, repr=False)


class Damaged(Exception):  # noqa: N818 (no error of the archive's, only why one member cannot be had)
    """A member that cannot be had, while others can."""


class Member(NamedTuple):
    """A member of an archive that is neither a folder nor a header.

    Attributes:
        reason: why it is left out; "" for a picture.
        data: its bytes in chunks, before the next member is asked for; may raise Damaged.
        size: how many bytes it claims to have; 0 where it does not say.
    """

    name: str
    reason: str
    data: Iterable[bytes]
    size: int = 0


def survey(members: Iterable[Member]) -> Contents:
    """What there is. Of pictures of one name the last one counts, as when the archive is extracted.

    Raises:
        ArchiveError: more names than fit into their memory.
    """
    names: dict[str, None] = {}
    passed: dict[str, Passed] = {}
    again: dict[str, int] = {}
    size = 0

    def leave_out(name: str, reason: str) -> None:
        first, _, count = passed.get(reason, (name, reason, 0))
        passed[reason] = Passed(first[:LONGEST_NAME], reason, count + 1)

    for name, reason, *_ in members:
        if reason:
            leave_out(name, reason)
            continue
        if name in names:
            del names[name]  # for it would keep its place
            again[name] = again.get(name, 0) + 1
            leave_out(name, AGAIN)
        else:
            size += sys.getsizeof(name) + 80  # in tables of them
        names[name] = None
        if size > NAMES:
            raise ArchiveError(
                f"expected an archive of fewer pictures, received {len(names):,}, whose names take more than "
                f"{NAMES >> 20} MiB; split it"
            )
    return Contents(list(names), list(passed.values()), again)


def pictures(members: Iterable[Member], again: dict[str, int]) -> Iterator[Member]:
    """Those that `survey` names, which found that others of the same name come before them."""
    again = again.copy()
    for member in members:
        if member.reason:
            continue
        if again.get(member.name):
            again[member.name] -= 1
        else:
            yield member
