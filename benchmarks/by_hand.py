"""What `recall=` costs beside the best numbers of probes and candidates that could be set by hand.

    python benchmarks/by_hand.py data/glove.hdf5
    python benchmarks/by_hand.py data/cnn.hdf5 --tuned         # after index.tune with the file's other queries

The hand is shown the queries: of all pairs around what `recall=` takes on average, it tries those that find as much of
these very queries. One by one, on one thread; all take turns, and the best round of each counts.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import product
from typing import Any, cast

import numpy as np

from lookalike import Index
from lookalike.bench.report import TARGETS, markdown
from lookalike.bench.truth import Vectors
from lookalike.metric import Metric
from making import say
from sweeping import Plan, RecallOf, arguments, heading, opened, recall_of

SHARES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.5, 1.8)
"""Of what `recall=` takes on average: the pairs of numbers to try."""
TIMED = 5
"""So many of those that find enough take part: those that took least in a first round."""
EXPLAINED = 500
"""So many queries tell what `recall=` takes on average."""

How = dict[str, Any]
"""Arguments of a search."""


def usual(index: Index, queries: Vectors, k: int, asked: float) -> tuple[float, float]:
    """Probes and candidates of a query on average."""
    every = [index.explain(query, k, recall=asked).stages for query in queries[:EXPLAINED]]
    counts = {stage.name: np.mean([stages[i].count for stages in every]) for i, stage in enumerate(every[0])}
    return float(counts["probe"]), float(counts["narrow"])


def seconds(index: Index, queries: Vectors, k: int, how: How, plan: Plan) -> float:
    """Of one query."""
    begin = plan.clock()
    for query in queries:
        index.search(query, k, **how)
    return (plan.clock() - begin) / len(queries)


def row(index: Index, queries: Vectors, asked: float, found_of: RecallOf, plan: Plan) -> list[str]:
    """`recall=` and the best by hand."""

    def found(how: How) -> float:
        return found_of(index.search(queries, plan.k, **how).ids)

    def taken(how: How) -> float:
        return seconds(index, queries, plan.k, how, plan)

    ours: How = {"recall": asked}
    target = found(ours)
    probes, candidates = usual(index, queries, plan.k, asked)
    if probes == 0:
        return [f"{asked:.2f}", f"{target:.3f}", f"{1e6 * taken(ours):.2f}", "every vector is compared", "", ""]
    pairs: list[How] = [
        {"probes": max(1, round(some * probes)), "rerank": max(plan.k, round(few * candidates))}
        for some, few in product(SHARES, SHARES)
    ]
    enough = sorted((how for how in pairs if found(how) >= target), key=taken)[:TIMED]
    if not enough:
        return [f"{asked:.2f}", f"{target:.3f}", f"{1e6 * taken(ours):.2f}", "none finds as much", "", ""]
    ways = [ours, *enough]
    turns = [[taken(how) for how in ways] for _ in range(plan.rounds)]
    least, *by_hand = np.min(turns, axis=0)
    which = int(np.argmin(by_hand))
    pair = ", ".join(str(value) for value in enough[which].values())
    times = [f"{1e6 * least:.2f}", pair, f"{1e6 * by_hand[which]:.2f}", f"{least / by_hand[which]:.2f}"]
    return [f"{asked:.2f}", f"{target:.3f}", *times]


def main(words: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    parser.add_argument("--tuned", action="store_true", help="after index.tune with the file's second set of queries")
    given = parser.parse_args(words)
    data = opened(given)
    if given.tuned and data.tune is None:
        sys.exit(f"{given.data}: expected a dataset called tune, since --tuned was given")
    queries = data.test.vectors
    found = recall_of(data.base, queries, data.distance, given.k)
    index = Index(data.base.shape[1], cast(Metric, data.distance))
    index.add(data.base)
    index.optimize()
    if given.tuned and data.tune is not None:
        index.tune(data.tune.vectors)
    say(f"built{', tuned' if given.tuned else ''}")
    plan = Plan(given.k, given.rounds, given.processor)
    rows = [["asked", "found", "recall=, µs", "probes, candidates by hand", "µs", "ratio"]]
    for asked in TARGETS:
        rows.append(row(index, queries, asked, found, plan))
        say(f"recall {asked}: done")
    print(f"{heading(data, given)}{', tuned' if given.tuned else ''}\n\n{markdown(rows)}")


if __name__ == "__main__":
    main()
