"""`lookalike search [QUERY] WHERE`: the main job."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options


def search(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY", help="A picture, - for one on standard input, or words.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Argument(metavar="WHERE", help="Always last: a folder of pictures, or what `index --to` made."),
    ] = None,
    id: Annotated[
        str | None, typer.Option(metavar="ID", help="Like a picture in WHERE: its id in --json, or its path.")
    ] = None,
    vector: Annotated[
        str | None, typer.Option(metavar="FILE", help="Like a vector: a .npy or other file of one, or - for numbers.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="What these words say, also where a file is called so.")] = None,
    more: Annotated[
        list[str] | None, typer.Option(metavar="FILE[:WEIGHT]", help="Like this picture, too; as often as you like.")
    ] = None,
    less: Annotated[list[str] | None, typer.Option(metavar="FILE[:WEIGHT]", help="Unlike this one.")] = None,
    crop: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Only this part of QUERY, in pixels from its upper left.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="How many to show.")] = 10,
    recall: Annotated[
        float | None,
        typer.Option(help="Share of the true neighbours to find, in (0, 1]; 0.95 by default."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every picture.")] = False,
    max_distance: Annotated[float | None, typer.Option(help="Leave out pictures farther away than this.")] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Give up after so long; indexing what is new comes before, and is not counted."
        ),
    ] = None,
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
    """Show the pictures in WHERE that look most like QUERY, or what the options say.

    The folder is indexed on first use, into its .lookalike; later searches look only at what has changed.
    """
    from lookalike.arrays import as_count
    from lookalike.cli.asking import Asked, require_pictures
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import print_hits
    from lookalike.cli.page import write_results
    from lookalike.cli.sure import itself, remarks
    from lookalike.cli.syncing import note, sync
    from lookalike.cli.target import require_writable
    from lookalike.collection import Collection
    from lookalike.collection.create import METRIC
    from lookalike.collection.examples import require_usable
    from lookalike.collection.model import Wanted
    from lookalike.collection.place import find_place
    from lookalike.errors import NoPicturesError
    from lookalike.facts import parse
    from lookalike.index.arguments import as_timeout, how_far, largest_distance
    from lookalike.metric import require_distance

    as_count("k", k, 1)
    how_far(recall, None, None, exact)
    limit = largest_distance(max_distance)
    as_timeout(timeout)
    if only is not None:
        parse(only)
    require_writable(html)
    arguments = [each for each in (query, where, *context.args) if each is not None]
    asked = Asked(arguments, id, vector, text, more or (), less or (), crop)
    place, wanted, how = asked.place(), asked.query(), model_options(model, weights, bgr, device)
    if not find_place(place).exists:  # so it will be one of pictures
        if max_distance is not None:
            require_distance("--max-distance", limit, METRIC, 0)
        require_usable(wanted, Wanted(how["model"], how["device"], how["notify"]).get())
        require_pictures(wanted)
    with Collection.open(place, **how) as collection:
        things = collection.things
        require_usable(wanted, collection.model)
        if check:
            sync(collection, asked_for=False)
        elif len(collection) == 0:
            raise NoPicturesError(f"nothing is indexed in {place} yet; leave out --no-check")
        with Bar("looking", things) as bar:
            hits = collection.search(
                wanted,
                k,
                recall=recall,
                max_distance=max_distance,
                where=only,
                exact=exact,
                timeout=timeout,
                progress=bar.show,
            )
        print_hits(hits, json=json, facts=collection.facts_of(hit.id for hit in hits) if json else {})
        if html is not None:
            write_results(html, collection, wanted, hits, only)
            note(f"page written to {html}")
    for remark in filter(None, (itself(hits), *remarks(hits, things))):
        note(remark)
    if hits:
        return 0
    within = "" if max_distance is None else f" within a distance of {max_distance:g}"
    such = "" if only is None else f" of which {only}"
    note(f"nothing found{within} among the other {things} in {place}{such}")
    return 1
