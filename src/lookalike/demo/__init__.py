"""The pictures that ship with lookalike, to try it on: what `lookalike demo` searches.

`ORIGIN.md` says where they come from, `AUTHORS.tsv` who drew each; `tools/make_demo_pictures.py` makes them.
"""

from __future__ import annotations

import os

QUERIES: tuple[str, ...] = (
    "boats/dinghy.png",
    "ladybirds/round_ladybird.webp",
    "guitars/black_white_guitar.png",
    "berries/strawberry_dark.webp",
    "horses/running_horse.png",
    "big_cats/tiger_standing.webp",
)
"""Pictures of the set whose look-alikes are worth seeing: paths below `folder()`, with `/` between the parts."""


def folder() -> str:
    """The folder of the pictures, in it one folder for each kind. It may not be writable."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "pictures")


def queries() -> list[str]:
    """The full paths of `QUERIES`."""
    return [os.path.join(folder(), *query.split("/")) for query in QUERIES]
