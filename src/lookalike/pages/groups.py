"""The page of groups that are alike: in each the picture that is kept, and the others beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lookalike.pages.gallery import Tile, environment


class Picture(NamedTuple):
    """One file of a group.

    Attributes:
        tile: how it looks; its distance is that to the one that is kept.
        about: a line on it, such as its size.
        same: whether it is the one that is kept byte for byte.
    """

    tile: Tile
    about: str = ""
    same: bool = False


class Alike(NamedTuple):
    """A group.

    Attributes:
        note: a line on the group, such as how many there are.
    """

    keeper: Picture
    others: Sequence[Picture]
    note: str = ""


def groups_page(groups: Sequence[Alike], title: str, lead: str, facts: Sequence[tuple[str, str]] = ()) -> str:
    """One HTML page like that of `gallery`, with `lead` and `facts` on top.

    Raises:
        ArgumentError: a thumbnail is none of JPEG, PNG and WebP.
    """
    return environment().get_template("groups.html").render(groups=groups, title=title, lead=lead, facts=facts)
