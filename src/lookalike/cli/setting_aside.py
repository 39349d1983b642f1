"""What `lookalike dedupe --apply` and `--undo` do, and what they say."""

from __future__ import annotations

import os
from shlex import quote

from lookalike.cli.bar import Bar
from lookalike.cli.errors import Interrupted
from lookalike.cli.output import counted, flush, print_line, short, size
from lookalike.cli.syncing import note
from lookalike.dedupe import Outcome, give_back, link_copies, move_others, read_plan, take_back
from lookalike.errors import ArgumentError, LookalikeError
from lookalike.names import visible

_LISTED = 20  # files left alone that are named one by one


def apply_plan(plan: str, to: str | None, *, hard_link: bool) -> int:
    """Does what a plan says, and gives the exit code: 1 if there was nothing that could be done."""
    if (to is None) is not hard_link:
        raise ArgumentError(
            f"expected one of --move-to DIR and --hard-link with --apply {plan}, "
            f"received {'both' if hard_link else 'none'}"
        )
    read, undo_file, outcome = read_plan(plan), _free_name(plan), Outcome()
    cure = f"take it back with: lookalike dedupe --undo {quote(undo_file)}"
    what = "made second names of the same file" if hard_link else f"moved to {to}"
    try:
        with Bar("linking" if hard_link else "moving") as bar:
            if to is None:
                link_copies(read, undo_file, outcome, bar.show)
            else:
                move_others(read, to, undo_file, outcome, bar.show)
    except KeyboardInterrupt:
        if not os.path.lexists(undo_file):
            raise
        raise Interrupted(f"interrupted; {counted(outcome.done, 'picture')} {what}; {cure}") from None
    _tell(outcome, f"{counted(outcome.done, 'picture')} ({size(outcome.bytes)}) {what}")
    if outcome.retimed:
        note(f"{outcome.retimed:,} of them had another time of change, and have that of the one kept now")
    if outcome.done:
        note(cure)
    return 0 if outcome.done else 1


def undo_all(file: str) -> int:
    """Takes back what an undo file tells of, and gives the exit code: 1 if there was nothing to take back."""
    outcome = Outcome()
    try:
        with Bar("restoring") as bar:
            take_back(file, outcome, bar.show)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; {counted(outcome.done, 'picture')} restored, the same command goes on"
        ) from None
    _tell(outcome, f"{counted(outcome.done, 'picture')} ({size(outcome.bytes)}) restored")
    try:
        with Bar() as bar:
            described = give_back(file, bar.show)
    except LookalikeError as error:
        note(f"what was known of them was not given back: {error}; then run this once more")
        return 2
    if described:
        note(f"facts given back to {counted(described, 'picture')}")
    return 0 if outcome.done or described else 1


def _tell(outcome: Outcome, sentence: str) -> None:
    print_line(visible(sentence))
    flush()
    if outcome.left:
        note(f"{len(outcome.left):,} left alone:")
    for path, reason in outcome.left[:_LISTED]:
        note(f"  {short(path)}: {reason}")
    if len(outcome.left) > _LISTED:
        note(f"  … and {len(outcome.left) - _LISTED:,} more")


def _free_name(plan: str) -> str:
    """A name beside the plan for its undo file."""
    stem, suffix = os.path.splitext(plan)
    number = 1
    while os.path.lexists(name := f"{stem}.undo{'' if number == 1 else f'-{number}'}{suffix}"):
        number += 1
    return name
