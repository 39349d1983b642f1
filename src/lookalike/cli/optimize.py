"""`lookalike optimize PATH`: all vectors in one file."""

from __future__ import annotations

from typing import Annotated

import typer


def optimize(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
) -> int:
    """Bring all vectors of an index into one file, forget those removed, and give free space back.

    Searches are a little faster afterwards; they go on meanwhile.
    """
    from lookalike.cli.output import counted, size
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.collection.place import existing_place

    with Collection(existing_place(where)) as collection:
        before = collection.info()
        collection.optimize()
        after = collection.info()
    note(
        f"{counted(before.segments, 'segment')} and {counted(before.pending, 'pending vector')} became "
        f"{counted(after.segments, 'segment')}; "
        f"{size(before.bytes_on_disk)} became {size(after.bytes_on_disk)}"
    )
    return 0
