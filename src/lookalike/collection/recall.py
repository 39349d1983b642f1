"""What a search of a collection finds and costs, by the recall it is asked for, measured with what is its own."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.index import Reader
from lookalike.metric import Metric

ASKED = (0.8, 0.9, 0.95, 0.99)
K = 10
_QUERIES = 64
_ROUNDS = 3  # of which the fastest counts


class Measured(NamedTuple):
    """One point of a recall curve.

    Attributes:
        asked: what `recall` was.
        found: the share of the true nearest 10 that was found.
        compared: with how many vectors the query was compared, on average.
        seconds: of one search, on one thread.
    """

    asked: float
    found: float
    compared: float
    seconds: float


class Curves(NamedTuple):
    """What searches by two kinds of queries find and cost.

    Attributes:
        rows: of queries such as are stored.
        without_relatives: of such as nothing that is stored is like.
    """

    rows: list[Measured]
    without_relatives: list[Measured]


def recall_curves(index: Reader) -> Curves:
    """The curves of an index: with 64 of its own vectors as queries, and with the midpoints of 64 pairs of them.

    None of those counts as found by itself, nor by a midpoint. No points where every search compares all vectors.
    """
    ids = index.ids
    if len(ids) < 2 * K or index.search(index[int(ids[0])], K, recall=min(ASKED)).recall == 1.0:
        return Curves([], [])
    dice = np.random.default_rng(0)
    pairs = ids[dice.choice(len(ids), (min(_QUERIES, len(ids) // 2), 2), replace=False, shuffle=False)]
    rows, others = (np.stack([index[int(each)] for each in some]) for some in pairs.T)
    middles, are_some = _midpoints(rows, others, index.metric, dice)
    return Curves(_curve(index, rows, pairs[:, :1]), _curve(index, middles, pairs[are_some]))


def _midpoints(
    some: NDArray[Any], others: NDArray[Any], metric: Metric, dice: np.random.Generator
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """What lies between pairs of vectors, of bits each from either; and of which pairs there is such a vector."""
    if metric == "hamming":
        either = dice.integers(256, size=some.shape, dtype=np.uint8)
        return (some & either) | (others & ~either), np.ones(len(some), bool)
    if metric == "cosine":
        some, others = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (some, others))
    middles = ((some + others) / 2).astype(np.float32)
    are_some = np.linalg.norm(middles, axis=1) > 1e-6 if metric == "cosine" else np.ones(len(middles), bool)
    return middles[are_some], are_some


def _curve(index: Reader, queries: NDArray[Any], own: NDArray[np.int64]) -> list[Measured]:
    """The curve of some queries.

    Args:
        own: (n, m), the ids that each was made of.
    """
    if not len(queries):
        return []
    k = K + own.shape[1]
    made_of = own.tolist()
    truth = [_others(row, ids) for row, ids in zip(index.search(queries, k, exact=True).ids, made_of, strict=True)]
    curve = []
    for asked in ASKED:
        found = index.search(queries, k, recall=asked, threads=1)
        seconds = min(_seconds(index, queries, k, asked) for _ in range(_ROUNDS))
        shares = [
            len(true & _others(row, ids)) / len(true) for true, row, ids in zip(truth, found.ids, made_of, strict=True)
        ]
        curve.append(Measured(asked, float(np.mean(shares)), float(np.mean(found.candidates)), seconds))
    return curve


def _seconds(index: Reader, queries: NDArray[Any], k: int, recall: float) -> float:
    start = perf_counter()
    index.search(queries, k, recall=recall, threads=1)
    return (perf_counter() - start) / len(queries)


def _others(row: NDArray[np.int64], own: Sequence[int]) -> set[int]:
    """The nearest, without what the query was made of."""
    return set([each for each in row.tolist() if each not in own][:K])
