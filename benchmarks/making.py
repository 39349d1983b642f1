"""What the makers of data sets share: their arguments, their progress, and the last step."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lookalike.bench.datasets import Dataset, Queries, save
from lookalike.bench.truth import Distance, Vectors, exact_neighbors


def arguments(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="the HDF5 file to write")
    parser.add_argument("--work", type=Path, default=Path("bench-work"), help="folder for what is fetched and kept")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same file")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    return given


def write(output: Path, distance: Distance, base: Vectors, test: Vectors, tune: Vectors) -> None:
    """Finds the exact neighbours of both sets of queries, and writes the file."""
    queries = []
    for name, vectors in [("test", test), ("tune", tune)]:
        say(f"exact neighbours of {len(vectors):,} queries ({name}) among {len(base):,} × {base.shape[1]}")
        queries.append(Queries(vectors, *exact_neighbors(base, vectors, distance, progress=progress(len(vectors)))))
    save(output, Dataset(output.stem, distance, base, *queries))
    say(f"{output}: {output.stat().st_size:,} bytes")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def progress(total: int, every: float = 10) -> Callable[[int], None]:
    """A function to be told how much is done; it says so now and then."""
    last = time.monotonic()

    def report(done: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > every:
            last = time.monotonic()
            say(f"  {done:,} of {total:,}")

    return report
