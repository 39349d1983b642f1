"""The page of a search: thumbnails by the decoders, laid out by `lookalike.pages`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.cli.sure import verdict
from lookalike.collection import Collection, Hit, Hits, Query
from lookalike.collection.query import Example, Own, Picture, Text
from lookalike.fitting import Box

if TYPE_CHECKING:
    from lookalike.images.pool import Source
    from lookalike.pages import Tile

_SIDE = 320  # pixels of a thumbnail's longer side


class Shown(NamedTuple):
    """What was searched by, as the page shows it: a picture, or a text in its place; with a weight, one of several."""

    caption: str
    path: str = ""
    source: Source | None = None
    crop: Box | None = None
    text: str = ""
    weight: float | None = None


def write_results(file: str, collection: Collection, query: Query, hits: Hits, only: str | None) -> None:
    """Writes the page of one search, perhaps by a condition. WriteError where FILE cannot be written."""
    about = collection.info()
    facts = [
        ("Pictures", f"{about.pictures:,}"),
        ("Model", f"{about.model}, {about.dim} dimensions"),
        ("Distance", about.metric),
        ("Expected recall", f"{hits.recall:.2f}"),
    ]
    such = "" if only is None else f"only pictures of which {only}"
    remark = "; ".join(filter(None, (such, verdict(hits))))
    signed = [*query.more, *(Example(what, -weight) for what, weight in query.less)]
    shown = [_shown(example, collection, about.dim) for example in signed]
    title = shown[0].caption + (f" and {len(shown) - 1} more" if shown[1:] else "")
    write_gallery(file, f"Look-alikes of {title}", [(shown, hits, remark)], facts, about.roots)


def write_gallery(
    file: str,
    title: str,
    searches: Sequence[tuple[Sequence[Shown], Sequence[Hit], str]],
    facts: Sequence[tuple[str, str]],
    roots: Sequence[str] = (),
) -> None:
    """Writes a page of searches, each what was searched by, its hits, and a note; hits are named as below a root."""
    from lookalike.images.pool import DecoderPool, Failed
    from lookalike.pages import Row, Tile, gallery, write_page

    def tile(caption: str, path: str, picture: bytes | Failed | None, **more: Any) -> Tile:
        if isinstance(picture, Failed):
            return Tile(caption, path, None, reason=picture.reason, **more)
        return Tile(caption, path, picture, **more)

    def example(shown: Shown) -> Tile:
        picture = None if shown.source is None else next(pool.thumbnails([shown.source], _SIDE, shown.crop))
        return tile(shown.caption, shown.path, picture, text=shown.text, weight=shown.weight)

    with DecoderPool() as pool:
        thumbnails = pool.thumbnails([hit.path for _, hits, _ in searches for hit in hits], _SIDE)
        rows = []
        for shown, hits, remark in searches:
            found = [
                tile(below(hit.path, roots), hit.path, picture, distance=hit.distance, score=hit.score)
                for hit, picture in zip(hits, thumbnails, strict=False)
            ]
            query, *others = map(example, shown)
            rows.append(Row(query, found, remark, others))
    write_page(gallery(rows, title, facts), file)


def below(path: str, roots: Sequence[str]) -> str:
    """A path as it is shown: below the root that it lies in."""
    for root in roots:
        if path.startswith(root.rstrip("/") + "/"):
            return os.path.relpath(path, root)
    return os.path.basename(path)


def _shown(example: Example, collection: Collection, dim: int) -> Shown:
    what, weight = example
    match what:
        case Picture(crop=crop):
            path = what.source if isinstance(what.source, str) else ""
            part = f": {crop.width} × {crop.height} pixels at {crop.x}, {crop.y}" if crop else ""
            return Shown(os.path.basename(what.name) + part, path, what.to_decode(), crop, weight=weight)
        case Own(key):
            path = key if isinstance(key, str) else collection.path(key)
            return Shown(os.path.basename(path), path, path, weight=weight)
        case Text(text):
            return Shown(f"“{text}”", text=text, weight=weight)
    return Shown("a vector", text=f"{dim:,} numbers", weight=weight)
