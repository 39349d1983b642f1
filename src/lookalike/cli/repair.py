"""`lookalike repair PATH`: mend what is damaged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer


def repair(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Mend a damaged index: keep what is intact, embed again what is not, name what is lost.

    Your pictures are not touched. A damaged catalogue is kept beside the new one. Exit code 1 where pictures were lost.
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import print_json, print_line, with_bytes
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.names import visible

    with Bar("embedding", "pictures") as bar:
        report = Collection.repair(where, bar.show)
    each_lost = zip(report.lost_ids, report.lost, strict=True)
    lost = [{"id": item_id, "path": path, "reason": reason} for item_id, (path, reason) in each_lost]
    if json:
        print_json(asdict(report) | {"lost": [with_bytes(each) for each in lost]})
    for sentence in report.done or ["nothing was damaged"]:
        note(sentence)
    note(f"{report.kept:,} vectors were intact, {report.embedded:,} made again, {len(lost):,} lost")
    for each in () if json else lost:
        print_line(visible(f"lost: {each['id']}  {each['path']}: {each['reason']}"))
    return 1 if lost else 0
