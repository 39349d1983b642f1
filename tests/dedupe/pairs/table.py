"""Makes pairs, asks what they are, and counts the answers in a table."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import get_args

from lookalike.images.compare.verdict import Kind, Verdict

from . import attacks, copies, figures, lossy, paper, plain, scenes, screens  # noqa: F401 - they list what they make
from .pair import SORTS, Pair, Sort, holds, proposed
from .sources import Part, drawn_numbers, sources

Judge = Callable[[str, str], Verdict]
"""Says of two paths what the pictures there have in common."""

KINDS: tuple[Kind, ...] = get_args(Kind)
_COLUMNS = ("pairs", *KINDS, "proposed", "with `--include edited`", "rightly named", "box holds the edit")


def pairs_of(sort: Sort, part: Part, seed: int) -> Iterator[tuple[str, Pair]]:
    """Pairs of one sort and a name for each, the same at every call; ends where 50 attempts running make none.

    The sources take turns, from another one on for each sort and seed.
    """
    given = [] if sort.material == "drawn" else sources(sort.material, part)
    if sort.material != "drawn" and not given:
        return
    first = Random(f"{seed} {sort.name}").randrange(len(given)) if given else 0
    failed = 0
    for number in drawn_numbers(sort.name, part) if sort.material == "drawn" else count():
        source = given[(first + number) % len(given)] if given else None
        pair = sort.make(Random(f"{seed} {sort.name} {number}"), source)
        failed = 0 if pair else failed + 1
        if pair:
            yield f"{number:05} {source.name if source else ''}".strip(), pair
        elif failed == 50:
            return


@dataclass
class Row:
    """What was said of the pairs of one sort.

    Attributes:
        seconds: that judging took, of one core.
        besides: files of different pairs that were proposed as copies of each other, end to end.
    """

    name: str
    copies: bool
    targeted: bool = True
    verdicts: Counter[Kind] = field(default_factory=Counter)
    pairs: int = 0
    proposed: int = 0
    with_edited: int = 0
    named: int = 0
    held: int = 0
    seconds: float = 0.0
    besides: list[list[str]] = field(default_factory=list)

    def count(self, pair: Pair, verdict: Verdict) -> bool:
        """Counts one pair; whether it was named rightly."""
        self.pairs += 1
        self.verdicts[verdict.kind] += 1
        self.proposed += proposed(verdict)
        self.with_edited += proposed(verdict, edited=True)
        right = pair.named(verdict)
        self.named += right
        self.held += pair.edit is not None and holds(verdict.region, pair.edit)
        return right


def measured(
    sorts: Iterable[Sort], number: int, part: Part, seed: int, judge: Judge, place: Path, keep: Path | None
) -> Iterator[Row]:
    """One row a sort, each of up to `number` pairs, which lie in `place` while they are judged.

    keep: a folder in which the pairs stay that were not named rightly, with what was said in the name.
    """
    for sort in sorts:
        row = Row(sort.name, sort.copies, sort.counted)
        for name, pair in islice(pairs_of(sort, part, seed), number):
            paths = written(pair, place, f"{sort.name} {name}")
            began = time.process_time()
            verdict = judge(*paths)
            row.seconds += time.process_time() - began
            counted(row, name, pair, paths, verdict, keep)
        yield row


def counted(row: Row, name: str, pair: Pair, paths: tuple[str, str], verdict: Verdict, keep: Path | None) -> None:
    """Counts what was said of a pair, and removes its files, or moves them to `keep` where that was wrong."""
    right = row.count(pair, verdict)
    for path, letter in zip(paths, "ab", strict=True):
        if keep and not right:
            said = f"{row.name} {name} {' '.join((verdict.kind, *verdict.changes))} {letter}{Path(path).suffix}"
            shutil.move(path, keep / said.replace("/", "_"))
        else:
            os.unlink(path)


def written(pair: Pair, place: Path, name: str) -> tuple[str, str]:
    """Writes the two files; their paths."""
    paths = []
    for file, letter in zip((pair.one, pair.other), "ab", strict=True):
        path = place / f"{name} {letter}{file.suffix}".replace("/", "_")
        path.write_bytes(file.data)
        paths.append(str(path))
    return paths[0], paths[1]


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of Markdown: different pairs, then copies, each with a sum; what is not counted stands below its sum."""
    rows = list(rows)
    for are_copies, title in ((False, "different pictures"), (True, "true copies")):
        chosen = [row for row in rows if row.copies == are_copies]
        if not chosen:
            continue
        yield ""
        yield f"| {title} | {' | '.join(_COLUMNS)} |"
        yield "|---" * (len(_COLUMNS) + 1) + "|"
        counted = [row for row in chosen if row.targeted]
        yield from (line(row.name, [row]) for row in counted)
        yield line("**all**", counted)
        yield from (line(f"beyond the targets: {row.name}", [row]) for row in chosen if not row.targeted)


def line(name: str, rows: list[Row]) -> str:
    """A line of the table: what was said in all of these rows."""
    pairs = sum(row.pairs for row in rows)
    if not pairs:
        return f"| {name} | 0 |" + " |" * (len(_COLUMNS) - 1)
    kinds = [str(sum(row.verdicts[kind] for row in rows) or "") for kind in KINDS]
    edits = sum(row.pairs for row in rows if row.name.startswith("edited"))
    cells = [str(pairs), *kinds, str(sum(row.proposed for row in rows)), str(sum(row.with_edited for row in rows))]
    cells.append(f"{100 * sum(row.named for row in rows) / pairs:.1f} %")
    cells.append(f"{100 * sum(row.held for row in rows) / edits:.0f} %" if edits else "")
    return f"| {name} | {' | '.join(cells)} |"


def chosen_sorts(only: str | None = None) -> list[Sort]:
    """All sorts, or those whose name holds `only`."""
    return [sort for sort in SORTS if only is None or only in sort.name]
