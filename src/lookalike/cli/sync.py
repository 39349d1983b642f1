"""`lookalike sync WHERE`: bring an index up to date, once or for as long as it runs."""

from __future__ import annotations

import math
from typing import Annotated

import typer


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
    metadata: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the pictures: CSV, JSON, NDJSON or Parquet with a column `path`."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object for each report.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Tell what each stage took, and how busy the cores were.")
    ] = False,
) -> int:
    """Bring WHERE up to date with its pictures: new, changed, moved and removed ones.

    A folder that is not indexed yet is indexed. What could not be read before is tried again.
    """
    from lookalike.cli.describing import describe, read_facts
    from lookalike.cli.syncing import follow, patiently, sync
    from lookalike.collection import Collection
    from lookalike.collection.sync.watch import LEAST_POLL, as_seconds
    from lookalike.errors import ArgumentError

    if poll is not None:
        as_seconds("--poll", poll, least=LEAST_POLL)
    following = watch or poll is not None
    if following and metadata is not None:
        raise ArgumentError("expected --metadata without --watch or --poll, received both; give the facts first")
    facts = read_facts(metadata)
    if wait is None:
        wait = math.inf if following else 0
    with patiently(lambda seconds: Collection.open(where, wait=seconds), wait) as collection:
        if following:
            follow(collection, poll=poll, wait=wait, json=json, stats=stats)
        else:
            sync(collection, asked_for=True, wait=wait, json=json, stats=stats)
            describe(collection, facts, metadata)
    return 0
