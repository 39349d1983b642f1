"""The kinds of copies in words, and in the order in which they should be looked at."""

from __future__ import annotations

from collections.abc import Iterable

from lookalike.dedupe.group import Group, Kind, Other

SUSPICIOUS_FIRST: tuple[Kind, ...] = (
    "edited",
    "altered",
    "resized or recompressed",
    "same pixels",
    "identical file",
    "similar",
)
"""The kinds, with those first of which one should look at every picture."""

TITLES: dict[Kind, str] = {
    "edited": "edited here",
    "altered": "mirrored, rotated, cropped or recoloured",
    "similar": "similar",
    "resized or recompressed": "resized or recompressed",
    "same pixels": "same pixels",
    "identical file": "identical file",
}
"""What each kind is called where it stands for all of its files."""


def described(other: Other) -> str:
    """What a file is to the one that is kept: "mirrored and cropped", "edited here", "same pixels"."""
    *first, last = other.changes or ("",)
    changes = f"{', '.join(first)} and {last}" if first else last
    if other.kind == "edited":
        return f"{changes}, and edited here" if changes else "edited here"
    return changes or TITLES[other.kind]


def kind_of(group: Group) -> Kind:
    """Of the kinds in a group the one that should be looked at first."""
    return min((other.kind for other in group.others), key=SUSPICIOUS_FIRST.index)


def suspicious_first(groups: Iterable[Group]) -> list[Group]:
    """The groups as pages and lists show them: by `kind_of`, then by their numbers."""
    return sorted(groups, key=lambda group: (SUSPICIOUS_FIRST.index(kind_of(group)), group.number))
