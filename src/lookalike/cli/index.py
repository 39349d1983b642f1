"""`lookalike index SRC... --to PATH`: index without searching."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options
from lookalike.cli.sources import AllowUrls, Null, resolve
from lookalike.cli.vectors import PANEL, FormatOption, KeyOption, LayoutOption

if TYPE_CHECKING:
    from lookalike.metric import Metric
    from lookalike.vectors import Format


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC...",
            help="Folders, pictures, archives of pictures (tar, zip, Parquet), or files of vectors; patterns of them; "
            "- for a list on stdin; URLs.",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where to keep the index; by default in the folder's .lookalike."),
    ] = None,
    null: Null = False,
    allow_urls: AllowUrls = False,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait while another process writes; inf: for ever.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Name every file that was skipped or could not be read.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Tell what each stage took, and how busy the cores were.")
    ] = False,
    metadata: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Facts of pictures or vectors: CSV, JSON, NDJSON or Parquet with a column `path`."
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="cosine, euclidean, sqeuclidean or dot; by default what the file says, or cosine.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    layout: LayoutOption = None,
    format: FormatOption = None,
    key: KeyOption = None,
    names: Annotated[
        str | None, typer.Option(help="The dataset, array or column of their names.", rich_help_panel=PANEL)
    ] = None,
    model: ModelOption = None,
    weights: WeightsOption = None,
    bgr: BgrOption = False,
    device: DeviceOption = "cpu",
    give_up: Annotated[
        bool,
        typer.Option("--give-up", help="Where the model changes: go on without pictures that are out of reach."),
    ] = False,
) -> int:
    """Make an index of pictures or vectors, or add to one; interrupted, it goes on when run again.

    Another --model than it has changes its model: all pictures are embedded anew, and the old one answers until then.

    What could not be read before is tried again. `lookalike sync PATH` brings it up to date later.

    Search it with: lookalike search QUERY PATH
    """
    from lookalike.cli.changing import change_model
    from lookalike.cli.describing import describe, read_facts, require_facts
    from lookalike.cli.syncing import fetch, patiently, sync
    from lookalike.collection import Collection
    from lookalike.images.urls.address import is_url

    require_facts(metadata)
    how = model_options(model, weights, bgr, device)
    found = resolve(sources, sys.stdin.buffer if sys.stdin else None, null=null, allow_urls=allow_urls)
    urls = [each for each in found if is_url(each)]
    paths = [each for each in found if not is_url(each)]
    change_model(paths, to, how, wait=wait, fetch=allow_urls, give_up=give_up)

    def create(seconds: float) -> Collection:
        return Collection.create(
            paths,
            to,
            metric=cast("Metric | None", metric),
            layout=layout,
            format=cast("Format | None", format),
            key=key,
            names=names,
            wait=seconds,
            **how,
        )

    with patiently(create, wait) as collection:
        facts = read_facts(metadata, collection.things)
        if paths or not urls:
            sync(collection, asked_for=True, wait=wait, json=json, stats=stats, skipped=skipped)
        if urls:
            fetch(collection, urls, wait=wait, json=json, stats=stats)
        describe(collection, facts)
    return 0
