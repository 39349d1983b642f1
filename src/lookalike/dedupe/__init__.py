"""Copies among the pictures of collections: found as groups, then set aside in a way that can be undone.

files.py       the files that may be compared: what is on the disk now
candidates.py  which pairs may be copies, by near.py (through an index) and likeness.py (by thumbnails)
verify.py      what the whole pictures of a pair have in common, decided once and remembered
groups.py      the groups, and which file of each is kept; joining.py makes them of pairs; group.py is what one is,
               kinds.py says the kinds of copies
companions.py  what belongs to a picture: sidecars, halves of pairs; belongings.py: what follows for what is proposed
plan.py        a plan, as a person reads and edits it; planning.py writes it; quoting.py: the names in it
apply.py       what is done with a plan; move.py and link.py are its two kinds of steps, outcome.py what became of them
target.py      the folder to move to
check.py       whether a file is still the one that was planned for
undo.py        the undo file, and how it is obeyed; given.py: the facts in it; lines.py: its form
disk.py        renames that overwrite nothing, files that outlast a power cut
"""

from __future__ import annotations

from lookalike.dedupe.apply import (
    Links,
    Moves,
    carry_out_links,
    carry_out_moves,
    link_copies,
    move_others,
    plan_links,
    plan_moves,
)
from lookalike.dedupe.belongings import Belongings, belongings
from lookalike.dedupe.group import Group, Kind, Other
from lookalike.dedupe.groups import KEEP, WITHIN, Duplicates, Keep, find_duplicates
from lookalike.dedupe.outcome import Left, Outcome
from lookalike.dedupe.plan import Plan, read_plan
from lookalike.dedupe.planning import write_plan
from lookalike.dedupe.undo import give_back, take_back

__all__ = [
    "KEEP",
    "WITHIN",
    "Belongings",
    "Duplicates",
    "Group",
    "Keep",
    "Kind",
    "Left",
    "Links",
    "Moves",
    "Other",
    "Outcome",
    "Plan",
    "belongings",
    "carry_out_links",
    "carry_out_moves",
    "find_duplicates",
    "give_back",
    "link_copies",
    "move_others",
    "plan_links",
    "plan_moves",
    "read_plan",
    "take_back",
    "write_plan",
]
