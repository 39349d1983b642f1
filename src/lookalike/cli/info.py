"""`lookalike info PATH`: what an index holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lookalike.collection import Info
    from lookalike.collection.recall import Curves

SEVERAL = "pages > 1"


def _made_by(about: Info) -> dict[str, str]:
    from lookalike.models.perceptual import bits_of

    compared = f"{about.dim} dimensions, {about.metric} distance"
    if bits := bits_of(about.model):
        compared = f"{bits} bits, of which distance × {bits // 2} differ"
    if about.things == "vectors":
        return {"each": compared}
    return {"model": f"{about.model} ({compared}), {about.model_hash[:12]}…"}


def _recall(curves: Curves, indexed: int) -> Iterator[str]:
    if not curves.rows:
        yield f"{'recall':<11} every vector is compared"
        return
    told = (
        ("recall", "asked → found of the nearest 10, compared, time; by queries such as are stored", curves.rows),
        ("", "by queries such as nothing here is like, midpoints of two", curves.without_relatives),
    )
    for name, heading, curve in told:
        yield f"{name:<11} {heading}"
        for point in curve:
            yield (
                f"{'':<11} {point.asked:.2f} → {point.found:.3f}, {point.compared:,.0f} of {indexed:,}, "
                f"{point.seconds * 1e6:,.0f} µs"
            )


def info(
    where: Annotated[str, typer.Argument(metavar="PATH", help="An indexed folder, or what `index --to` made.")],
    words: Annotated[bool, typer.Option("--words", help="What its pictures probably show, by kind.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> int:
    """Tell what an index holds: pictures or vectors, model, size, and what could not be read."""
    from lookalike.cli.kinds import tell_kinds
    from lookalike.cli.output import counted, print_json, print_line, size
    from lookalike.collection import Collection
    from lookalike.collection.place import existing_place
    from lookalike.names import visible

    with Collection(existing_place(where)) as collection:
        if words:
            return tell_kinds(collection, json)
        about, failed, curves = collection.info(), collection.failed(), collection.recall_curves()
    if json:
        failures = [{"path": path, "reason": why} for path, why in failed]
        of_rows, others = ([point._asdict() for point in curve] for curve in curves)
        measured = {"recall_curve": of_rows, "recall_curve_without_relatives": others}
        print_json(asdict(about) | {"failures": failures} | measured)
        return 0
    rows: dict[str, Any] = {
        "index": about.path,
        "sources": ", ".join(about.roots),
        about.things: f"{about.indexed:,}",
        **_made_by(about),
        "on disk": f"{size(about.bytes_on_disk)}, {counted(about.segments, 'segment')}, "
        f"{counted(about.pending, 'vector')} pending",
        "created": f"{about.created:%Y-%m-%d %H:%M} UTC",
        "updated": f"{about.updated:%Y-%m-%d %H:%M} UTC",
        "facts": f"{', '.join(about.facts)}; search by them with --where",
        "health": f"nothing damaged that was read now; for every byte: lookalike verify {where}",
    }
    if about.next_model:
        count = min(about.next_vectors, about.indexed)
        rows["changing"] = (
            f"to {about.next_model}: {count:,} of {about.indexed:,} are done, {about.model} answers until all are: "
            f"lookalike index {where} --model {about.next_model}"
        )
    if about.absent:
        days = counted(about.kept_days, "day")
        rows["away"] = (
            f"{counted(about.absent, 'picture')}, whose ids and facts are kept for {days} should they come back"
        )
    if several := about.of_several_pages:
        rows["pages"] = (
            f"{counted(several, 'file holds', 'files hold')} several pictures, of which the first, or the primary, is "
            f'looked at: --where "{SEVERAL}"'
        )
    if about.read_only:
        rows["read-only"] = about.read_only
    for name, value in rows.items():
        print_line(visible(f"{name:<11} {value}"))
    for line in _recall(curves, about.indexed):
        print_line(line)
    print_line(f"{'unreadable':<11} {about.failed:,}")
    for path, why in failed:
        print_line(visible(f"  {path}: {why}"))
    return 0
