"""Doing what a plan says: the others of each group are moved, or become second names of the same file.

The undo file is written first, whole and durable, with every step that may be taken; how far they were taken is seen
on the disk. So a kill at any instant can be undone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from lookalike.collection import Progress
from lookalike.dedupe.check import Keeper, LeftAlone
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
        ArgumentError: `to` is empty, or lies among the pictures, where they would be found again, or on another file
            system than all of them.
        DamagedError: the collection is; the facts that it knows of the pictures cannot be kept.
        WriteError: `to` or the undo file cannot be written, or the undo file is there already; nothing was done.
    """
    target = _folder_for(plan, to)
    steps = []
    for keeper, others in plan.groups:
        kept = Keeper(os.path.join(plan.folder, keeper.path), keeper)
        for other in others:
            with outcome.step(os.path.join(plan.folder, other.path)):
                _require_no_source(plan, other)
                require_free(other, target)
                steps.append((kept, other))
    if not steps:
        return
    write_moves(undo_file, plan, target, [other for _, other in steps])
    before = outcome.done
    for kept, other in _told(steps, progress):
        with outcome.step(os.path.join(plan.folder, other.path)):
            kept.require()
            move(other, plan.folder, target)
            outcome.count(other.size)
    if outcome.done == before:
        os.unlink(undo_file)  # there is nothing to undo


def link_copies(plan: Plan, undo_file: str, outcome: Outcome, progress: Progress | None = None) -> None:
    """Make the byte-identical files of each group one file with several names, and count them in `outcome` as it goes.

    What is only alike is left alone without a word, what has changed with one. A file that has another owner, group or
    mode than the one kept is left alone: it would lose them. Its time of change it loses; `--undo` gives it back.

    Raises:
        WriteError: the undo file cannot be written, or is there already; nothing was done.
    """
    steps = []
    for source, copies in _identical(plan):
        kept = Keeper(os.path.join(plan.folder, source.path), source)
        for copy in copies:
            with outcome.step(os.path.join(plan.folder, copy.path)):
                steps.append((kept, *describe(copy, source, plan.folder)))
    if not steps:
        return
    write_links(undo_file, plan.folder, [link for _, link, _ in steps])
    before = outcome.done
    for kept, link, status in _told(steps, progress):
        with outcome.step(os.path.join(plan.folder, link.file.path)):
            make_link(link, status, kept, plan.folder)
            outcome.count(link.file.size)
            outcome.retimed += link.file.mtime_ns != kept.planned.mtime_ns
    if outcome.done == before:
        os.unlink(undo_file)


def _told(steps: Sequence[T], progress: Progress | None) -> Iterator[T]:
    """The steps, with what is done told after each."""
    for done, step in enumerate(steps, 1):
        yield step
        if progress:
            progress(done, len(steps))


def _folder_for(plan: Plan, to: str) -> str:
    """The folder to move to, which is made."""
    if not to:
        raise ArgumentError("expected a folder to move to, received an empty name; name one")
    target = os.path.abspath(to)
    for source in plan.sources:
        below = os.path.relpath(os.path.realpath(target), os.path.realpath(source)).split("/")
        if below[0] != ".." and not any(name.startswith(".") for name in below if name != "."):
            raise ArgumentError(
                f"expected a folder to move to that is not among the pictures in {source}, received {to}, where they "
                "would be found again; name one outside it, or one that begins with a dot"
            )
    _require_one_file_system(plan, to, target)
    try:
        os.makedirs(target, exist_ok=True)
    except OSError as error:
        raise WriteError(
            error.errno, f"expected to make the folder {to}, received {error.strerror!r}; name another"
        ) from error
    return target


def _require_no_source(plan: Plan, file: Planned) -> None:
    """LeftAlone for a source: where it is missing its picture is kept, as one whose disk is away."""
    if os.path.join(plan.folder, file.path) in plan.sources:
        raise LeftAlone("it was given to be indexed by its own name, and would be missed")


def _require_one_file_system(plan: Plan, to: str, target: str) -> None:
    """ArgumentError where no file could be moved there by a rename; where some can, the others are left alone."""
    while not os.path.isdir(target) and target != os.path.dirname(target):
        target = os.path.dirname(target)
    # folders are asked, for a file's own number is another one on some file systems made of layers
    paths = (os.path.join(plan.folder, other.path) for _, others in plan.groups for other in others)
    devices = {os.stat(folder).st_dev for folder in {os.path.dirname(path) for path in paths} if os.path.isdir(folder)}
    if devices and os.stat(target).st_dev not in devices:
        raise ArgumentError(
            f"expected a folder on the file system of the pictures in {plan.folder}, received {to} on another; name "
            "one on theirs, from which they may then be copied"
        )


def _identical(plan: Plan) -> Iterator[tuple[Planned, Sequence[Planned]]]:
    """The files of each group that are the same byte for byte: the first, and its copies."""
    for keeper, others in plan.groups:
        same: dict[str, list[Planned]] = {}
        for file in (keeper, *others):
            same.setdefault(file.sha256, []).append(file)
        yield from ((files[0], files[1:]) for files in same.values() if len(files) > 1)
