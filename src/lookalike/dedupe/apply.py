"""Doing what a plan says: the others of each group are moved, or become second names of the same file.

The undo file is written first, whole and durable, with every step that may be taken; how far they were taken is seen
on the disk. So a kill at any instant can be undone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from lookalike.collection import Progress
from lookalike.dedupe.check import Keeper
from lookalike.dedupe.link import describe, make_link
from lookalike.dedupe.move import move, require_free
from lookalike.dedupe.outcome import Outcome
from lookalike.dedupe.plan import Plan, Planned
from lookalike.dedupe.undo import write_links, write_moves
from lookalike.errors import ArgumentError, WriteError

T = TypeVar("T")


def move_others(plan: Plan, to: str, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Move the others of each group to the same paths below `to`, and count them in `outcome` as it goes.

    A file that has changed since the plan was made is left alone, and so is a group whose keeper has; a name that is
    taken in `to` is not touched.

    Raises:
        ArgumentError: `to` lies among the pictures, where they would be found again.
        WriteError: `to` or the undo file cannot be written, or the undo file is there already; nothing was done.
    """
    target = _folder_for(plan, to)
    steps = []
    for keeper, others in plan.groups:
        kept = Keeper(os.path.join(plan.folder, keeper.path), keeper)
        for other in others:
            with outcome.step(os.path.join(plan.folder, other.path)):
                require_free(other, target)
                steps.append((kept, other))
    write_moves(undo_file, plan, target, [other for _, other in steps])
    for kept, other in _told(steps, progress):
        with outcome.step(os.path.join(plan.folder, other.path)):
            kept.require()
            move(other, plan.folder, target)
            outcome.count(other.size)


def link_copies(plan: Plan, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Make the byte-identical files of each group one file with several names, and count them in `outcome` as it goes.

    What is only alike is left alone without a word, what has changed with one.

    Raises:
        WriteError: the undo file cannot be written, or is there already; nothing was done.
    """
    steps = []
    for source, copies in _identical(plan):
        kept = Keeper(os.path.join(plan.folder, source.path), source)
        for copy in copies:
            with outcome.step(os.path.join(plan.folder, copy.path)):
                steps.append((kept, *describe(copy, source, plan.folder)))
    write_links(undo_file, plan.folder, [link for _, link, _ in steps])
    for kept, link, before in _told(steps, progress):
        with outcome.step(os.path.join(plan.folder, link.file.path)):
            make_link(link, before, kept, plan.folder)
            outcome.count(link.file.size)


def _told(steps: Sequence[T], progress: Progress | None) -> Iterator[T]:
    """The steps, with what is done told after each."""
    for done, step in enumerate(steps, 1):
        yield step
        if progress:
            progress(done, len(steps))


def _folder_for(plan: Plan, to: str) -> str:
    """The folder to move to, which is made."""
    target, folder = os.path.abspath(to), os.path.realpath(plan.folder)
    below = os.path.relpath(os.path.realpath(target), folder)
    if below.split("/")[0] != ".." and not any(name.startswith(".") for name in below.split("/") if name != "."):
        raise ArgumentError(
            f"expected a folder to move to that is not among the pictures in {plan.folder}, received {to}, where they "
            "would be found again; name one outside it, or one that begins with a dot"
        )
    try:
        os.makedirs(target, exist_ok=True)
    except OSError as error:
        raise WriteError(
            error.errno, f"expected to make the folder {to}, received {error.strerror!r}; name another"
        ) from error
    return target


def _identical(plan: Plan) -> Iterator[tuple[Planned, Sequence[Planned]]]:
    """The files of each group that are the same byte for byte: the first, and its copies."""
    for keeper, others in plan.groups:
        same: dict[str, list[Planned]] = {}
        for file in (keeper, *others):
            same.setdefault(file.sha256, []).append(file)
        yield from ((files[0], files[1:]) for files in same.values() if len(files) > 1)
