"""What a pair of files is, and the list of all kinds of pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from lookalike.images.compare.verdict import Region, Verdict

from .sources import Source

Material = Literal["drawn", "photo", "drawing", "video", "stereo"]
"""What a pair is made of: nothing but a font and chance ("drawn"), or pictures that packages carry."""


class File(NamedTuple):
    """One picture as it lies on a disk: its bytes, and what its name ends in."""

    data: bytes
    suffix: str


class Pair(NamedTuple):
    """Two files, and what is true of them.

    Attributes:
        right: the verdicts that are right; None of a pair of different pictures, where any is that proposes nothing.
        edit: of one edited here, the place of the edit in the second picture.
    """

    one: File
    other: File
    right: tuple[Verdict, ...] | None = None
    edit: Region | None = None

    def named(self, verdict: Verdict) -> bool:
        """Whether `verdict` is one of the right ones; the place that it names is told apart (`holds`)."""
        if self.right is None:
            return not proposed(verdict, edited=True)
        return any((verdict.kind, set(verdict.changes)) == (right.kind, set(right.changes)) for right in self.right)


def proposed(verdict: Verdict, *, edited: bool = False) -> bool:
    """Whether `lookalike dedupe` proposes such a pair, by default or with `--include edited`."""
    return verdict.kind in ("same pixels", "resized or recompressed") or (edited and verdict.kind == "altered")


def holds(region: Region | None, edit: Region) -> bool:
    """Whether `region` holds nine tenths of `edit`, in at most five times its area and a hundredth of the picture."""
    if region is None:
        return False
    shared = _area(
        Region(
            max(region.left, edit.left),
            max(region.top, edit.top),
            min(region.right, edit.right),
            min(region.bottom, edit.bottom),
        )
    )
    return shared >= 0.9 * _area(edit) and _area(region) <= 5 * _area(edit) + 0.01


def _area(region: Region) -> float:
    return max(0.0, region.right - region.left) * max(0.0, region.bottom - region.top)


Make = Callable[[Random, Source | None], Pair | None]
"""Makes one pair from chance and, unless it is drawn, a source; None where that source is of no use for it."""


@dataclass(frozen=True)
class Sort:
    """One row of the table: pairs that are made in one way.

    Attributes:
        copies: whether the two are copies of each other, else they are different pictures.
        counted: whether the targets are about it; the others stand below the sums.
    """

    name: str
    material: Material
    make: Make
    copies: bool
    counted: bool = True


SORTS: list[Sort] = []


def different(name: str, material: Material = "drawn") -> Callable[[Make], Make]:
    """Lists a function that makes pairs of different pictures."""

    def listed(make: Make) -> Make:
        SORTS.append(Sort(name, material, make, copies=False))
        return make

    return listed


def copies(name: str, *, counted: bool = True) -> Callable[[Make], Make]:
    """Lists a function that makes a picture and a copy of it, of photos and of drawings."""

    def listed(make: Make) -> Make:
        SORTS.append(Sort(f"{name}, of photos", "photo", make, copies=True, counted=counted))
        SORTS.append(Sort(f"{name}, of drawings", "drawing", make, copies=True, counted=counted))
        return make

    return listed
