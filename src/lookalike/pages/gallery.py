"""The page of a search: each query on top, its nearest neighbours below."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lookalike.errors import ArgumentError
from lookalike.names import file_url, visible

_FEW = 4  # so many neighbours fit in one line below their query
_BREAK = re.compile(r"(?<=[/_-])(?=[^/_-])|(?<=\w)(?=\.\w+$)")  # after a separator, before the suffix


class Tile(NamedTuple):
    """One picture on the page, or a text in its place.

    Attributes:
        caption: what stands below it, as a rule the name of its file.
        path: its file, absolute or relative to the working directory; "" when it has none. It becomes a link.
        thumbnail: a JPEG, PNG or WebP file, or None when the picture cannot be shown.
        distance: to the query; None for the query itself.
        reason: why there is no thumbnail.
        score: how sure it is that it is like the query, in (0, 1]; None where that is not known.
        text: what is shown where there is no picture to show.
        weight: of one example of several: below 0 for what is not looked for.
        remark: a word on how probable it is that a hit of words shows them, such as "probably".
    """

    caption: str
    path: str
    thumbnail: bytes | None
    distance: float | None = None
    reason: str = ""
    score: float | None = None
    text: str = ""
    weight: float | None = None
    remark: str = ""


class Row(NamedTuple):
    """A query and what was found, nearest first.

    Attributes:
        note: a short remark on this search, such as its time; may be empty.
        others: further examples that were searched by.
    """

    query: Tile
    neighbours: Sequence[Tile]
    note: str = ""
    others: Sequence[Tile] = ()


def gallery(rows: Sequence[Row], title: str, facts: Sequence[tuple[str, str]] = ()) -> str:
    """One HTML page that needs no network, no script and no other file: pictures are in it as `data:` URIs.

    `facts` are pairs such as ("Model", "efficientnet-lite0"), shown at the foot of the page.
    Any string may hold anything: HTML is escaped, and what cannot be shown, such as a newline in a file's name,
    appears as an escape (`visible`).

        page = gallery([Row(Tile("cat.jpg", "/home/me/cat.jpg", jpeg), [])], "Look-alikes of cat.jpg")

    Raises:
        ArgumentError: a thumbnail is none of JPEG, PNG and WebP.
    """
    few = all(len(row.neighbours) <= _FEW for row in rows)
    by_words = any(tile.remark for row in rows for tile in row.neighbours)
    page = environment().get_template("gallery.html")
    return page.render(rows=rows, title=title, facts=facts, few=few, by_words=by_words)


@cache
def environment() -> Environment:
    """What fills in the pages of this folder."""
    environment = Environment(
        loader=FileSystemLoader(os.path.dirname(__file__)),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        data_uri=_data_uri,
        file_url=file_url,
        breakable=_breakable,
        short=_short,
        distance=_distance,
        weight=_weight,
    )
    return environment


def _shown(value: object) -> object:
    """Every string on its way to the page comes by here, so that none can be forgotten."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(name: str) -> Markup:
    """`name` with places where a long one may go on in the next line."""
    return Markup("<wbr>").join(_BREAK.split(visible(name)))


def _short(name: str, most: int = 18) -> str:
    """`name`, cut where it would not fit."""
    shown = visible(name)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _data_uri(picture: bytes) -> Markup:
    return Markup("data:{};base64,{}").format(_media_type(picture), b64encode(picture).decode("ascii"))


def _media_type(picture: bytes) -> str:
    if picture.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if picture.startswith(b"RIFF") and picture[8:12] == b"WEBP":
        return "image/webp"
    raise ArgumentError(
        f"expected a thumbnail in JPEG, PNG or WebP, received bytes that start with {picture[:8]!r}; "
        "make it with lookalike.images.decode.thumbnail"
    )


def _distance(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.5g}"


def _weight(value: float) -> str:
    """+ or −, and how much where it is not 1."""
    return f"{'−' if value < 0 else '+'}{'' if abs(value) == 1 else f' {abs(value):g}'}"
