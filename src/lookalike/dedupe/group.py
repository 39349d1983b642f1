"""Files that are copies of one, and how each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lookalike.dedupe.files import File
from lookalike.images.compare.verdict import Change, Region

Kind = Literal["identical file", "same pixels", "resized or recompressed", "altered", "edited", "similar"]
"""What a file is to the one that is kept: a `Verdict` of their pixels, the same bytes, or only near by the model."""

COPIES: tuple[Kind, ...] = ("identical file", "same pixels", "resized or recompressed")
"""The kinds that are the same picture, and proposed to be set aside."""


class Other(NamedTuple):
    """A file that is not kept.

    Attributes:
        file: it.
        kind: what it is to the one that is kept.
        distance: of its vector to the keeper's; None where another thing than the model found it.
        changes: what was done to the whole picture, of one altered or edited.
        region: of one edited, the place in this picture that differs.
        proposed: whether it may be set aside; never of one that is edited or similar, nor of a reference.
    """

    file: File
    kind: Kind
    distance: float | None = None
    changes: tuple[Change, ...] = ()
    region: Region | None = None
    proposed: bool = False


@dataclass(frozen=True)
class Group:
    """A file that is kept, and others that were each compared with it: nothing is chained.

    Attributes:
        number: from 1; pages, plans and JSON call it so.
        keeper: the file that comes first by the rule.
        others: in the order of `Kind`, the nearest first.
    """

    number: int
    keeper: File
    others: Sequence[Other]

    @property
    def proposed(self) -> list[Other]:
        """Those that may be set aside."""
        return [other for other in self.others if other.proposed]

    @property
    def spared(self) -> int:
        """The bytes of what may be set aside."""
        return sum(other.file.size for other in self.proposed)
