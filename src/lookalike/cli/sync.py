"""`lookalike sync WHERE`: bring an index up to date, once or for as long as it runs."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options


def sync(
    where: Annotated[str, typer.Argument(metavar="WHERE", help="A folder of pictures, or what `index --to` made.")],
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and follow what changes; Ctrl-C ends it.")] = False,
    poll: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Watch by looking every so many seconds, as on a network drive."),
    ] = None,
    wait: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="How long to wait while another process writes; inf: for ever, as does --watch by itself.",
        ),
    ] = None,
    keep_facts: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS",
            help="Keep ids and facts of pictures that are gone for so long, 90 at first, from now on; 0 forgets them.",
        ),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the pictures: CSV, JSON, NDJSON or Parquet with a column `path`."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each report.")] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Name every file that was skipped or could not be read.")
    ] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Tell what each stage took, and how busy the cores were.")
    ] = False,
    model: ModelOption = None,
    weights: WeightsOption = None,
    bgr: BgrOption = False,
    device: DeviceOption = "cpu",
) -> int:
    """Bring WHERE up to date with its pictures: new, changed, moved and removed ones.

    A folder that is not indexed yet is indexed. What could not be read before is tried again.
    """
    from lookalike.cli.describing import describe, read_facts, require_facts
    from lookalike.cli.syncing import follow, patiently, sync
    from lookalike.collection import Collection
    from lookalike.collection.sync.watch import LEAST_POLL, as_seconds
    from lookalike.errors import ArgumentError

    if poll is not None:
        as_seconds("--poll", poll, least=LEAST_POLL)
    following = watch or poll is not None
    if following and metadata is not None:
        raise ArgumentError("expected --metadata without --watch or --poll, received both; give the facts first")
    require_facts(metadata)
    how = model_options(model, weights, bgr, device)
    if wait is None:
        wait = math.inf if following else 0
    with patiently(lambda seconds: Collection.open(where, wait=seconds, **how), wait) as collection:
        if keep_facts is not None:
            patiently(lambda _: collection.keep_facts(keep_facts), wait)
        if following:
            follow(collection, poll=poll, wait=wait, json=json, stats=stats, skipped=skipped)
        else:
            facts = read_facts(metadata, collection.things)
            sync(collection, asked_for=True, wait=wait, json=json, stats=stats, skipped=skipped)
            describe(collection, facts)
    return 0
