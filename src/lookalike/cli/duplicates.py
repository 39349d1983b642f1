"""What `lookalike dedupe WHERE` does: find the groups, print them, and write the page and the plan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from shlex import quote

from lookalike.cli.bar import Bar
from lookalike.cli.output import counted, flush, print_json, print_line, short, size
from lookalike.cli.page import below
from lookalike.cli.syncing import note, sync
from lookalike.cli.target import require_writable
from lookalike.collection import Collection
from lookalike.dedupe import WITHIN, Group, Keep, find_groups, group_fields, write_plan
from lookalike.dedupe.files import File
from lookalike.dedupe.groups import require_distance
from lookalike.errors import NoPicturesError
from lookalike.names import visible

PAGE_GROUPS, PAGE_OTHERS = 200, 11
"""So many groups, those whose pictures differ most, and of each the farthest so many, are on the page."""

_SIDE = 224  # pixels of a thumbnail's longer side


def show_duplicates(
    where: str,
    within: float | None,
    keep: Keep,
    *,
    exact_only: bool,
    json: bool,
    html: str | None,
    plan: str | None,
    check: bool,
) -> int:
    """Does it, and gives the exit code."""
    distance = WITHIN if within is None else within
    require_distance(distance)
    require_writable(html, plan)
    with Collection.open(where) as collection:
        if check:
            sync(collection, asked_for=False)
        elif len(collection) == 0:
            raise NoPicturesError(f"nothing is indexed in {where} yet; leave out --no-check")
        with Bar("comparing") as bar:
            groups = find_groups(collection, distance, keep=keep, exact_only=exact_only, progress=bar.show)
        for group in groups:
            _print_group(group, json=json)
        flush()
        kind = "byte-identical" if exact_only else f"within {distance:g}"
        if html is not None:
            _write_page(html, collection, groups, kind, keep)
            note(f"page written to {html}")
        if plan is not None:
            write_plan(plan, collection, groups)
            note(f"plan written to {plan}; act on it with: lookalike dedupe --apply {quote(plan)} --move-to DIR")
    note(summary(groups) if groups else f"no duplicates ({kind}) among the pictures in {where}")
    return 0 if groups else 1


def summary(groups: Sequence[Group]) -> str:
    """One line on all groups."""
    others = [other for group in groups for other in group.others]
    exact = sum(other.exact for other in others)
    return (
        f"{counted(len(groups), 'group')}: {counted(len(others), 'picture')} beside the ones to keep, "
        f"{size(sum(other.file.size for other in others))}; "
        f"{counted(exact, 'of them is', 'of them are')} the one to keep, byte for byte"
    )


def _print_group(group: Group, *, json: bool) -> None:
    if json:
        fields = group_fields(group)
        print_json(fields)
        return
    print_line(visible(f"{short(group.keeper.path)}  {_about(group.keeper)}"))
    for other in group.others:
        how = "same bytes" if other.exact else f"{other.distance:.4f}"
        print_line(visible(f"  {how:<10}  {short(other.file.path)}  {_about(other.file)}"))


def _write_page(html: str, collection: Collection, groups: Sequence[Group], kind: str, keep: Keep) -> None:
    """The groups that one should look at, as a page; WriteError where it cannot be written."""
    from lookalike.images.pool import DecoderPool, Failed
    from lookalike.pages import Alike, Picture, Tile, groups_page, write_page

    shown = sorted(groups, key=lambda group: -group.others[-1].distance)[:PAGE_GROUPS]
    roots = collection.info().roots
    paths = [file.path for group in shown for file in (group.keeper, *(o.file for o in group.others[-PAGE_OTHERS:]))]
    with DecoderPool() as pool, Bar("drawing the page") as bar:
        thumbnails = []
        for done, thumbnail in enumerate(pool.thumbnails(paths, _SIDE), 1):
            thumbnails.append(thumbnail)
            bar.show(done, len(paths))
    drawn = iter(thumbnails)

    def picture(file: File, distance: float | None = None, *, same: bool = False) -> Picture:
        found = next(drawn)
        caption = below(file.path, roots)
        if isinstance(found, Failed):
            tile = Tile(caption, file.path, None, distance, found.reason)
        else:
            tile = Tile(caption, file.path, found, distance)
        return Picture(tile, _about(file).replace(" ", "\u00a0").replace(",\u00a0", ", "), same)

    alike = [
        Alike(
            picture(group.keeper),
            [picture(other.file, other.distance, same=other.exact) for other in group.others[-PAGE_OTHERS:]],
            _note(group),
        )
        for group in shown
    ]
    facts = [
        ("Pictures", f"{len(collection):,}"),
        ("Alike", kind),
        ("Keep", keep),
        ("Groups", f"{len(groups):,}"),
        ("Beside the kept", f"{sum(len(group.others) for group in groups):,}"),
        ("Could be spared", size(sum(group.spared for group in groups))),
    ]
    write_page(
        groups_page(alike, f"Duplicates in {os.path.basename(os.path.abspath(roots[0]))}", _lead(groups), facts), html
    )


def _lead(groups: Sequence[Group]) -> str:
    text = "In each row the picture to keep, and beside it what could be set aside."
    if len(groups) > PAGE_GROUPS:
        text += f" Of {len(groups):,} groups these {PAGE_GROUPS:,} differ most in themselves; the plan has all of them."
    return text


def _note(group: Group) -> str:
    text = f"{counted(len(group.others), 'picture')} beside the one to keep, {size(group.spared)}"
    hidden = len(group.others) - PAGE_OTHERS
    return f"{text}; without the nearest {hidden:,}" if hidden > 0 else text


def _about(file: File) -> str:
    return f"{file.width} × {file.height}, {size(file.size)}"
