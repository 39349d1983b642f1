"""What `lookalike dedupe WHERE` does: find the groups, print them, and write the page and the plan."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from shlex import quote
from typing import NamedTuple

from lookalike.cli.bar import Bar
from lookalike.cli.listing import list_groups, print_groups, summary
from lookalike.cli.models import model_options
from lookalike.cli.output import counted, flush, short
from lookalike.cli.syncing import note, sync
from lookalike.cli.target import require_writable
from lookalike.collection import Collection
from lookalike.dedupe import WITHIN, Belongings, Keep, belongings, find_duplicates, write_plan
from lookalike.dedupe.groups import require_distance
from lookalike.dedupe.verify import Comparison
from lookalike.errors import ArgumentError, NoPicturesError

_LISTED = 20  # pairs that could not be compared that are named one by one

_THINGS = {"comparing whole pictures": "pairs", "looking for sidecars": "groups"}
"""What the stages count, where that is not pictures."""


class Looking(NamedTuple):
    """What was asked for: where, and what counts."""

    where: Sequence[str]
    references: Sequence[str]
    within: float | None
    keep: Keep
    include_edited: bool
    similar: bool
    exact_only: bool
    model: str | None


def show_duplicates(asked: Looking, *, json: bool, html: str | None, plan: str | None, check: bool) -> int:
    """Does it, and gives the exit code."""
    if asked.within is not None:
        require_distance(asked.within)
    require_writable(html, plan)
    _require_each_once(asked)
    with ExitStack() as opened:
        collections = [_open(opened, place, asked.model, check=check) for place in asked.where]
        references = [_open(opened, place, asked.model, check=check) for place in asked.references]
        found = _find(collections, references, asked)
        if html is not None:  # before the list, whose reader may go away: dedupe … | head
            from lookalike.cli.groups_page import write_groups

            write_groups(html, [*collections, *references], found)
        if plan is not None:
            write_plan(plan, collections, found, references=references)
        (print_groups if json else list_groups)(found)
        flush()
    if html is not None:
        note(f"page written to {html}")
    if plan is not None:
        note(
            f"plan written to {plan}, a text that you may edit; act on it with: "
            f"lookalike dedupe --apply {quote(plan)} --move-to DIR"
        )
    note(summary(found) if found.groups else f"no copies among the pictures in {', '.join(asked.where)}")
    return 0 if found.groups else 1


def _find(collections: Sequence[Collection], references: Sequence[Collection], asked: Looking) -> Belongings:
    """The groups, with what belongs to their files; told while it goes on."""
    with ExitStack() as shown:
        bars: dict[str, Bar] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                for bar in bars.values():
                    bar.hide()
                bars[stage] = shown.enter_context(Bar(stage, _THINGS.get(stage, "pictures")))
            bars[stage].show(done, total)

        duplicates = find_duplicates(
            collections,
            WITHIN if asked.within is None else asked.within,
            keep=asked.keep,
            exact_only=asked.exact_only,
            include_edited=asked.include_edited,
            similar=asked.similar,
            references=references,
            progress=progress,
        )
        found = belongings(
            duplicates.groups,
            exchange=asked.keep == "largest",
            progress=lambda done, total: progress("looking for sidecars", done, total),
        )
    _tell_comparison(duplicates.comparison)
    return found


def _tell_comparison(comparison: Comparison) -> None:
    if comparison.compared:
        note(
            f"{counted(comparison.compared, 'pair')} of pictures compared as a whole in {comparison.seconds:.0f} s, "
            f"{comparison.compared / max(comparison.seconds, 1e-3):.1f} pairs/s"
            + (f"; {comparison.remembered:,} had been before" if comparison.remembered else "")
        )
    if comparison.failed:
        note(f"{counted(len(comparison.failed), 'pair')} could not be compared, and are taken for different:")
        for path, reason in comparison.failed[:_LISTED]:
            note(f"  {short(path)}: {reason}")
        if len(comparison.failed) > _LISTED:
            note(f"  … and {len(comparison.failed) - _LISTED:,} more")


def _open(opened: ExitStack, place: str, model: str | None, *, check: bool) -> Collection:
    collection = opened.enter_context(Collection.open(place, **model_options(model, None, False, "cpu")))
    if check:
        sync(collection, asked_for=False)
    elif len(collection) == 0:
        raise NoPicturesError(f"nothing is indexed in {place} yet; leave out --no-check")
    return collection


def _require_each_once(asked: Looking) -> None:
    seen: set[str] = set()
    for place in (*asked.where, *asked.references):
        if (real := os.path.realpath(place)) in seen:
            raise ArgumentError(
                f"expected each folder once, received {place} again; name it as WHERE or by --reference"
            )
        seen.add(real)
