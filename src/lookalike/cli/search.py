"""`lookalike search QUERY WHERE`: the main job."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A picture.")],
    where: Annotated[str, typer.Argument(metavar="WHERE", help="A folder of pictures, or what `index --to` made.")],
    k: Annotated[int, typer.Option("-k", "--k", help="How many to show.")] = 10,
    recall: Annotated[
        float | None,
        typer.Option(help="Share of the true neighbours to find, in (0, 1]; 0.95 by default."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every picture.")] = False,
    max_distance: Annotated[float | None, typer.Option(help="Leave out pictures farther away than this.")] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="CONDITION",
            help="Only pictures with such facts: \"year >= 2020 and camera contains 'canon'\".",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write a page to look at, too.")] = None,
    check: Annotated[bool, typer.Option(help="Look for new, changed and removed pictures first.")] = True,
    model: ModelOption = None,
    weights: WeightsOption = None,
    bgr: BgrOption = False,
    device: DeviceOption = "cpu",
) -> int:
    """Show the pictures in WHERE that look most like QUERY.

    The folder is indexed on first use, into its .lookalike; later searches look only at what has changed.
    """
    from lookalike.arrays import as_count
    from lookalike.cli.output import print_hits
    from lookalike.cli.page import write_results
    from lookalike.cli.syncing import note, sync
    from lookalike.cli.target import require_writable
    from lookalike.collection import Collection
    from lookalike.collection.place import find_place
    from lookalike.errors import NoPicturesError, PictureError
    from lookalike.facts import parse
    from lookalike.index.arguments import how_far, largest_distance

    as_count("k", k, 1)
    how_far(recall, None, None, exact)
    largest_distance(max_distance)
    if only is not None:
        parse(only)
    require_writable(html)
    if not os.path.isfile(query):
        what = "is not a file" if os.path.exists(query) else "is not there"
        raise PictureError(f"the query {what}; give the path of a picture", query)
    if not find_place(where).exists:
        _require_picture(query)
    with Collection.open(where, **model_options(model, weights, bgr, device)) as collection:
        if check:
            sync(collection, asked_for=False)
        elif len(collection) == 0:
            raise NoPicturesError(f"nothing is indexed in {where} yet; leave out --no-check")
        hits = collection.search(query, k, recall=recall, max_distance=max_distance, where=only, exact=exact)
        print_hits(hits, json=json, facts=collection.facts_of(hit.id for hit in hits) if json else {})
        if html is not None:
            write_results(html, collection, query, hits, only)
            note(f"page written to {html}")
    if hits:
        return 0
    limit = "" if max_distance is None else f" within a distance of {max_distance:g}"
    such = "" if only is None else f" of which {only}"
    note(f"nothing found{limit} among the other pictures in {where}{such}")
    return 1


def _require_picture(query: str) -> None:
    """Nobody should wait for a folder to be indexed to learn that the query is none."""
    from lookalike.errors import PictureError
    from lookalike.images.pool import DecoderPool, Failed

    with DecoderPool(workers=1) as pool:
        (thumbnail,) = pool.thumbnails([query], side=16)
    if isinstance(thumbnail, Failed):
        raise PictureError(thumbnail.reason, query)
