"""`lookalike index SRC... --to PATH`: index without searching."""

from __future__ import annotations

from typing import Annotated

import typer

from lookalike.cli.models import BgrOption, DeviceOption, ModelOption, WeightsOption, model_options


def index(
    sources: Annotated[list[str], typer.Argument(metavar="SRC...", help="Folders of pictures, or pictures.")],
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
    model: ModelOption = None,
    weights: WeightsOption = None,
    bgr: BgrOption = False,
    device: DeviceOption = "cpu",
) -> int:
    """Make an index of pictures, or add them to one; interrupted, it goes on when run again.

    What could not be read before is tried again. `lookalike sync PATH` brings it up to date later.

    Search it with: lookalike search QUERY PATH
    """
    from lookalike.cli.describing import describe, read_facts
    from lookalike.cli.syncing import patiently, sync
    from lookalike.collection import Collection

    facts, how = read_facts(metadata), model_options(model, weights, bgr, device)
    with patiently(lambda seconds: Collection.create(sources, to, wait=seconds, **how), wait) as collection:
        sync(collection, asked_for=True, wait=wait, json=json, stats=stats)
        describe(collection, facts)
    return 0
