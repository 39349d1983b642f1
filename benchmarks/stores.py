"""Half the memory: recall and queries/s by how an index keeps its vectors.

    python benchmarks/stores.py data/sift.hdf5

float32, float16 and none (8 bits a dimension only) take turns at every setting of `recall=`. Bytes are those of the
saved file. Recall is against the exact neighbours of the vectors as they were given, whatever a store keeps of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lookalike.bench.competitors.ours import Lookalike
from lookalike.bench.machine import machine
from lookalike.bench.plot import draw
from lookalike.bench.report import TARGETS, markdown, rate_at
from lookalike.bench.results import MODES, Outcome, Results
from lookalike.index.store import Store
from making import say
from sweeping import Entry, Plan, arguments, heading, opened, recall_of, sweep

STORES: tuple[Store, ...] = ("float32", "float16", "none")


def file_bytes(competitor: Lookalike) -> int:
    """How long the file of its index is."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "index")
        competitor.index.save(path)
        return os.path.getsize(path)


def table(outcomes: Sequence[Outcome], sizes: Sequence[float]) -> str:
    """One row for each store."""
    titles = [f"{mode} {target:.2f}" for mode in MODES for target in TARGETS]
    rows = [["store", "bytes a vector", "found, asked 0.95", "most found", *titles]]
    for outcome, size in zip(outcomes, sizes, strict=True):
        rates = [rate_at(outcome.points(mode), target) for mode in MODES for target in TARGETS]
        asked = next(point for point in outcome.single if point.setting["recall"] == 0.95)
        most = max(point.recall for point in outcome.single)
        cells = [f"{size:,.0f}", f"{asked.recall:.3f}", f"{most:.4f}", *(str(rate or "–") for rate in rates)]
        rows.append([outcome.name, *cells])
    return markdown(rows)


def main(words: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--plot", type=Path, default=Path("bench-results/stores.png"))
    given = parser.parse_args(words)
    data = opened(given)
    queries = data.test.vectors
    found = recall_of(data.base, queries, data.distance, given.k)
    entries, sizes = dict[str, Entry](), list[float]()
    for store in STORES:
        competitor = Lookalike(store)
        competitor.build(data.base, data.distance, threads=0)
        sizes.append(file_bytes(competitor) / len(data.base))
        say(f"{store}: built, {sizes[-1]:.0f} bytes a vector")
        entries[store] = Entry(competitor, found)
    plan = Plan(given.k, given.rounds, given.processor)
    single, batch = (sweep(entries, queries, plan, mode) for mode in MODES)
    outcomes = [Outcome(store, single=single[store], batch=batch[store]) for store in STORES]
    print(f"{heading(data, given)}\n\n{table(outcomes, sizes)}")
    given.plot.parent.mkdir(parents=True, exist_ok=True)
    count, dim = data.base.shape
    asked = len(queries), given.k, given.rounds
    draw(Results(f"{data.name} by store", data.distance, count, dim, *asked, 1, machine(), outcomes), given.plot)
    say(f"drawn in {given.plot}")


if __name__ == "__main__":
    main()
