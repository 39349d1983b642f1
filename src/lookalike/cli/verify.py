"""`lookalike verify PATH`: is every byte as it was written?"""

from __future__ import annotations

from typing import Annotated

import typer


def verify(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line for each thing that is wrong.")] = False,
) -> int:
    """Check every byte and every reference of an index. Exit code 0 where all is well, 2 where something is wrong.

    What is wrong is told on stdout, a line each; nothing is changed. Mend it with: lookalike repair PATH
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import print_json, print_line
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.names import visible

    with Bar("verifying", "rows") as bar:
        problems = Collection.verify(where, bar.show)
    for problem in problems:
        if json:
            print_json({"problem": problem})
        else:
            print_line(visible(problem))
    if problems:
        note(f"damaged; mend it with: lookalike repair {where}")
        return 2
    note(f"{where}: every byte in use is as it was written")
    return 0
