"""Whether `recall=` holds on data and queries that nothing was tuned on: combinations drawn at random.

    python benchmarks/promise.py --part test                    # 2,000 combinations: an hour or two on two cores
    python benchmarks/promise.py --part tuning --count 200      # other data, to work with
    python benchmarks/promise.py --part test --only 17          # the combinations of one index again

An index is made of one kind of vectors under one metric, in one state (sealed, nine tenths removed, ...), and is asked
in 24 ways: queries of some origin, a filter, k, recall. As many queries are asked as it takes until the standard error
of their mean is at most 0.003, up to --queries. What is found is compared with `exact=True` by distance: among several
neighbours equally far any will do. A combination holds where at least the recall that was asked for, less 0.01, is
found; of k = 1, where a query finds all or nothing, those with queries of one origin are judged together. Each
combination is a line of JSON in --to; interrupted, the same command goes on behind them.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike import Index
from lookalike.bench.report import markdown
from lookalike.index import Filter
from lookalike.metric import Metric
from making import say

Vectors = NDArray[np.float32]
Random = np.random.Generator

ALLOWED = 0.01
"""So much less than asked for may be found."""
ERROR = 0.003
"""Of the mean of a combination: more queries are asked until it is as small."""
AT_ONCE = 500
"""Queries."""
WAYS = 24
"""In which an index is asked."""
ROUNDING = 1e-5
"""Of a distance: of float32, summed in another order."""
WORST = 10
"""Combinations that are shown."""


# Vectors. Each kind draws base and queries at once, so that both are of one source.


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
    drawn[random.integers(count)] *= 1e6
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
        *[cities, counts, of_unlike_scales, curve, steps],
    ],
}
METRICS: list[Metric] = ["euclidean", "cosine", "dot"]
STATES = ["sealed", "nine tenths removed", "a tenth fresh", "drifted"]

# Queries, of an index and of more vectors of its source.

Origin = Callable[[Random, Vectors, Vectors], Vectors]


def of_the_source(_random: Random, _base: Vectors, more: Vectors) -> Vectors:
    return more


def stored(random: Random, base: Vectors, more: Vectors) -> Vectors:
    return base[random.integers(len(base), size=len(more))]


def with_noise(random: Random, _base: Vectors, more: Vectors) -> Vectors:
    """As much as the vectors differ from their mean."""
    return np.asarray(more + more.std(axis=0) * gaussian(random, *more.shape), np.float32)


def like_nothing(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """Gaussian, with the mean and the spread of each coordinate."""
    return np.asarray(base.mean(axis=0) + base.std(axis=0) * gaussian(random, *more.shape), np.float32)


def midpoints(random: Random, base: Vectors, more: Vectors) -> Vectors:
    return np.asarray((stored(random, base, more) + stored(random, base, more)) / 2, np.float32)


def elsewhere(random: Random, base: Vectors, more: Vectors) -> Vectors:
    """As they are, but all turned about their mean: groups where there are none."""
    mean = base.mean(axis=0)
    turn, _ = np.linalg.qr(gaussian(random, base.shape[1], base.shape[1]))
    return np.asarray(mean + (more - mean) @ turn, np.float32)


def some_coordinates(random: Random, _base: Vectors, more: Vectors) -> Vectors:
    """Of ten one is kept, the others are zero."""
    kept = random.random(more.shape) < 0.1
    kept[np.arange(len(more)), random.integers(more.shape[1], size=len(more))] = True
    return np.asarray(np.where(kept, more, 0), np.float32)


ORIGINS: list[Origin] = [of_the_source, stored, with_noise, like_nothing, midpoints, elsewhere, some_coordinates]
SHARES = [0.5, 0.1, 0.01, 0.001]
KS = [1, 10, 100]
RECALLS = [0.8, 0.9, 0.95, 0.99]


@dataclass(frozen=True)
class Way:
    """How an index is asked; `share` of it may be found, at random or where `where` says."""

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
    """What came of a combination: the mean share found, its standard error, what was said, and how many were asked."""

    index: int
    made: str
    way: Way
    found: float
    error: float
    said: float
    queries: int


def ways(random: Random) -> Iterator[Way]:
    for _ in range(WAYS):
        origin, k = ORIGINS[random.integers(len(ORIGINS))].__name__.replace("_", " "), KS[random.integers(3)]
        where, share = "", 1.0
        if random.random() < 0.4:
            where, share = ["any", "near", "far"][random.integers(3)], SHARES[random.integers(4)]
        yield Way(origin, where, share, k, RECALLS[random.integers(4)])


def permitted(random: Random, index: Index, way: Way, queries: Vectors) -> Filter | None:
    """Those nearest to the mean of the queries, those farthest from it, or any."""
    if way.share == 1:
        return None
    ids = np.fromiter(index, np.int64, len(index))
    count = max(1, round(way.share * len(ids)))
    if way.where == "any":
        return index.filter(random.permutation(ids)[:count])
    vectors = np.stack([index[id] for id in ids.tolist()])
    apart = np.linalg.norm(vectors - queries.mean(axis=0), axis=1)
    order = np.argsort(apart if way.where == "near" else -apart, kind="stable")
    return index.filter(ids[order[:count]])


class Made:
    """An index of the number `number` of a part, and vectors of its source that are not in it."""

    def __init__(self, part: str, number: int, rows: int, queries: int) -> None:
        self.random = np.random.default_rng([zlib.crc32(part.encode()), number])
        kinds = KINDS[part]
        kind, metric = kinds[number % len(kinds)], METRICS[self.random.integers(len(METRICS))]
        state = STATES[self.random.integers(len(STATES))]
        dim = 2 if kind is cities else int(2 ** self.random.uniform(3, 8))
        count = int(self.random.uniform(0.25, 1) * rows)
        drawn = kind(self.random, count + queries, dim)
        drawn = drawn[self.random.permutation(len(drawn))]
        self.base, self.more = drawn[:count], drawn[count:]
        self.index = Index(dim, metric)
        self._fill(state)
        self.name = f"{kind.__name__.replace('_', ' ')}, {metric}, {len(self.index):,} × {dim}, {state}"

    def _fill(self, state: str) -> None:
        base, random = self.base, self.random
        if state == "drifted":
            base[len(base) // 2 :] += base.std(axis=0)
        first = len(base) if state == "sealed" else len(base) * 9 // 10
        if state == "drifted":
            first = len(base) // 2
        self.index.add(base[:first])
        self.index.optimize()
        if first < len(base):
            self.index.add(base[first:])
        if state == "nine tenths removed":
            gone = random.permutation(len(base))[: len(base) * 9 // 10]
            self.index.remove(gone)
            self.base = np.delete(base, gone, axis=0)

    def ask(self, number: int, way: Way) -> Answer:
        origin = next(each for each in ORIGINS if each.__name__ == way.origin.replace(" ", "_"))
        queries = origin(self.random, self.base, self.more)
        queries[~queries.any(axis=1)] = 1  # under cosine none may be zero
        only = permitted(self.random, self.index, way, queries[:100])
        found: list[float] = []
        said: list[float] = []
        error = 0.0
        for begin in range(0, len(queries), AT_ONCE):
            some = queries[begin : begin + AT_ONCE]
            true = self.index.search(some, way.k, exact=True, filter=only)
            answer = self.index.search(some, way.k, recall=way.recall, filter=only)
            found.extend(shares(true.distances, answer.distances))
            said.extend(np.broadcast_to(answer.recall, len(some)))
            error = float(np.std(found) / np.sqrt(len(found)))
            if error <= ERROR and len(found) > AT_ONCE:
                break
        return Answer(number, self.name, way, float(np.mean(found)), error, float(np.mean(said)), len(found))


def shares(true: Vectors, found: Vectors) -> NDArray[np.float64]:
    """Of the neighbours of each query that there are, how many were found, by distance."""
    there = np.isfinite(true)
    farthest = np.where(there, true, np.finfo(np.float32).min).max(axis=1, keepdims=True)
    near = np.isfinite(found) & (found - farthest <= ROUNDING * np.abs(farthest))
    there_are = there.sum(axis=1)
    met: NDArray[np.float64] = np.minimum(near.sum(axis=1), there_are) / np.maximum(there_are, 1)
    return np.where(there_are > 0, met, 1.0)


def pooled(answers: list[Answer]) -> list[Answer]:
    """Those of k = 1 with the same origin and recall as one, of whatever index."""
    singles: dict[tuple[str, float], list[Answer]] = defaultdict(list)
    others: list[Answer] = []
    for answer in answers:
        (singles[answer.way.origin, answer.way.recall] if answer.way.k == 1 else others).append(answer)
    for (origin, recall), pool in singles.items():
        queries = np.array([each.queries for each in pool])
        weights = queries / queries.sum()
        error = float(np.sqrt(weights**2 @ np.square([each.error for each in pool])))
        found, said = (float(weights @ values) for values in ([e.found for e in pool], [e.said for e in pool]))
        way = Way(origin, "", 1.0, 1, recall)
        others.append(Answer(-1, f"{len(pool)} combinations", way, found, error, said, int(queries.sum())))
    return others


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
    kept = sum(map(holds, judged))
    too_sure = [each for each in judged if each.found < each.said - ALLOWED - 2 * each.error]
    by_recall = sorted(judged, key=lambda each: each.found - each.way.recall)
    by_said = sorted(judged, key=lambda each: each.found - each.said)
    return "\n\n".join(
        [
            f"{len(answers):,} combinations, those of k = 1 in pools: of {len(judged):,} {kept:,} hold"
            f" ({100 * kept / len(judged):.1f} %); {len(too_sure):,} say more than is so,"
            f" by more than {ALLOWED} and two standard errors.",
            "Farthest below what was asked for:",
            table(by_recall[:WORST]),
            "Farthest below what was said:",
            table(by_said[:WORST]),
        ]
    )


def read(path: Path) -> list[Answer]:
    """Those of indexes that were asked in all ways; others are taken out, to be made again."""
    if not path.exists():
        return []
    whole = [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
    made = [json.loads(line) for line in whole]
    asked = Counter(each["index"] for each in made)
    kept = [(line, each) for line, each in zip(whole, made, strict=True) if asked[each["index"]] == WAYS]
    path.write_text("".join(line for line, _ in kept))
    return [Answer(**{**each, "way": Way(**each["way"])}) for _, each in kept]


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=sorted(KINDS), required=True)
    parser.add_argument("--count", type=int, default=2000, help="combinations")
    parser.add_argument("--rows", type=int, default=50_000, help="at most, of an index")
    parser.add_argument("--queries", type=int, default=8000, help="at most, of a combination")
    parser.add_argument("--only", type=int, help="the number of one index; nothing is kept")
    parser.add_argument("--to", type=Path, help="bench-results/promise-PART.jsonl")
    arguments = parser.parse_args(given)
    if min(arguments.count, arguments.rows, arguments.queries) < 1:
        parser.error("--count, --rows, --queries: expected at least 1")
    to = arguments.to or Path("bench-results") / f"promise-{arguments.part}.jsonl"
    answers = [] if arguments.only is not None else read(to)
    numbers = [arguments.only] if arguments.only is not None else range(-(-arguments.count // WAYS))
    to.parent.mkdir(parents=True, exist_ok=True)
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
