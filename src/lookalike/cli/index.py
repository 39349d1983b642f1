"""`lookalike index SRC... --to PATH`: index without searching."""

from __future__ import annotations

from typing import Annotated

import typer


def index(
    sources: Annotated[list[str], typer.Argument(metavar="SRC...", help="Folders of pictures, or pictures.")],
    to: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Where to keep the index; by default in the folder's .lookalike."),
    ] = None,
    metadata: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the pictures: CSV, JSON, NDJSON or Parquet with a column `path`."),
    ] = None,
) -> int:
    """Index pictures, or bring an index up to date; interrupted, it goes on when run again.

    What could not be read before is tried again.

    Search it with: lookalike search QUERY PATH
    """
    from lookalike.cli.describing import describe, read_facts
    from lookalike.cli.syncing import sync
    from lookalike.collection import Collection

    facts = read_facts(metadata)
    with Collection.create(sources, to) as collection:
        sync(collection, asked_for=True)
        describe(collection, facts)
    return 0
