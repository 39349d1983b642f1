"""What `lookalike dedupe --apply` and `--undo` do, and what they say."""

from __future__ import annotations

import os
import sys
from shlex import quote

from lookalike.cli.bar import Bar
from lookalike.cli.errors import Interrupted
from lookalike.cli.output import counted, flush, print_line, short, size
from lookalike.cli.syncing import note
from lookalike.dedupe import (
    Links,
    Moves,
    Outcome,
    carry_out_links,
    carry_out_moves,
    give_back,
    plan_links,
    plan_moves,
    read_plan,
    take_back,
)
from lookalike.errors import ArgumentError, LookalikeError
from lookalike.names import visible

_LISTED = 20  # files left alone that are named one by one


def apply_plan(plan: str, to: str | None, *, hard_link: bool, yes: bool) -> int:
    """Says what a plan would do, asks, does it, and gives the exit code: 1 if nothing was done."""
    if (to is None) is not hard_link:
        raise ArgumentError(
            f"expected one of --move-to DIR and --hard-link with --apply {plan}, "
            f"received {'both' if hard_link else 'none'}"
        )
    read, undo_file, outcome = read_plan(plan), _free_name(plan), Outcome()
    steps = plan_links(read, outcome) if to is None else plan_moves(read, to, outcome)
    what = "made second names of the same file" if to is None else f"moved to {to}"
    told = _tell_left(outcome)
    if steps.steps:
        _tell_steps(steps, what)
        if not yes and not _confirmed(plan):
            note("nothing was done")
            return 1
    cure = f"take it back with: lookalike dedupe --undo {quote(undo_file)}"
    try:
        with Bar("linking" if hard_link else "moving") as bar:
            if isinstance(steps, Links):
                carry_out_links(steps, undo_file, outcome, bar.show)
            else:
                carry_out_moves(steps, undo_file, outcome, bar.show)
    except KeyboardInterrupt:
        if not os.path.lexists(undo_file):
            raise
        raise Interrupted(f"interrupted; {_done(outcome)} {what}; {cure}") from None
    _print(f"{_done(outcome)} {what}")
    _tell_left(outcome, told)
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
        raise Interrupted(f"interrupted; {_done(outcome)} restored, the same command goes on") from None
    _print(f"{_done(outcome)} restored")
    _tell_left(outcome)
    try:
        with Bar() as bar:
            described = give_back(file, bar.show)
    except LookalikeError as error:
        note(f"what was known of them was not given back: {error}; then run this once more")
        return 2
    if described:
        note(f"facts given back to {counted(described, 'picture')}")
    return 0 if outcome.done or described else 1


def _tell_steps(steps: Moves | Links, what: str) -> None:
    """How many files of which kinds are touched, with their bytes."""
    if isinstance(steps, Links):
        pictures, beside = [link.file for _, link, _ in steps.steps], []
    else:
        pictures = [aside.file for _, aside in steps.steps]
        beside = [file for _, aside in steps.steps for file in aside.companions]
    note(f"to be {what}:")
    for remark, files in (("", pictures), (" beside them", beside)):
        kinds: dict[str, list[int]] = {}
        for file in files:
            kinds.setdefault(file.kind or "without a kind in the plan", []).append(file.size)
        for kind, sizes in kinds.items():
            note(f"  {len(sizes):>6,}  {kind + remark:<40}  {size(sum(sizes)):>9}")
    every = [*pictures, *beside]
    note(f"  {len(every):>6,}  {'files in all':<40}  {size(sum(file.size for file in every)):>9}")


def _confirmed(plan: str) -> bool:
    """Whether a person says yes. ArgumentError where there is none to be asked."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise ArgumentError(
            f"expected an answer from a terminal, received none: nothing was done; read {plan}, and do it with --yes"
        )
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _done(outcome: Outcome) -> str:
    """How many files were touched, with their bytes."""
    beside = f" and {counted(outcome.beside, 'file')} beside them" if outcome.beside else ""
    return f"{counted(outcome.done, 'picture')}{beside} ({size(outcome.bytes)})"


def _print(sentence: str) -> None:
    print_line(visible(sentence))
    flush()


def _tell_left(outcome: Outcome, told: int = 0) -> int:
    """What was left alone since the first so many; how many there are by now."""
    left = outcome.left[told:]
    if left:
        note(f"{len(left):,} left alone:")
    for path, reason in left[:_LISTED]:
        note(f"  {short(path)}: {reason}")
    if len(left) > _LISTED:
        note(f"  … and {len(left) - _LISTED:,} more")
    return len(outcome.left)


def _free_name(plan: str) -> str:
    """A name beside the plan for its undo file."""
    stem, suffix = os.path.splitext(plan)
    number = 1
    while os.path.lexists(name := f"{stem}.undo{'' if number == 1 else f'-{number}'}{suffix}"):
        number += 1
    return name
