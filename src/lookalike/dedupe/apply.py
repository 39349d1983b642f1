"""Doing what a plan says: the others of each group are moved, or become second names of the same file.

The undo file is written first, whole and durable, with every step that may be taken; how far they were taken is seen
on the disk. So a kill at any instant can be undone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lookalike.collection import Progress
from lookalike.dedupe.check import Keeper, LeftAlone
from lookalike.dedupe.companions import Companions
from lookalike.dedupe.link import Link, describe, make_link
from lookalike.dedupe.move import look, move, require_free
from lookalike.dedupe.outcome import Outcome
from lookalike.dedupe.plan import Aside, Plan, Planned
from lookalike.dedupe.target import make_folder, require_folder
from lookalike.dedupe.undo import write_links, write_moves

T = TypeVar("T")


@dataclass(frozen=True)
class Moves:
    """What would be moved as things are now: each picture with what belongs to it, and the file that is kept of it."""

    plan: Plan
    to: str
    steps: Sequence[tuple[Keeper, Aside]]


@dataclass(frozen=True)
class Links:
    """What would be linked as things are now."""

    plan: Plan
    steps: Sequence[tuple[Keeper, Link, os.stat_result]]


def plan_moves(plan: Plan, to: str, outcome: Outcome) -> Moves:
    """What of a plan can be moved below `to`; nothing is changed. What cannot is told in `outcome`.

    Raises:
        ArgumentError: `to` is empty, or lies among the pictures, where they would be found again, or on another file
            system than all of them.
    """
    target = require_folder(plan, to)
    steps: list[tuple[Keeper, Aside]] = []
    for group in plan.groups:
        kept = Keeper(plan.where(group.keeper), group.keeper, {plan.where(half): half for half in group.halves})
        for other in group.others:
            with outcome.step(plan.where(other.file)):
                _require_no_source(plan, other.file)
                look(other.files, plan.folder)
                kept.look()
                require_free(other.files, target)
                steps.append((kept, other))
    for alone in plan.alone:
        with outcome.step(plan.where(alone)):
            raise LeftAlone("the picture that it belongs to stays, and it stays with it")
    return Moves(plan, target, list(_whole(plan, steps, outcome)))


def carry_out_moves(moves: Moves, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Move them to the same paths below the folder, and count them in `outcome` as it goes.

    A file that has changed since the plan was made is left alone, with what belongs to it, and so is a group whose
    keeper has; a name that is taken in the folder is not touched.

    Raises:
        DamagedError: a collection is; the facts that it knows of the pictures cannot be kept.
        WriteError: the folder or the undo file cannot be written, or the undo file is there already; nothing was done.
    """
    if not moves.steps:
        return
    plan = moves.plan
    make_folder(moves.to)
    write_moves(undo_file, plan, moves.to, [other for _, other in moves.steps])
    before = outcome.done
    for kept, other in _told(moves.steps, progress):
        with outcome.step(plan.where(other.file)):
            kept.require()
            move(other.files, plan.folder, moves.to)
            for file in other.files:
                outcome.count(file.size, beside=file is not other.file)
    if outcome.done == before:
        os.unlink(undo_file)  # there is nothing to undo


def move_others(plan: Plan, to: str, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """`plan_moves`, and then `carry_out_moves`."""
    carry_out_moves(plan_moves(plan, to, outcome), undo_file, outcome, progress)


def plan_links(plan: Plan, outcome: Outcome) -> Links:
    """Which byte-identical files of the groups can be made one file with several names; nothing is changed.

    What is only alike is left alone without a word, what has changed with one. A file that has another owner, group or
    mode than the one kept is left alone: it would lose them.
    """
    steps: list[tuple[Keeper, Link, os.stat_result]] = []
    for source, copies in _identical(plan):
        kept = Keeper(plan.where(source), source)
        for copy in copies:
            with outcome.step(plan.where(copy)):
                steps.append((kept, *describe(copy, source, plan.folder)))
    return Links(plan, steps)


def carry_out_links(links: Links, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Make the links, and count them in `outcome` as it goes. A file's time of change is lost; `--undo` gives it back.

    Raises:
        WriteError: the undo file cannot be written, or is there already; nothing was done.
    """
    if not links.steps:
        return
    plan = links.plan
    write_links(undo_file, plan.folder, [link for _, link, _ in links.steps])
    before = outcome.done
    for kept, link, status in _told(links.steps, progress):
        with outcome.step(plan.where(link.file)):
            make_link(link, status, kept, plan.folder)
            outcome.count(link.file.size)
            outcome.retimed += link.file.mtime_ns != kept.planned.mtime_ns
    if outcome.done == before:
        os.unlink(undo_file)


def link_copies(plan: Plan, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """`plan_links`, and then `carry_out_links`."""
    carry_out_links(plan_links(plan, outcome), undo_file, outcome, progress)


def _told(steps: Sequence[T], progress: Progress | None) -> Iterator[T]:
    """The steps, with what is done told after each."""
    for done, step in enumerate(steps, 1):
        yield step
        if progress:
            progress(done, len(steps))


def _whole(plan: Plan, steps: Sequence[tuple[Keeper, Aside]], outcome: Outcome) -> Iterator[tuple[Keeper, Aside]]:
    """The steps without companions that belong to a picture which stays as well: these stay with that."""
    beside = Companions()
    moved = {plan.where(file) for _, other in steps for file in other.files}
    for kept, other in steps:
        going = []
        for companion in other.companions:
            with outcome.step(plan.where(companion)):
                if stays := beside.stay_with(plan.where(companion), moved.__contains__):
                    raise LeftAlone(f"it belongs to {stays}, too, which stays")
                going.append(companion)
        yield kept, Aside(other.file, going)


def _require_no_source(plan: Plan, file: Planned) -> None:
    """LeftAlone for a source: where it is missing its picture is kept, as one whose disk is away."""
    if plan.where(file) in plan.sources:
        raise LeftAlone("it was given to be indexed by its own name, and would be missed")


def _identical(plan: Plan) -> Iterator[tuple[Planned, Sequence[Planned]]]:
    """The files of each group that are the same byte for byte: the first, and its copies."""
    for group in plan.groups:
        same: dict[str, list[Planned]] = {}
        for file in (group.keeper, *(other.file for other in group.others)):
            same.setdefault(file.sha256, []).append(file)
        yield from ((files[0], files[1:]) for files in same.values() if len(files) > 1)
