"""The page of copies: all groups, those first at which one should look, each picture large enough to judge."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import Literal, NamedTuple

from lookalike.pages.gallery import Tile, environment

State = Literal["kept", "aside", "stays"]
"""What becomes of a file: it is kept, it may be set aside, or it is only shown."""

Shape = Literal["square", "wide", "tall", "small"]
"""How the pictures of a group are laid out; small ones need no judging."""


_NARROWEST, _FLAT = 0.4, 2.0  # times as wide as high: no place is narrower, and none in a group of wide pictures higher


class Picture(NamedTuple):
    """One file of a group.

    Attributes:
        tile: how it looks; its distance, if any, is that to the one that is kept.
        about: a line on it, such as its size.
        kind: what it is to the one that is kept, in words; of that itself "".
        notes: further lines, such as what belongs to it.
        size: width and height of the picture, of which the thumbnail has the shape.
        region: left, top, right and bottom of a place in it that is framed, in shares of its width and height.
    """

    tile: Tile
    state: State
    about: str = ""
    kind: str = ""
    notes: Sequence[str] = ()
    size: tuple[int, int] = (1, 1)
    region: tuple[float, float, float, float] | None = None


class Alike(NamedTuple):
    """A group.

    Attributes:
        number: as in the plan.
        others: those that are shown beside the one that is kept.
        copies: those that look as it does to the last pixel; their thumbnails are not shown.
    """

    number: int
    keeper: Picture
    others: Sequence[Picture] = ()
    copies: Sequence[Picture] = ()
    shape: Shape = "square"

    def room(self, picture: Picture) -> float:
        """How many times as wide as high the place for one of its pictures is: like that of the one that is kept."""
        if self.shape == "small":
            return 1.0
        return max(_ratio(picture), _FLAT) if self.shape == "wide" else max(_ratio(self.keeper), _NARROWEST)

    def fills_width(self, picture: Picture) -> bool:
        """Whether a picture fills the width of its place, or else the height."""
        return _ratio(picture) >= self.room(picture)


class Section(NamedTuple):
    """The groups of one kind.

    Attributes:
        name: for links, of letters and dashes.
        groups: may be made while the page is written.
    """

    name: str
    title: str
    groups: Iterable[Alike]


class Count(NamedTuple):
    """How many files there are of a kind.

    Attributes:
        link: the name of its section, or of a group that has such files.
        about: how large they are, and what becomes of them.
    """

    link: str
    files: str
    about: str


def groups_page(
    sections: Iterable[Section],
    title: str,
    lead: str,
    counts: Sequence[Count] = (),
    facts: Sequence[tuple[str, str]] = (),
) -> Iterator[str]:
    """One HTML page, piece by piece, that needs no network and no other file; `lead`, `counts` and `facts` are on top.

    Pictures are shown as one scrolls to them, by the one script that the page allows; without scripts all are there.

    Raises:
        ArgumentError: a thumbnail is none of JPEG, PNG and WebP.
    """
    template = environment().get_template("groups.html")
    return template.generate(sections=sections, title=title, lead=lead, counts=counts, facts=facts, allowed=_allowed())


def _ratio(picture: Picture) -> float:
    return picture.size[0] / picture.size[1]


@cache
def _allowed() -> str:
    """How the policy of a page names the one script that may run."""
    with open(os.path.join(os.path.dirname(__file__), "groups.js"), "rb") as file:
        script = file.read().removesuffix(b"\n")  # as a template includes it
    return f"sha256-{b64encode(sha256(script).digest()).decode('ascii')}"
