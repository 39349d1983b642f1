"""Filtered search: recall and queries/s where a filter keeps a half, a tenth, a hundredth, a thousandth of the vectors.

    python benchmarks/filters.py data/sift.hdf5
    python benchmarks/filters.py data/sift.hdf5 --peers          # lookalike alone

A filter keeps rows at random, or the rows nearest to one of the base: a ball, far from most queries, whose neighbours
are then not where an unfiltered search looks. Each competitor gets a filter in the form that suits it best, made
beforehand: ours by `index.filter`; hnswlib a Python function of an id (a list's
`__getitem__`), called for each it meets; faiss an IDSelectorBitmap. All on one thread, one query after the other and,
ours, in a batch.
"""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from lookalike.bench.competitors import Competitor, Setting
from lookalike.bench.competitors.faiss import Hnsw, IvfPq
from lookalike.bench.competitors.hnswlib import Hnswlib
from lookalike.bench.competitors.ours import Lookalike
from lookalike.bench.datasets import Dataset
from lookalike.bench.machine import cores
from lookalike.bench.report import markdown, rate_at
from lookalike.bench.results import Point
from lookalike.bench.truth import Vectors
from making import say
from sweeping import Entry, Plan, RecallOf, arguments, heading, opened, recall_of, sweep

RECALL = 0.95
Mask = NDArray[np.bool_]


class Filtered(Competitor):
    """One that takes a filter."""

    @abstractmethod
    def keep(self, mask: Mask) -> None:
        """From now on only these rows may be found; not timed."""


class Ours(Filtered, Lookalike):
    def keep(self, mask: Mask) -> None:
        self._filter = self.index.filter(mask)
        self.index.search(np.ones(self.index.dim, np.float32), 1, filter=self._filter)  # finds where they are

    def sweep(self) -> list[Setting]:
        return [{"recall": recall} for recall in (0.8, 0.85, 0.9, 0.92, RECALL, 0.97, 0.98, 0.99)]

    def query(self, query: Any, k: int) -> Any:
        return self.index.search(query, k, recall=self._recall, filter=self._filter, threads=1).ids

    def query_batch(self, vectors: Vectors, k: int) -> Any:
        return self.index.search(vectors, k, recall=self._recall, filter=self._filter, threads=1).ids

    def per_call(self, query: Any, filter: NDArray[Any], clock: Callable[[], float]) -> float:
        """Seconds of a search that visits one bucket and makes its own filter: which is nearly all of it."""
        best = inf
        for _ in range(5):
            begin = clock()
            self.index.search(query, 1, probes=1, filter=filter, threads=1)
            best = min(best, clock() - begin)
        return best


class FilteredHnswlib(Filtered, Hnswlib):
    def keep(self, mask: Mask) -> None:
        self._filter = mask.tolist().__getitem__

    def query(self, query: Any, k: int) -> Any:
        try:
            return self._index.knn_query(query, k, num_threads=1, filter=self._filter)[0][0]
        except RuntimeError:  # it found fewer than k
            return []


class FilteredHnsw(Filtered, Hnsw):
    def keep(self, mask: Mask) -> None:
        self._selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))

    def _set(self, setting: Setting) -> None:
        self._how = faiss.SearchParametersHNSW(efSearch=int(setting["efSearch"]), sel=self._selector)

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k, params=self._how)[1][0]


class FilteredIvfPq(Filtered, IvfPq):
    def keep(self, mask: Mask) -> None:
        self._selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))

    def _set(self, setting: Setting) -> None:
        lists = faiss.SearchParametersIVF(nprobe=int(setting["nprobe"]), sel=self._selector)
        self._how = faiss.IndexRefineSearchParameters(k_factor=setting["k_factor"], base_index_params=lists)

    def query(self, query: Any, k: int) -> Any:
        return self._index.search(query, k, params=self._how)[1][0]


COMPETITORS: dict[str, type[Filtered]] = {
    "lookalike": Ours,
    "hnswlib": FilteredHnswlib,
    "faiss-hnsw": FilteredHnsw,
    "faiss-ivfpq": FilteredIvfPq,
}


def filters(base: Vectors, shares: Sequence[float]) -> Iterator[tuple[str, float, Mask]]:
    """A name, a share, and the rows that are kept."""
    count = len(base)
    order = {
        "random": np.random.default_rng(0).permutation(count),
        "ball": np.argsort(np.linalg.norm(base - base[0], axis=1), kind="stable"),
    }
    for name, rows in order.items():
        for share in shares:
            mask = np.zeros(count, bool)
            mask[rows[: round(share * count)]] = True
            yield name, share, mask


def recall_among(data: Dataset, queries: Vectors, mask: Mask, k: int) -> RecallOf:
    """Of the rows that a filter keeps; any other that is found counts for nothing."""
    place = np.where(mask, np.cumsum(mask) - 1, -1)
    among = recall_of(data.base[mask], queries, data.distance, k)
    return lambda found: among(np.where(found < 0, -1, place[found]))


def cell(points: Sequence[Point]) -> str:
    """Queries/s at the recall, or as much of it as there is."""
    if not points:
        return "–"
    if rate := rate_at(points, RECALL):
        return str(rate)
    most = max(points, key=lambda point: point.recall)
    return f"{most.rate:,.0f} at {most.recall:.2f}"


def measure(
    data: Dataset, built: dict[str, Filtered], shares: Sequence[float], queries: Vectors, plan: Plan
) -> Iterator[list[str]]:
    """The rows of the table."""
    for name, share, mask in filters(data.base, shares):
        say(f"{name}, {share:.1%}")
        found = recall_among(data, queries, mask, plan.k)
        for competitor in built.values():
            competitor.keep(mask)
        entries = {name: Entry(competitor, found) for name, competitor in built.items()}
        single = sweep(entries, queries, plan)
        batch = sweep({"lookalike": entries["lookalike"]}, queries, replace(plan, enough=inf), "batch")["lookalike"]
        ours = built["lookalike"]
        assert isinstance(ours, Ours)
        calls = [f"{1e3 * ours.per_call(queries[0], form, plan.clock):.2f} ms" for form in (np.flatnonzero(mask), mask)]
        asked = next(point for point in batch if point.setting["recall"] == RECALL)
        rates = [cell(points) for points in (batch, *single.values())]
        yield [name, f"{share:.1%}", *calls, f"{asked.recall:.3f}", *rates]


def main(words: Sequence[str] | None = None) -> None:
    parser = arguments(__doc__)
    add = parser.add_argument
    add("--count", type=int, help="the first so many vectors (default: all)")
    add("--keep", type=float, nargs="+", metavar="SHARE", default=[0.5, 0.1, 0.01, 0.001], help="shares to keep")
    add("--peers", nargs="*", choices=[*COMPETITORS][1:], default=[*COMPETITORS][1:], help="beside whom (default: all)")
    add("--seconds", type=float, default=1.0, help="for one setting of a competitor: slow ones get fewer queries")
    given = parser.parse_args(words)
    data = opened(given)
    data = replace(data, base=data.base[: given.count])
    queries = data.test.vectors
    if min(given.keep) * len(data.base) < given.k:
        sys.exit(f"expected filters that keep at least k = {given.k} of {len(data.base):,}; received {min(given.keep)}")
    built = dict[str, Filtered]()
    for name in ["lookalike", *given.peers]:
        begin = time.perf_counter()
        built[name] = COMPETITORS[name]()
        built[name].build(data.base, data.distance, cores())
        say(f"{name}: built in {time.perf_counter() - begin:.1f} s")
    plan = Plan(given.k, given.rounds, given.processor, given.seconds, enough=0.97)
    print(f"{heading(data, given)}\n")
    titles = ["filter", "keeps", "made of ids", "of a mask", f"found, asked {RECALL}", "lookalike, batch", *built]
    print(markdown([titles, *measure(data, built, given.keep, queries, plan)]))


if __name__ == "__main__":
    main()
