"""python -m tests.dedupe.pairs: makes hard pairs, asks what they are, prints the table of docs/dedupe.md."""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from . import end_to_end
from .copies import SIBLINGS, set_siblings
from .judge import by_pixels
from .pair import SORTS, Sort
from .sources import missing
from .table import Row, chosen_sorts, line, measured, pairs_of, table


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    sorts = chosen_sorts(asked.only)
    if not sorts:
        print(f"expected the name of a sort of pairs or a part of one, received {asked.only!r}", file=sys.stderr)
        return 2
    absent = missing()
    if absent:
        print(f"without the pictures of {', '.join(absent)}, which are not installed", file=sys.stderr)
    if asked.keep:
        asked.keep.mkdir(parents=True, exist_ok=True)
    if asked.make:
        set_siblings(asked.siblings)
        asked.make.mkdir(parents=True, exist_ok=True)
        return _make(sorts, asked)
    with ProcessPoolExecutor(asked.processes, initializer=set_siblings, initargs=(asked.siblings,)) as pool:
        numbers = _numbers(sorts, asked.different, asked.copies)
        waiting = [pool.submit(_row, SORTS.index(sort), number, asked) for sort, number in numbers]
        rows: list[Row] = []
        for done in waiting:
            rows.append(done.result())
            row = rows[-1]
            print(line(row.name, [row]), file=sys.stderr, flush=True)  # of use where it is interrupted
    print("\n".join(table(rows)))
    pairs, seconds = sum(row.pairs for row in rows), sum(row.seconds for row in rows)
    of_what = "of lookalike dedupe" if asked.end_to_end else "of one core"
    rate = f"{pairs / max(seconds, 1e-9):.1f} in a second {of_what}"
    print(f"\n{pairs} pairs of the part {asked.part}, seed {asked.seed}: {rate}")
    for besides in [two for row in rows for two in row.besides]:
        print(f"proposed besides: {' and '.join(besides)}")
    return 0


def _row(sort: int, number: int, asked: argparse.Namespace) -> Row:
    """The row of one sort, in a process of its own; a function cannot be sent there, its place in the list can."""
    with tempfile.TemporaryDirectory() as folder:
        place, sorts = Path(folder), [SORTS[sort]]
        if asked.end_to_end:
            (row,) = end_to_end.measured(sorts, number, asked.part, asked.seed, place, asked.keep)
        else:
            (row,) = measured(sorts, number, asked.part, asked.seed, by_pixels, place, asked.keep)
    return row


def _make(sorts: list[Sort], asked: argparse.Namespace) -> int:
    """The files alone, to look at."""
    for sort, number in _numbers(sorts, asked.different, asked.copies):
        for (name, pair), _ in zip(pairs_of(sort, asked.part, asked.seed), range(number), strict=False):
            for file, letter in zip((pair.one, pair.other), "ab", strict=True):
                (asked.make / f"{sort.name} {name} {letter}{file.suffix}".replace("/", "_")).write_bytes(file.data)
    return 0


def _numbers(sorts: list[Sort], different: int, copies: int) -> list[tuple[Sort, int]]:
    """How many pairs of each sort, so that each has as many and the sums are at least what was asked for."""
    wanted = {False: different, True: copies}
    sorts = [sort for sort in sorts if wanted[sort.copies]]
    counts = {are: sum(sort.copies == are and sort.counted for sort in sorts) or 1 for are in (False, True)}
    return [(sort, math.ceil(wanted[sort.copies] / counts[sort.copies])) for sort in sorts]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.dedupe.pairs", description=__doc__)
    parser.add_argument("--different", type=int, default=2000, metavar="N", help="how many pairs of different pictures")
    parser.add_argument("--copies", type=int, default=1000, metavar="N", help="how many pairs of true copies")
    parser.add_argument("--part", choices=("held-out", "tuning", "all"), default="held-out", help="which sources")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--siblings",
        type=float,
        default=SIBLINGS,
        metavar="SHARE",
        help="of the copies that are not made of what the original's file shows, but of the same picture as that file",
    )
    parser.add_argument("--only", metavar="NAME", help="the sorts of pairs whose name holds this")
    parser.add_argument(
        "--processes", type=int, default=1, metavar="N", help="how many processes judge beside each other"
    )
    parser.add_argument("--end-to-end", action="store_true", help="index the files, and ask lookalike dedupe")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where pairs stay that were not named rightly")
    parser.add_argument("--make", type=Path, metavar="DIR", help="make the files there, and judge nothing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
