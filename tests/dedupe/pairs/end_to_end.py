"""The same pairs as files in folders that are indexed: what `lookalike dedupe --json` says of them.

A pair that is not among the groups was not found. The folders of pairs of one sort hold none of one source twice, so
that whatever else is proposed in them is wrong, too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter

from lookalike.images.compare.verdict import Region, Verdict

from .pair import Sort, proposed
from .sources import Part, sources
from .table import Row, counted, pairs_of, written

Told = dict[frozenset[str], Verdict]
"""What was said of the one that is kept and each other of its group, by their paths."""


def measured(
    sorts: Iterable[Sort], number: int, part: Part, seed: int, place: Path, keep: Path | None
) -> Iterator[Row]:
    """One row a sort, as `table.measured`; `seconds` are those of `lookalike dedupe`."""
    for sort in sorts:
        row = Row(sort.name, sort.copies, sort.counted)
        at_once = number if sort.material == "drawn" else len(sources(sort.material, part))
        pairs = islice(pairs_of(sort, part, seed), number)
        while batch := list(islice(pairs, max(1, at_once))):
            folder = place / "folder"
            folder.mkdir()
            paths = [written(pair, folder, f"{sort.name} {name}") for name, pair in batch]
            told, seconds = _found(folder)
            row.seconds += seconds
            for (name, pair), two in zip(batch, paths, strict=True):
                verdict = told.pop(frozenset(two), Verdict("different"))
                counted(row, name, pair, two, verdict, keep)
            row.besides += [sorted(names) for names, verdict in told.items() if proposed(verdict, edited=True)]
            shutil.rmtree(folder)
        yield row


def _found(folder: Path) -> tuple[Told, float]:
    """Indexes a folder and looks for copies in it; and how long looking took."""
    _run("index", str(folder))
    began = perf_counter()
    lines = _run("dedupe", str(folder), "--json", "--no-check").splitlines()
    seconds = perf_counter() - began
    told: Told = {}
    for group in map(json.loads, lines):
        for other in group["others"]:
            region = other["region"] and Region(**other["region"])
            verdict = Verdict(other["kind"], tuple(other["changes"]), region)
            told[frozenset((group["keeper"]["path"], other["path"]))] = verdict
    return told, seconds


def _run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "lookalike", *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"expected lookalike {arguments[0]} to end with 0 or 1, received {done.stderr}")
    return done.stdout
