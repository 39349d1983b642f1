"""`lookalike repair PATH`: mend what is damaged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer


def repair(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    give_up: Annotated[
        bool, typer.Option("--give-up", help="Go on though pictures to be embedded again are out of reach.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Mend a damaged index: keep what is intact, embed again what is not, name what is lost.

    Your files are not touched. A damaged catalogue is kept beside the new one. Exit code 1 where anything was lost.
    """
    from lookalike.cli.bar import Bar
    from lookalike.cli.output import print_json, print_line
    from lookalike.cli.syncing import note
    from lookalike.collection import Collection
    from lookalike.facts.fact import to_json
    from lookalike.names import visible

    with Bar("making vectors again", "vectors") as bar:
        report = Collection.repair(where, bar.show, give_up=give_up)
    each_lost = zip(report.lost_ids, report.lost, strict=True)
    lost = [{"id": item_id, "path": path, "reason": reason} for item_id, (path, reason) in each_lost]
    facts: list[dict[str, Any]] = [each._asdict() for each in report.lost_facts]
    if json:
        print_json(asdict(report) | {"lost": lost, "lost_facts": facts})
    for sentence in report.done or ["nothing was damaged"]:
        note(sentence)
    note(f"vectors: {report.kept:,} intact, {report.embedded:,} made again, {len(lost):,} lost")
    for each in () if json else lost:
        print_line(visible(f"lost: {each['id']}  {each['path']}: {each['reason']}"))
    for item_id, path, given in () if json else report.lost_facts:
        what = "any that were given" if given is None else to_json(given)
        print_line(visible(f"lost facts: {item_id}  {path or 'one whose path is lost, too'}: {what}"))
    return 1 if report.lost_anything else 0
