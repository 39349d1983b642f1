"""Facts from a file, given to the pictures of a collection, while a person watches."""

from __future__ import annotations

from lookalike.cli.output import counted
from lookalike.cli.syncing import note
from lookalike.collection import Collection
from lookalike.facts import Row, read_sidecar

_LISTED = 5  # unknown paths named one by one


def read_facts(file: str | None) -> list[Row]:
    """What a file says of pictures, before any work is done: nobody should wait to learn that a line is wrong."""
    return [] if file is None else read_sidecar(file)


def describe(collection: Collection, rows: list[Row], file: str | None) -> None:
    """Gives the facts that were read from a file, and says what became of them."""
    if file is None:
        return
    one, named = "picture", "path"
    if collection.things == "vectors":
        one, named, rows = "vector", "name", read_sidecar(file, names=True)
    described = collection.describe(rows)
    note(f"facts given to {counted(described.pictures, one)}")
    if described.unknown:
        note(f"  {counted(len(described.unknown), named)} with facts but without a {one} here:")
        for path in described.unknown[:_LISTED]:
            note(f"    {path}")
        if len(described.unknown) > _LISTED:
            note(f"    … and {len(described.unknown) - _LISTED:,} more")
