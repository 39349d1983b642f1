"""What a collection's pictures probably show, for `lookalike info --words`."""

from __future__ import annotations

from lookalike.cli.bar import Bar
from lookalike.cli.output import counted, print_json, print_line
from lookalike.cli.syncing import note
from lookalike.collection import Collection


def tell_kinds(collection: Collection, json: bool) -> int:
    """A line for each kind, the most frequent first, and one for those of which the model is not sure."""
    with Bar("looking", collection.things) as bar:
        kinds = collection.kinds(bar.show)
    if json:
        print_json({"probably": kinds.probably, "unsure": kinds.unsure})
        return 0
    rows = [*((count, f"probably {name}") for name, count in kinds.probably.items()), (kinds.unsure, "not sure")]
    width = max(len(f"{count:,}") for count, _ in rows)
    for count, said in rows:
        print_line(f"{count:>{width},}  {said}")
    total = kinds.unsure + sum(kinds.probably.values())
    note(f"of {counted(total, 'picture')}, each counted once; docs/words.md says how often that is right")
    return 0
