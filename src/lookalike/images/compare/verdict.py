"""What the comparison of two whole pictures says."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

VERSION = 3
"""Of the comparison: what an older one said of two pictures is not believed."""

Kind = Literal["same pixels", "resized or recompressed", "altered", "edited", "different"]
"""From the surest to none: see `Verdict`."""

KINDS: tuple[Kind, ...] = get_args(Kind)

Change = Literal["mirrored", "rotated", "cropped", "recoloured"]
"""What can be done to a whole picture, and undone; one cropped loses about a tenth of its width or height at most."""


class Region(NamedTuple):
    """A rectangle within a picture, in shares of its width and height, from the top left corner of the upright one."""

    left: float
    top: float
    right: float
    bottom: float


class Verdict(NamedTuple):
    """How two pictures are related, whichever of them is the copy.

    Attributes:
        kind: "same pixels" where the decoded, upright pixels are equal; "resized or recompressed" where the aligned
            pictures differ nowhere by more than that explains; "altered" where they are that once `changes` are undone;
            "edited" where they are that but for a place, `region`; "different" else, also where that cannot be told.
        changes: what was done to the whole picture, in the order of `Change`; none unless altered or edited.
        region: of one edited: the place in the second picture, upright, that holds all that differs.
    """

    kind: Kind
    changes: tuple[Change, ...] = ()
    region: Region | None = None
