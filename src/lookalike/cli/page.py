"""The page of a search: thumbnails by the decoders, laid out by `lookalike.pages`."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lookalike.collection import Collection, Hit, Hits

_SIDE = 320  # pixels of a thumbnail's longer side


def write_results(file: str, collection: Collection, query: str, hits: Hits, only: str | None) -> None:
    """Writes the page of one search, perhaps by a condition. WriteError where FILE cannot be written."""
    about = collection.info()
    facts = [
        (about.things.capitalize(), f"{about.indexed:,}"),
        ("Model", f"{about.model}, {about.dim} dimensions"),
        ("Distance", about.metric),
        ("Expected recall", f"{hits.recall:.2f}"),
    ]
    such = "" if only is None else f"only pictures of which {only}"
    write_gallery(file, f"Look-alikes of {os.path.basename(query)}", [(query, hits, such)], facts, about.roots)


def write_gallery(
    file: str,
    title: str,
    searches: Sequence[tuple[str, Sequence[Hit], str]],
    facts: Sequence[tuple[str, str]],
    roots: Sequence[str] = (),
) -> None:
    """Writes a page of searches, each a query's path, its hits, and a note; names are shown as below a root."""
    from lookalike.images.pool import DecoderPool, Failed
    from lookalike.pages import Row, Tile, gallery, write_page

    paths = [path for query, hits, _ in searches for path in (query, *(hit.path for hit in hits))]
    with DecoderPool() as pool:
        thumbnails = iter(list(pool.thumbnails(paths, _SIDE)))

    def tile(path: str, distance: float | None) -> Tile:
        picture = next(thumbnails)
        caption = below(path, roots)
        if isinstance(picture, Failed):
            return Tile(caption, path, None, distance, picture.reason)
        return Tile(caption, path, picture, distance)

    rows = [
        Row(tile(query, None), [tile(hit.path, hit.distance) for hit in hits], remark)
        for query, hits, remark in searches
    ]
    write_page(gallery(rows, title, facts), file)


def below(path: str, roots: Sequence[str]) -> str:
    """A path as it is shown: below the root that it lies in."""
    for root in roots:
        if path.startswith(root.rstrip("/") + "/"):
            return os.path.relpath(path, root)
    return os.path.basename(path)
