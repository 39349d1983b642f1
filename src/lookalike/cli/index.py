"""`lookalike index SRC... --to PATH`: index without searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

if TYPE_CHECKING:
    from lookalike.metric import Metric
    from lookalike.vectors import Format

_VECTORS = "Files of vectors"


def index(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SRC...", help="Folders, pictures, archives of pictures (tar, zip, Parquet), or files of vectors."
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where to keep the index; by default in the folder's .lookalike."),
    ] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait while another process writes; inf: for ever.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
    stats: Annotated[
        bool, typer.Option("--stats", help="Tell what each stage took, and how busy the cores were.")
    ] = False,
    metadata: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the pictures: CSV, JSON, NDJSON or Parquet with a column `path`."),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="cosine, euclidean, sqeuclidean or dot; by default what the file says, or cosine.",
            rich_help_panel=_VECTORS,
        ),
    ] = None,
    layout: Annotated[
        Literal["rows", "columns"] | None,
        typer.Option(help="Which way round a matrix lies, where that cannot be told.", rich_help_panel=_VECTORS),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Of the files, where content and name do not tell it.", rich_help_panel=_VECTORS),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="The dataset, array or column of the vectors; of Parquet with pictures theirs.",
            rich_help_panel=_VECTORS,
        ),
    ] = None,
    names: Annotated[
        str | None, typer.Option(help="The dataset, array or column of their names.", rich_help_panel=_VECTORS)
    ] = None,
) -> int:
    """Make an index of pictures or vectors, or add to one; interrupted, it goes on when run again.

    What could not be read before is tried again. `lookalike sync PATH` brings it up to date later.

    Search it with: lookalike search QUERY PATH
    """
    from lookalike.cli.describing import describe, read_facts
    from lookalike.cli.syncing import patiently, sync
    from lookalike.collection import Collection

    facts = read_facts(metadata)

    def create(seconds: float) -> Collection:
        return Collection.create(
            sources,
            to,
            metric=cast("Metric | None", metric),
            layout=layout,
            format=cast("Format | None", format),
            key=key,
            names=names,
            wait=seconds,
        )

    with patiently(create, wait) as collection:
        sync(collection, asked_for=True, wait=wait, json=json, stats=stats)
        describe(collection, facts, metadata)
    return 0
