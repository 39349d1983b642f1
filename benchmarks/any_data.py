"""What is found in vectors like no benchmark's: codes for "missing", far clusters, filters, tiny and huge numbers.

    python benchmarks/any_data.py                              # 20,000 rows of each kind, beside hnswlib and faiss
    python benchmarks/any_data.py --rows 5000 --queries 200    # a look

Queries are drawn as the rows are; for the farther half, nearest to the one that it is far from. A neighbour is found if
it lies no farther, in double precision, than the k-th nearest of those that may be found. hnswlib has M = 16,
ef_construction = 200 and ef = 60, or k where that is more; faiss's IVF-Flat about 4 √n lists, of which as many are
visited as it takes to find what we found. Both take the filter, and forget what was removed, in their own way. Times
are those of one query at a time on one thread, all in turns, of each query the fastest round. Tables are printed;
`any_data.json` and `any_data.png` lie in --out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import hnswlib
import numpy as np
from numpy.typing import NDArray

import promise
from lookalike import Index
from lookalike.bench.machine import machine, software
from lookalike.bench.plot import wide_figure
from lookalike.bench.report import few, markdown
from lookalike.errors import LookalikeError
from lookalike.metric import Metric
from making import say

Vectors = NDArray[np.float32]
Random = np.random.Generator
Ids = NDArray[np.int64]

DIM, TURN = 32, 100
M, EF_CONSTRUCTION, EF = 16, 200, 60
SPACES = {"euclidean": "l2", "cosine": "cosine", "dot": "ip"}
ALLOWED = 0.01
"""So much less than asked for, or than said, may be found."""
SINGLE = 1.2e-7
"""A rounding of the cosine in single precision: where clusters are far apart, it is all that tells neighbours apart."""
WORDS = 12
"""Of a refusal that are shown."""
LEAST = 0.85
"""A share found that is drawn in its place."""
BUILD = """
import sys, numpy as np, faiss
base, lists, metric = np.load(sys.argv[1]), int(sys.argv[3]), sys.argv[4]
if metric == "cosine":
    base /= np.linalg.norm(base, axis=1, keepdims=True)
measure = faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
quantizer = faiss.IndexFlat(base.shape[1], measure)
index = faiss.IndexIVFFlat(quantizer, base.shape[1], lists, measure)
index.cp.min_points_per_centroid = 1  # below 39 it warns
faiss.omp_set_num_threads(1)
index.train(base)
index.add(base)
faiss.write_index(index, sys.argv[2])
"""


@dataclass(frozen=True)
class Kind:
    """Vectors, and how they are asked.

    Attributes:
        where: "any" for a filter at random, "far" for the rows farthest from a query; `share` of them may be found.
        removed: the share of the rows that is added and removed again.
        peers: whether others are asked, too.
    """

    name: str
    draw: promise.Kind
    metric: Metric = "euclidean"
    dim: int = DIM
    k: int = 10
    recall: float = 0.95
    where: str = ""
    share: float = 1.0
    removed: float = 0.0
    exact: bool = False
    peers: bool = True


def apart(count: int, deviations: float) -> promise.Kind:
    """So many clusters, about so many of their standard deviations from each other."""

    def draw(random: Random, rows: int, dim: int) -> Vectors:
        centres = promise.gaussian(random, count, dim)
        centres *= deviations / np.sqrt(2) / np.linalg.norm(centres, axis=1, keepdims=True)
        return promise.around(random, rows, centres, 1.0)

    return draw


def among(count: int) -> promise.Kind:
    """So many clusters that touch each other."""
    return lambda random, rows, dim: promise.around(random, rows, 3 * promise.gaussian(random, count, dim), 1.0)


def of_size(size: float) -> promise.Kind:
    return lambda random, rows, dim: np.asarray(promise.clusters(random, rows, dim) * size, np.float32)


def of_any_scale(random: Random, rows: int, dim: int) -> Vectors:
    """Each coordinate has a unit of its own, the largest 10³⁰ times the smallest."""
    return np.asarray(promise.clusters(random, rows, dim) * 10 ** np.linspace(-15, 15, dim), np.float32)


def twice(name: str, draw: promise.Kind) -> list[Kind]:
    return [Kind(name, draw), Kind(f"{name}, exact=True", draw, exact=True, peers=False)]


KINDS = [
    Kind("5 % of the rows are −9999 throughout", promise.with_missing),
    Kind("one row 1e6 times as long as the others", promise.with_one_long),
    Kind("4 clusters 100 standard deviations apart", apart(4, 100)),
    Kind("4 clusters 300 standard deviations apart", apart(4, 300)),
    Kind("50 clusters 300 standard deviations apart", apart(50, 300), "cosine"),
    Kind("positions in four cities", promise.cities, dim=2),
    Kind("300 clusters, a filter of 10 %", among(300), "dot", k=100, recall=0.99, where="any", share=0.1),
    Kind("clusters, a filter of the farther half", promise.clusters, "dot", where="far", share=0.5),
    Kind("clusters, 90 % removed", promise.clusters, "cosine", k=100, recall=0.99, removed=0.9),
    *twice("numbers of size 1e-25", of_size(1e-25)),
    *twice("numbers of size 1e18", of_size(1e18)),
    *twice("coordinates of scales 1e-3 to 1e3", promise.of_unlike_scales),
    *twice("coordinates of scales 1e-15 to 1e15", of_any_scale),
]


@dataclass
class Answer:
    """What one library does; None where it does not tell, or refuses.

    Attributes:
        found: the mean share of the neighbours.
        said: the mean recall that came with the answers.
        scanned, compared: sketches that a query read; rows that it was compared with, in 8 bits or in full.
        micros: of one query.
        setting: how far it looks.
        refused: why.
    """

    found: float | None = None
    said: float | None = None
    scanned: float | None = None
    compared: float | None = None
    micros: float | None = None
    setting: str = ""
    refused: str = ""


@dataclass
class Row:
    name: str
    asked: str
    recall: float
    answers: dict[str, Answer]


class Made:
    """Vectors of a kind, queries, and which rows may be found."""

    def __init__(self, kind: Kind, rows: int, queries: int) -> None:
        self.kind = kind
        self.random = np.random.default_rng(zlib.crc32(kind.name.removesuffix(", exact=True").encode()))
        drawn = kind.draw(self.random, rows + (4 if kind.where == "far" else 1) * queries, kind.dim)
        self.base, self.queries = drawn[:rows], drawn[rows:]
        self.gone = np.sort(self.random.permutation(rows)[: round(kind.removed * rows)])
        self.keep = np.ones(rows, bool)
        if kind.where == "any":
            self.keep[self.random.permutation(rows)[round(kind.share * rows) :]] = False
        elif kind.where == "far":
            self._keep_the_farthest(queries)
        self.found = self.keep.copy()
        self.found[self.gone] = False
        self.farthest = np.array([self._farthest(query) for query in self.queries])

    def _keep_the_farthest(self, queries: int) -> None:
        """From one of the queries, of which those nearest to it are kept."""
        middle = self.queries[0]
        order = np.argsort(promise.distances(self.kind.metric, middle, self.base), kind="stable")
        self.keep[order[: len(order) - round(self.kind.share * len(order))]] = False
        near = np.argsort(promise.distances(self.kind.metric, middle, self.queries), kind="stable")[:queries]
        self.queries = self.queries[self.random.permutation(near)]

    def _farthest(self, query: Vectors) -> float:
        """How far a neighbour may be."""
        away = promise.distances(self.kind.metric, query, self.base[self.found])
        k = min(self.kind.k, len(away))
        least = float(np.partition(away, k - 1)[k - 1])
        return least + promise.DOUBLE * abs(least) + (SINGLE if self.kind.metric == "cosine" else 0.0)

    def recall(self, ids: NDArray[Any]) -> float:
        """The mean share of the neighbours among these, a row for each query; −1 is none."""
        k, met = min(self.kind.k, int(self.found.sum())), 0
        for query, farthest, each in zip(self.queries, self.farthest, ids, strict=True):
            there = np.unique(each[each >= 0])
            there = there[self.found[there]]
            met += min(k, int((promise.distances(self.kind.metric, query, self.base[there]) <= farthest).sum()))
        return met / k / len(self.queries)


Search = Callable[[Vectors], Any]
"""Of one query of shape (1, dim)."""


def ours(made: Made) -> tuple[Answer, Search | None]:
    kind = made.kind
    how: dict[str, Any] = {"exact": True} if kind.exact else {"recall": kind.recall}
    try:
        index = Index(kind.dim, kind.metric)
        index.add(made.base)
        index.optimize()
        if len(made.gone):
            index.remove(made.gone)
        if kind.where:
            how["filter"] = index.filter(made.keep)
        answer = index.search(made.queries, kind.k, **how)
    except LookalikeError as error:
        return Answer(refused=" ".join(str(error).split()[:WORDS])), None
    stages = [{each.name: each.count for each in index.explain(query, kind.k, **how).stages} for query in made.queries]
    scanned = float(np.mean([each["scan"] for each in stages]))
    compared = float(np.mean([each["narrow"] + each["compare"] for each in stages]))
    told = Answer(made.recall(answer.ids), float(np.mean(answer.recall)), scanned, compared)
    return told, lambda query: index.search(query[0], kind.k, threads=1, **how)


def of_hnswlib(made: Made, _target: float) -> tuple[Answer, Search | None]:
    kind = made.kind
    index = hnswlib.Index(SPACES[kind.metric], kind.dim)
    index.init_index(len(made.base), M=M, ef_construction=EF_CONSTRUCTION, random_seed=0)
    index.add_items(made.base, num_threads=1)
    for gone in made.gone.tolist():
        index.mark_deleted(gone)
    index.set_ef(EF)
    only = made.keep.tolist().__getitem__ if kind.where else None

    def search(query: Vectors) -> NDArray[Any]:
        try:
            return np.asarray(index.knn_query(query, kind.k, num_threads=1, filter=only)[0][0].astype(np.int64))
        except RuntimeError:  # it found fewer than k
            return np.full(kind.k, -1)

    found = np.array([search(query[None]) for query in made.queries])
    return Answer(made.recall(found), setting=f"ef {max(EF, kind.k)}"), search


def built(base: Vectors, metric: Metric) -> Any:
    """faiss's index, None where it builds none; by a process of its own, which it ends where squares overflow."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("base.npy", "index.faiss")]
        np.save(paths[0], base)
        lists = str(int(4 * np.sqrt(len(base))))
        command = [sys.executable, "-c", BUILD, *paths, lists, metric]
        done = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
        return faiss.read_index(paths[1]) if done.returncode == 0 else None


def of_faiss(made: Made, target: float) -> tuple[Answer, Search | None]:
    """With the fewest lists visited, a power of two, that find as much as `target`."""
    kind = made.kind
    index = built(made.base, kind.metric)
    if index is None:
        return Answer(refused="ends its process"), None
    lists = index.nlist
    if len(made.gone):
        index.remove_ids(made.gone)
    bits = np.packbits(made.keep, bitorder="little")
    only = {"sel": faiss.IDSelectorBitmap(bits)} if kind.where else {}

    def searching(probes: int) -> Search:
        how = faiss.SearchParametersIVF(nprobe=probes, **only)
        return lambda query: index.search(query, kind.k, params=how)[1]

    probes, found = 1, made.recall(searching(1)(made.queries))
    while probes < lists and found < target:
        probes = min(2 * probes, lists)
        found = made.recall(searching(probes)(made.queries))
    return Answer(found, setting=f"{probes} of {lists} lists"), searching(probes)


PEERS = {"hnswlib": of_hnswlib, "IVF-Flat": of_faiss}


def micros(searches: Mapping[str, Search], queries: Vectors, rounds: int) -> dict[str, float]:
    """Of one query on average; all take turns, and of each query the fastest round counts."""
    best = {name: np.full(len(queries), np.inf) for name in searches}
    each = [queries[row : row + 1] for row in range(len(queries))]
    for _ in range(rounds):
        for begin in range(0, len(each), TURN):
            for name, search in searches.items():
                for row, query in enumerate(each[begin : begin + TURN], begin):
                    start = time.perf_counter()
                    search(query)
                    best[name][row] = min(best[name][row], time.perf_counter() - start)
    return {name: 1e6 * float(times.mean()) for name, times in best.items()}


def measure(kind: Kind, rows: int, queries: int, rounds: int) -> Row:
    made = Made(kind, rows, queries)
    answer, search = ours(made)
    answers, searches = {"lookalike": answer}, {"lookalike": search}
    target = kind.recall if answer.found is None else answer.found - ALLOWED / 2
    for name, peer in PEERS.items():
        if kind.peers:
            answers[name], searches[name] = peer(made, target)
    took = micros({name: each for name, each in searches.items() if each is not None}, made.queries, rounds)
    for name, mean in took.items():
        answers[name].micros = mean
    asked = f"{kind.metric}, k = {kind.k}, {'exact' if kind.exact else kind.recall}"
    return Row(kind.name, asked, 1.0 if kind.exact else kind.recall, answers)


def number(value: float | None, digits: int | None = None) -> str:
    if value is None:
        return ""
    return few(value) if digits is None else f"{value:.{digits}f}"


def table(rows: Sequence[Row]) -> str:
    ours = ["found", "said", "scanned", "compared", "µs"]
    theirs = [title for name in PEERS for title in (f"{name}: found", "µs")]
    cells = [["vectors", "asked", *ours, *theirs, "lists visited"]]
    for row in rows:
        own, *peers = (row.answers.get(name, Answer()) for name in ("lookalike", *PEERS))
        told = [number(own.found, 3), number(own.said, 3), *map(number, (own.scanned, own.compared, own.micros))]
        if own.refused:
            told = [f"refused: {own.refused} …", *[""] * 4]
        beside = [cell for one in peers for cell in (one.refused or number(one.found, 3), number(one.micros))]
        cells.append([row.name, row.asked, *told, *beside, peers[-1].setting])
    return markdown(cells)


def summary(rows: Sequence[Row]) -> str:
    """How many hold, and which do not."""
    answered = [(row, row.answers["lookalike"]) for row in rows if not row.answers["lookalike"].refused]
    short = [row.name for row, own in answered if (own.found or 0) < row.recall - ALLOWED]
    sure = [row.name for row, own in answered if (own.found or 0) < (own.said or 0) - ALLOWED]
    lines = [f"{len(rows)} kinds, {len(rows) - len(answered)} refused."]
    for what, names in (("than was asked for", short), ("than was said", sure)):
        lines.append(
            f"Less {what}, by more than {ALLOWED}, is found in {len(names)}{': ' if names else ''}{'; '.join(names)}."
        )
    return "\n".join(lines)


def draw(rows: Sequence[Row], path: Path) -> None:
    """What each library finds, and how long a query takes it."""
    figure = wide_figure()
    found, took = figure.subplots(1, 2, sharey=True)
    for at, name in enumerate(["lookalike", *PEERS]):
        places = np.arange(len(rows)) + 0.22 * (at - 1)
        answers = [row.answers.get(name, Answer()) for row in rows]
        shares = np.array([np.nan if each.found is None else each.found for each in answers])
        times = [np.nan if each.micros is None else each.micros for each in answers]
        style = {"marker": "os^"[at], "color": ["black", "tab:blue", "tab:orange"][at], "linestyle": ""}
        found.plot(np.maximum(shares, LEAST), places, label=name, **style)
        took.plot(times, places, **style)
        for place, share in zip(places, shares, strict=True):
            if share < LEAST:
                found.text(LEAST + 0.003, place, f"{share:.3f}", va="center", fontsize=8)
    for at, row in enumerate(rows):
        found.plot([row.recall] * 2, [at - 0.4, at + 0.4], color="tab:red", label="" if at else "asked for", zorder=1)
        if row.answers["lookalike"].refused:
            found.text(LEAST + 0.04, at - 0.22, "lookalike refuses these", va="center", fontsize=8)
    found.set(xlabel=f"share of the true neighbours found (below {LEAST}: as a number)", xlim=(LEAST - 0.005, 1.005))
    found.set_yticks(range(len(rows)), [f"{row.name}\n{row.asked}" for row in rows], fontsize=8)
    found.set_ylim(len(rows) - 0.5, -0.5)
    took.set(xlabel="µs of a query, one after the other", xscale="log")
    took.xaxis.set_major_formatter("{x:,.0f}")
    for axes in (found, took):
        axes.grid(alpha=0.3, axis="x", which="both")
        for line in range(1, len(rows)):
            axes.axhline(line - 0.5, color="0.85", linewidth=0.8)
    figure.legend(*found.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.set_size_inches(14, 2 + 0.5 * len(rows))
    figure.savefig(path, dpi=110)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3, help="of which the fastest counts (default 3)")
    parser.add_argument("--only", metavar="WORDS", default="", help="kinds with these words in their names")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    given = parser.parse_args(words)
    kinds = [kind for kind in KINDS if given.only in kind.name]
    if min(given.queries, given.rounds) < 1 or given.rows < 1000 or not kinds:
        parser.error("--queries, --rounds: expected at least 1, --rows 1,000, --only words that a kind has")
    faiss.omp_set_num_threads(1)
    rows = []
    for kind in kinds:
        say(kind.name)
        rows.append(measure(kind, given.rows, given.queries, given.rounds))
    given.out.mkdir(parents=True, exist_ok=True)
    kept = {"machine": machine(), "software": software(), "rows": given.rows, "queries": given.queries}
    (given.out / "any_data.json").write_text(json.dumps(kept | {"kinds": [asdict(row) for row in rows]}, indent=1))
    draw(rows, given.out / "any_data.png")
    print(f"{given.rows:,} rows of each kind, {given.queries:,} queries on one thread; {machine()}\n")
    print(f"{table(rows)}\n\n{summary(rows)}")


if __name__ == "__main__":
    main()
