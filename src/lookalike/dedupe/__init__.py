"""Look-alikes among the pictures of one collection: found as groups, then set aside in a way that can be undone.

files.py   the files that may be compared: what is on the disk now
near.py    which vectors are within a distance of which, through the index
groups.py  the groups, and which file of each is kept
plan.py    the groups as a file that may be read, cut down and applied
undo.py    the undo file, and how it is obeyed; given.py: the facts in it
check.py   whether a file is still the one that was planned for
apply.py   what is done with a plan; move.py and link.py are its two kinds of steps, outcome.py what became of them
disk.py    renames that overwrite nothing, files that outlast a power cut
"""

from __future__ import annotations

from lookalike.dedupe.apply import link_copies, move_others
from lookalike.dedupe.groups import KEEP, WITHIN, Group, Keep, Other, find_groups
from lookalike.dedupe.outcome import Left, Outcome
from lookalike.dedupe.plan import Plan, group_fields, read_plan, write_plan
from lookalike.dedupe.undo import give_back, take_back

__all__ = [
    "KEEP",
    "WITHIN",
    "Group",
    "Keep",
    "Left",
    "Other",
    "Outcome",
    "Plan",
    "find_groups",
    "give_back",
    "group_fields",
    "link_copies",
    "move_others",
    "read_plan",
    "take_back",
    "write_plan",
]
