"""`lookalike backup PATH DEST`: a copy of an index, also while it is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def backup(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    dest: Annotated[str, typer.Argument(metavar="DEST", help="A new or empty folder, or an earlier backup of it.")],
    json: Annotated[bool, typer.Option("--json", help="What was done as one JSON object.")] = False,
) -> int:
    """Copy an index, as it is now, also while others search and write it; a second time, only what is new.

    The copy is verified, and can be searched where it is. Your pictures are not in it.
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import counted, print_json
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.collection.place import existing_place

    with Collection(existing_place(where)) as collection, Bar("copying", "bytes") as bar:
        report = collection.backup(dest, bar.show)
        one = collection.things.removesuffix("s")
    note(
        f"{counted(report.items, one)} in {report.path}: {counted(report.copied, 'file')} of vectors copied "
        f"({report.bytes:,} bytes), {report.kept:,} there already; verified"
    )
    if json:
        print_json(asdict(report))
    return 0
