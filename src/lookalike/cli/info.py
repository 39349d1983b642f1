"""`lookalike info PATH`: what an index holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer


def info(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Tell what an index holds: pictures, model, size, and what could not be read."""
    from lookalike.cli.output import print_json, print_line, size, with_bytes
    from lookalike.collection import Collection
    from lookalike.collection.place import existing_place
    from lookalike.names import visible

    with Collection(existing_place(where)) as collection:
        about, failed = collection.info(), collection.failed()
    if json:
        print_json(asdict(about) | {"failures": [with_bytes({"path": path, "reason": why}) for path, why in failed]})
        return 0
    rows: dict[str, Any] = {
        "index": about.path,
        "of": ", ".join(about.roots),
        "pictures": f"{about.pictures:,}",
        "model": f"{about.model} ({about.dim} dimensions, {about.metric} distance), {about.model_hash[:12]}…",
        "on disk": f"{size(about.bytes_on_disk)}, {about.segments} segment(s), {about.pending:,} vectors pending",
        "created": f"{about.created:%Y-%m-%d %H:%M} UTC",
        "updated": f"{about.updated:%Y-%m-%d %H:%M} UTC",
        "unreadable": f"{about.failed:,}",
    }
    if about.read_only:
        rows["read-only"] = about.read_only
    for name, value in rows.items():
        print_line(visible(f"{name:<11} {value}"))
    for path, why in failed:
        print_line(visible(f"  {path}: {why}"))
    return 0
