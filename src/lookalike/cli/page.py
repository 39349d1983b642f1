"""The page of a search: thumbnails by the decoders, laid out by `lookalike.pages`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lookalike.cli.sure import itself, probably, verdict
from lookalike.collection import Collection, Hit, Hits, Query
from lookalike.collection.query import Example, Own, Picture, Text
from lookalike.fitting import Box

if TYPE_CHECKING:
    from lookalike.images.given import Failed, Source
    from lookalike.pages import Tile

_SIDE = 320  # pixels of a thumbnail's longer side


class Shown(NamedTuple):
    """What was searched by, as the page shows it: a picture, or a text in its place; with a weight, one of several."""

    caption: str
    path: str = ""
    source: Source | Failed | None = None
    crop: Box | None = None
    text: str = ""
    weight: float | None = None


def write_results(file: str, collection: Collection, query: Query, hits: Hits, only: str | None) -> None:
    """Writes the page of one search, perhaps by a condition. WriteError where FILE cannot be written."""
    about = collection.info()
    facts = [
        (about.things.capitalize(), f"{about.indexed:,}"),
        ("Model", f"{about.model}, {about.dim} dimensions"),
        ("Distance", about.metric),
        ("Expected recall", f"{hits.recall:.2f}"),
    ]
    such = "" if only is None else f"only {about.things} of which {only}"
    remark = "; ".join(filter(None, (such, itself(hits), verdict(hits, about.things))))
    signed = [*query.more, *(Example(what, -weight) for what, weight in query.less)]
    shown = [_shown(example, collection, about.dim) for example in signed]
    title = shown[0].caption + (f" and {len(shown) - 1} more" if shown[1:] else "")
    originals = collection.originals(hit.id for hit in hits)
    heading = f"Probably {title}" if hits.words and shown[0].text else f"Look-alikes of {title}"
    write_gallery(file, heading, [(shown, hits, remark)], facts, about.roots, originals)


def write_gallery(
    file: str,
    title: str,
    searches: Sequence[tuple[Sequence[Shown], Sequence[Hit], str]],
    facts: Sequence[tuple[str, str]],
    roots: Sequence[str] = (),
    originals: Mapping[int, Source | Failed] | None = None,
) -> None:
    """Writes a page of searches, each what was searched by, its hits, and a note; hits are named as below a root.

    Args:
        originals: what hits are decoded from, by their ids; by default the files at their paths.
    """
    from lookalike.images.given import Failed, Given
    from lookalike.images.pool import DecoderPool
    from lookalike.pages import Row, Tile, gallery, write_page

    def original(hit: Hit) -> Source | Failed:
        return hit.path if originals is None else originals.get(hit.id, hit.path)

    def tile(caption: str, path: str, picture: bytes | Failed | None, **more: Any) -> Tile:
        if isinstance(picture, Failed):
            return Tile(caption, path, None, reason=picture.reason, **more)
        return Tile(caption, path, picture, **more)

    def example(shown: Shown) -> Tile:
        source = shown.source
        if source is None or isinstance(source, Failed):
            return tile(shown.caption, shown.path, source, text=shown.text, weight=shown.weight)
        picture = next(pool.thumbnails([source], _SIDE, shown.crop))
        return tile(shown.caption, shown.path, picture, text=shown.text, weight=shown.weight)

    with DecoderPool() as pool:
        sources = [original(hit) for _, hits, _ in searches for hit in hits]
        drawn = pool.thumbnails([each for each in sources if not isinstance(each, Failed)], _SIDE)
        pictures = ((each, each if isinstance(each, Failed) else next(drawn)) for each in sources)
        rows = []
        for shown, hits, remark in searches:
            found = []
            for hit, (source, picture) in zip(hits, pictures, strict=False):
                link = "" if isinstance(source, Given) else hit.path  # nothing opens a picture in an archive
                said = probably(hit.score) if isinstance(hits, Hits) and hits.words else ""
                near = {"distance": hit.distance, "score": hit.score, "remark": said}
                found.append(tile(below(hit.path, roots), link, picture, **near))
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
    from lookalike.images.given import Given

    what, weight = example
    match what:
        case Picture(crop=crop):
            path = what.source if isinstance(what.source, str) else ""
            part = f": {crop.width} × {crop.height} pixels at {crop.x}, {crop.y}" if crop else ""
            return Shown(os.path.basename(what.name) + part, path, what.to_decode(), crop, weight=weight)
        case Own(key):
            path = collection.path(key)
            (own,) = collection.originals([key]).values()
            return Shown(os.path.basename(path), "" if isinstance(own, Given) else path, own, weight=weight)
        case Text(text):
            return Shown(f"“{text}”", text=text, weight=weight)
    return Shown("a vector", text=f"{dim:,} numbers", weight=weight)
