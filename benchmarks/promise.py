"""Whether `recall=` holds on data and queries that nothing was tuned on: combinations drawn at random.

    python benchmarks/promise.py --part test                    # 2,000 combinations: half an hour to two hours
    python benchmarks/promise.py --part tuning --count 200      # fewer kinds, other draws: to work with
    python benchmarks/promise.py --part test --only 17          # one index again, with the same --rows and --queries

An index holds vectors of one kind under one metric, in one state, and is asked in 15 ways: queries of some origin, a
filter, k and recall. The first 500 queries tell how many it takes for a standard error of 0.003; as many others are
asked, up to --queries. A neighbour is found if it is one of those that `exact=True` gives, or as near as the last of
them; whether these are the nearest in double precision is looked up for 20 queries. A combination holds where at least
the recall that was asked for, less 0.01, is found. Where k = 1, a query finds all or nothing: combinations with the
same kind of vectors, origin of queries and recall are judged by their mean. Each combination is a line of JSON in --to;
interrupted, the same command goes on behind them.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike import Index, _core
from lookalike.bench.report import markdown
from lookalike.index import Filter
from lookalike.metric import Metric
from making import say

Vectors = NDArray[np.float32]
Random = np.random.Generator

ALLOWED = 0.01
"""So much less than asked for may be found."""
ERROR = 0.003
"""The standard error of the mean of a combination that is aimed at."""
PILOT, AT_ONCE = 500, 500
"""Queries: to tell how many it takes; in a batch."""
SHORTEST = 1e-15
"""Under cosine, shorter vectors and queries are refused."""
CHECKED, DOUBLE = 20, 1e-6
"""So many queries are compared in double precision; what `exact=True` finds may be so much farther than the k-th."""
WAYS = 15
"""In which an index is asked."""
WORST = 10
"""Combinations that are shown."""


# Vectors, all drawn alike: the first of them fill the index, the others are queries of the same source.


def gaussian(random: Random, count: int, dim: int) -> Vectors:
    return random.standard_normal((count, dim), np.float32)


def hidden(random: Random, count: int, dim: int) -> Vectors:
    """Of a few dimensions, and some noise."""
    few = int(random.integers(2, max(3, dim // 4)))
    drawn = gaussian(random, count, few) @ gaussian(random, few, dim)
    return np.asarray(drawn + 0.1 * gaussian(random, count, dim), np.float32)


def around(random: Random, count: int, centres: Vectors, spread: float | Vectors) -> Vectors:
    of = random.integers(len(centres), size=count)
    each = spread[of] if isinstance(spread, np.ndarray) else spread
    return np.asarray(centres[of] + each * gaussian(random, count, centres.shape[1]), np.float32)


def clusters(random: Random, count: int, dim: int) -> Vectors:
    return around(random, count, 3 * gaussian(random, int(random.integers(50, 1000)), dim), 1.0)


def heavy_clusters(random: Random, count: int, dim: int) -> Vectors:
    """Of all sizes and widths, with heavy tails."""
    centres = 3 * gaussian(random, 200, dim)
    of = random.choice(200, size=count, p=(share := random.pareto(1.0, 200) + 0.01) / share.sum())
    widths = random.gamma(1.0, 1.0, (200, 1))[of]
    tails = np.sqrt(3 / random.chisquare(3, (count, 1)))
    return np.asarray(centres[of] + widths * tails * gaussian(random, count, dim), np.float32)


def far_clusters(random: Random, count: int, dim: int) -> Vectors:
    """A few, a hundred to three hundred of their standard deviations apart."""
    few, apart = int(random.integers(4, 50)), random.uniform(100, 300)
    centres = gaussian(random, few, dim)
    return around(random, count, np.asarray(apart * centres / np.linalg.norm(centres, axis=1, keepdims=True)), 1.0)


def with_missing(random: Random, count: int, dim: int) -> Vectors:
    """One in twenty is a code for "missing" throughout."""
    drawn = clusters(random, count, dim)
    drawn[random.random(count) < 0.05] = -9999 + gaussian(random, 1, dim)
    return drawn


def with_one_long(random: Random, count: int, dim: int) -> Vectors:
    drawn = clusters(random, count, dim)
    drawn[0] *= 1e6
    return drawn


def cities(random: Random, count: int, _dim: int) -> Vectors:
    """Positions in the plane."""
    centres = random.uniform(-180, 180, (4, 2)).astype(np.float32)
    return around(random, count, centres, np.full((4, 1), 0.05, np.float32))


def counts(random: Random, count: int, dim: int) -> Vectors:
    """Whole numbers, most of them zero."""
    rates = random.gamma(0.3, 1.0, (100, dim))
    drawn = random.poisson(rates[random.integers(100, size=count)]).astype(np.float32)
    drawn[:, 0] += 1  # under cosine none may be zero
    return drawn


def of_unlike_scales(random: Random, count: int, dim: int) -> Vectors:
    """Each coordinate has a unit of its own."""
    return np.asarray(clusters(random, count, dim) * 10 ** random.uniform(-3, 3, dim), np.float32)


def tiny_or_huge(random: Random, count: int, dim: int) -> Vectors:
    """All as small, or as large, as measurements in some unit may be."""
    return np.asarray(clusters(random, count, dim) * 10 ** random.uniform(-18, 15), np.float32)


def curve(random: Random, count: int, dim: int) -> Vectors:
    """Along one line that winds through the space."""
    along = random.uniform(0, 1, (count, 1))
    drawn = np.sin(along * random.uniform(1, 30, dim) + random.uniform(0, 6, dim))
    return np.asarray(drawn + 0.01 * gaussian(random, count, dim), np.float32)


def steps(random: Random, count: int, dim: int) -> Vectors:
    """Sums of what came before, as measurements over time are."""
    return np.cumsum(gaussian(random, count, dim), axis=1, dtype=np.float32)


Kind = Callable[[Random, int, int], Vectors]
KINDS: dict[str, list[Kind]] = {
    "tuning": [gaussian, clusters, far_clusters, with_missing, with_one_long, cities],
    "test": [
        *[gaussian, hidden, heavy_clusters, far_clusters, with_missing, with_one_long],
        *[cities, counts, of_unlike_scales, tiny_or_huge, curve, steps],
    ],
}
METRICS: list[Metric] = ["euclidean", "cosine", "dot"]
STATES = ["sealed", "nine tenths removed", "a tenth fresh", "half of it drifted"]

# Queries, of an index and of more vectors of its source.

Origin = Callable[[Random, Vectors, Vectors], Vectors]


def of_the_source(_random: Random, _base: Vectors, more: Vectors) -> Vectors:
    return more


def stored(random: Random, base: Vectors, more: Vectors) -> Vectors:
    return base[random.integers(len(base), size=len(more))]


def usual(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """Mean and standard deviation of each coordinate, without the least and the largest values."""
    inner = np.clip(vectors, *np.percentile(vectors, [2, 98], axis=0))
    return inner.mean(axis=0), inner.std(axis=0)


def with_noise(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """As much as the vectors differ from their mean."""
    return np.asarray(more + usual(base)[1] * gaussian(random, *more.shape), np.float32)


def like_nothing(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """Gaussian, with the mean and the spread of each coordinate."""
    mean, spread = usual(base)
    return np.asarray(mean + spread * gaussian(random, *more.shape), np.float32)


def midpoints(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """Of two stored vectors."""
    return np.asarray((stored(random, base, more) + stored(random, base, more)) / 2, np.float32)


def turned(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """By one random rotation about the mean: as spread out as the vectors, but along other axes."""
    mean, _ = usual(base)
    turn, _ = np.linalg.qr(gaussian(random, base.shape[1], base.shape[1]))
    return np.asarray(mean + (more - mean) @ turn, np.float32)


def some_coordinates(random: Random, _base: Vectors, more: Vectors) -> Vectors:
    """Of ten one is kept, and the largest; the others are zero."""
    kept = random.random(more.shape) < 0.1
    kept[np.arange(len(more)), np.abs(more).argmax(axis=1)] = True
    return np.asarray(np.where(kept, more, 0), np.float32)


ORIGINS: list[Origin] = [of_the_source, stored, with_noise, like_nothing, midpoints, turned, some_coordinates]
SHARES = [0.5, 0.1, 0.01, 0.001]
KS = [1, 10, 100]
RECALLS = [0.8, 0.9, 0.95, 0.99]


@dataclass(frozen=True)
class Way:
    """How an index is asked; `share` of it may be found: any, those nearest to the queries, or those farthest away."""

    origin: str
    where: str
    share: float
    k: int
    recall: float

    def __str__(self) -> str:
        only = "" if self.share == 1 else f", {self.where} {100 * self.share:g} %"
        return f"{self.origin}{only}, k = {self.k}, {self.recall}"


@dataclass(frozen=True)
class Answer:
    """What came of a combination.

    Attributes:
        index, made: number and description of the index; −1 of a pool.
        found, error: the mean share found, and its standard error.
        said: `recall` of the answers, on average.
        exact: of what is nearest in double precision, the share that `exact=True` gives.
    """

    index: int
    made: str
    way: Way
    found: float
    error: float
    said: float
    exact: float
    queries: int


def ways(random: Random) -> Iterator[Way]:
    for _ in range(WAYS):
        origin, k = ORIGINS[random.integers(len(ORIGINS))].__name__.replace("_", " "), KS[random.integers(3)]
        where, share = "", 1.0
        if random.random() < 0.4:
            where, share = ["any", "near", "far"][random.integers(3)], SHARES[random.integers(4)]
        yield Way(origin, where, share, k, RECALLS[random.integers(4)])


def distances(metric: Metric, query: Vectors, vectors: Vectors) -> NDArray[np.float64]:
    """In double precision; of what is nearer they are smaller."""
    one, others = query.astype(np.float64), vectors.astype(np.float64)
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(others - one, axis=1))
    products = others @ one
    return -products if metric == "dot" else 1 - products / np.linalg.norm(others, axis=1) / np.linalg.norm(one)


class Made:
    """The index of number `number` of a part, and vectors of its source that are not in it."""

    def __init__(self, part: str, number: int, rows: int, queries: int) -> None:
        cells = list(product(KINDS[part], METRICS, STATES))
        np.random.default_rng(zlib.crc32(part.encode())).shuffle(cells)
        kind, self.metric, state = cells[number % len(cells)]
        self.random = np.random.default_rng([zlib.crc32(part.encode()), number])
        dim = 2 if kind is cities else int(2 ** self.random.uniform(3, 8))
        count = int(self.random.uniform(0.25, 1) * rows)
        drawn = kind(self.random, count + queries, dim)
        if state == "half of it drifted":
            drawn[1::2] += usual(drawn)[1]
        if self.metric == "cosine":
            drawn *= max(1, 2 * SHORTEST / np.linalg.norm(drawn.astype(np.float64), axis=1).min())
        self.base, self.more = drawn[:count], drawn[count:]
        self.ids = np.arange(count)
        self.index = Index(dim, self.metric)
        self._fill(state)
        self.name = f"{kind.__name__.replace('_', ' ')}, {self.metric}, {len(self.index):,} × {dim}, {state}"

    def _fill(self, state: str) -> None:
        if state == "half of it drifted":
            for half in (self.ids[::2], self.ids[1::2]):
                self.index.add(self.base[half], half)
                self.index.optimize()
            return
        first = len(self.ids) * 9 // 10 if state == "a tenth fresh" else len(self.ids)
        self.index.add(self.base[:first], self.ids[:first])
        self.index.optimize()
        if first < len(self.ids):
            self.index.add(self.base[first:], self.ids[first:])
        if state == "nine tenths removed":
            self.ids, gone = np.split(self.random.permutation(self.ids), [len(self.ids) // 10])
            self.index.remove(gone)

    def ask(self, number: int, way: Way) -> Answer:
        origin = next(each for each in ORIGINS if each.__name__ == way.origin.replace(" ", "_"))
        queries = origin(self.random, self.base[self.ids], self.more)
        if self.metric == "cosine":  # shorter ones are refused
            queries = queries[np.linalg.norm(queries.astype(np.float64), axis=1) > SHORTEST]
        ids, queries = self._permitted(way, queries)
        only = None if way.share == 1 else self.index.filter(ids)
        pilot, _ = self._found(way, queries[:PILOT], only)
        wanted = max(PILOT, int((pilot.std() / ERROR) ** 2))
        asked = queries[PILOT : PILOT + wanted] if len(queries) > 2 * PILOT else queries
        found, said = self._found(way, asked, only)
        return Answer(
            number,
            self.name,
            way,
            float(found.mean()),
            float(found.std() / np.sqrt(len(found))),
            float(said.mean()),
            float(np.mean([self._exact(query, way.k, ids, only) for query in asked[:CHECKED]])),
            len(found),
        )

    def _permitted(self, way: Way, queries: Vectors) -> tuple[NDArray[np.int64], Vectors]:
        """The ids that may be found, and the queries: a quarter of them where the ids have to do with these."""
        count = max(1, round(way.share * len(self.ids)))
        if way.where in ("", "any"):
            return self.random.permutation(self.ids)[:count], queries
        middle = queries[self.random.integers(len(queries))]
        near = np.argsort(distances(self.metric, middle, queries), kind="stable")[: -(-len(queries) // 4)]
        apart = distances(self.metric, middle, self.base[self.ids])
        order = np.argsort(apart if way.where == "near" else -apart, kind="stable")
        return self.ids[order[:count]], queries[self.random.permutation(near)]

    def _found(
        self, way: Way, queries: Vectors, only: Filter | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The share found for each query, and what was said."""
        found, said = [], []
        for begin in range(0, len(queries), AT_ONCE):
            some = queries[begin : begin + AT_ONCE]
            true = self.index.search(some, way.k, exact=True, filter=only)
            answer = self.index.search(some, way.k, recall=way.recall, filter=only)
            found.append(shares(true.ids, true.distances, answer.ids, answer.distances))
            said.append(np.broadcast_to(np.asarray(answer.recall, np.float64), len(some)))
        return np.concatenate(found), np.concatenate(said)

    def _exact(self, query: Vectors, k: int, ids: NDArray[np.int64], only: Filter | None) -> float:
        apart = np.full(len(self.base), np.inf)
        apart[ids] = distances(self.metric, query, self.base[ids])
        k = min(k, len(ids))
        farthest = np.partition(apart, k - 1)[k - 1]
        given = self.index.search(query, k, exact=True, filter=only).ids
        near = apart[given[given >= 0]] <= farthest + DOUBLE * abs(farthest)  # −1: fewer than k may be found
        return float(near.sum() / k)


def shares(
    true_ids: NDArray[np.int64], true: Vectors, found_ids: NDArray[np.int64], found: Vectors
) -> NDArray[np.float64]:
    """Of the neighbours of each query that there are, how many were found, or others as near as the last of them."""
    there = true_ids >= 0
    farthest = np.where(there, true, np.finfo(np.float32).min).max(axis=1, keepdims=True)
    same = (found_ids[:, :, None] == true_ids[:, None, :]).any(axis=2)
    met = ((found_ids >= 0) & (same | (found <= farthest))).sum(axis=1)
    there_are = there.sum(axis=1)
    return np.where(there_are > 0, np.minimum(met, there_are) / np.maximum(there_are, 1), 1.0)


def pooled(answers: list[Answer]) -> list[Answer]:
    """Those of k = 1 with the same kind of vectors, origin of queries and recall as one."""
    singles: dict[tuple[str, str, float], list[Answer]] = defaultdict(list)
    judged: list[Answer] = []
    for answer in answers:
        if answer.way.k == 1:
            singles[answer.made.partition(",")[0], answer.way.origin, answer.way.recall].append(answer)
        else:
            judged.append(answer)
    for (kind, origin, recall), pool in singles.items():
        found, said, exact = (float(np.mean([getattr(e, name) for e in pool])) for name in ("found", "said", "exact"))
        error = float(np.sqrt(np.sum([each.error**2 for each in pool])) / len(pool))
        way, queries = Way(origin, "", 1.0, 1, recall), sum(each.queries for each in pool)
        judged.append(Answer(-1, f"{kind}: {len(pool)} combinations", way, found, error, said, exact, queries))
    return judged


def holds(answer: Answer) -> bool:
    return answer.found >= answer.way.recall - ALLOWED


def table(answers: list[Answer]) -> str:
    rows = [["vectors", "asked", "found", "said", "queries"]]
    for each in answers:
        found = f"{each.found:.3f} ± {each.error:.3f}"
        made = each.made if each.index < 0 else f"{each.index}: {each.made}"
        rows.append([made, str(each.way), found, f"{each.said:.3f}", f"{each.queries:,}"])
    return markdown(rows)


def report(answers: list[Answer]) -> str:
    judged = pooled(answers)
    compared = [each for each in judged if each.said >= 1]
    others = [each for each in judged if each.said < 1]
    kept, by_buckets = sum(map(holds, judged)), sum(map(holds, others))
    too_sure = [each for each in judged if each.found < each.said - ALLOWED - 2 * each.error]
    inexact = [each for each in judged if each.exact < 1]
    vague = [each for each in judged if each.error > ERROR]
    return "\n\n".join(
        [
            f"{len(answers):,} combinations, those of k = 1 in pools: of {len(judged):,} {kept:,} hold"
            f" ({share(kept, len(judged))}), of the {len(others):,} that say less than 1 {by_buckets:,}"
            f" ({share(by_buckets, len(others))}); the other {len(compared):,} say that all was compared.",
            f"{len(too_sure):,} find less than they say, by more than {ALLOWED} and two standard errors.",
            f"{len(inexact):,} have a neighbour in double precision that `exact=True` does not give.",
            f"{len(vague):,} have a standard error above {ERROR}; it stands behind ±.",
            "Farthest below what was asked for:",
            table(sorted(judged, key=lambda each: each.found - each.way.recall)[:WORST]),
            "Farthest below what was said:",
            table(sorted(judged, key=lambda each: each.found - each.said)[:WORST]),
            "Least exact:",
            table(sorted(inexact, key=lambda each: each.exact)[:WORST]),
        ]
    )


def share(some: int, among: int) -> str:
    return f"{100 * some / among:.1f} %" if among else "–"


def read(path: Path, settings: dict[str, object]) -> list[Answer]:
    """Those of indexes that were asked in all ways; others are taken out, to be made again."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings) + "\n")
        return []
    first, *lines = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")] or [""]
    if first != json.dumps(settings) + "\n":
        raise SystemExit(
            f"{path}: measured by another build or with other arguments; remove it, or name another (--to)"
        )
    made = [json.loads(line) for line in lines]
    asked = Counter(each["index"] for each in made)
    kept = [(line, each) for line, each in zip(lines, made, strict=True) if asked[each["index"]] == WAYS]
    path.write_text(first + "".join(line for line, _ in kept))
    return [Answer(**{**each, "way": Way(**each["way"])}) for _, each in kept]


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=sorted(KINDS), required=True)
    parser.add_argument("--count", type=int, default=2000, help="combinations")
    parser.add_argument("--rows", type=int, default=50_000, help="at most, of an index")
    parser.add_argument("--queries", type=int, default=8000, help="at most, of a combination")
    parser.add_argument("--first", type=int, default=0, help="the number of the first index")
    parser.add_argument("--only", type=int, help="the number of one index; nothing is kept")
    parser.add_argument("--to", type=Path, help="bench-results/promise-PART.jsonl")
    arguments = parser.parse_args(given)
    if min(arguments.count, arguments.rows, arguments.queries) < 1 or arguments.first < 0:
        parser.error("--count, --rows, --queries: expected at least 1; --first: at least 0")
    to = arguments.to or Path("bench-results") / f"promise-{arguments.part}.jsonl"
    build = zlib.crc32(Path(_core.__file__).read_bytes()) ^ zlib.crc32(Path(__file__).read_bytes())
    settings = {"part": arguments.part, "rows": arguments.rows, "queries": arguments.queries, "build": build}
    answers = [] if arguments.only is not None else read(to, settings)
    indexes = range(arguments.first, arguments.first - (-arguments.count // WAYS))
    numbers = [arguments.only] if arguments.only is not None else indexes
    answers = [each for each in answers if each.index in numbers]
    for number in numbers:
        if any(each.index == number for each in answers):
            continue
        made = Made(arguments.part, number, arguments.rows, arguments.queries)
        say(f"{number}: {made.name}")
        new = []
        for way in list(ways(made.random)):
            new.append(made.ask(number, way))
            if not holds(new[-1]):
                say(f"  {way}: found {new[-1].found:.3f} ± {new[-1].error:.3f}, said {new[-1].said:.3f}")
        answers += new
        if arguments.only is None:
            with to.open("a") as file:
                file.writelines(json.dumps(asdict(each)) + "\n" for each in new)
    print(report(answers))


if __name__ == "__main__":
    main()
