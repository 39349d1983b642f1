"""Facts from a file, given to the pictures or vectors of a collection, while a person watches."""

from __future__ import annotations

from lookalike.cli.output import counted
from lookalike.cli.syncing import note
from lookalike.collection import Collection
from lookalike.collection.sync.report import Things
from lookalike.facts import Row, read_names, read_sidecar

_LISTED = 5  # unknown paths named one by one


def require_facts(file: str | None) -> None:
    """Refuses a file of facts of whatever things: nobody should wait to learn that a line is wrong."""
    read_facts(file, "vectors")


def read_facts(file: str | None, things: Things) -> list[Row]:
    """What a file says of pictures, by their paths, or of vectors, by their names."""
    if file is None:
        return []
    return read_names(file) if things == "vectors" else read_sidecar(file)


def describe(collection: Collection, rows: list[Row]) -> None:
    """Gives the facts, and says what became of them."""
    if not rows:
        return
    described = collection.describe(rows)
    one = collection.things.removesuffix("s")
    note(f"facts given to {counted(described.pictures, one)}")
    if described.unknown:
        called = "name" if one == "vector" else "path"
        note(f"  {counted(len(described.unknown), called)} with facts but without a {one} here:")
        for path in described.unknown[:_LISTED]:
            note(f"    {path}")
        if len(described.unknown) > _LISTED:
            note(f"    … and {len(described.unknown) - _LISTED:,} more")
