"""What a search of a collection finds and costs, by the recall it is asked for, measured with pictures of its own."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.index import Reader

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


def recall_curve(index: Reader) -> list[Measured]:
    """The curve of an index, with 64 of its own vectors as queries, none of which counts as found by itself.

    No points where every search compares all vectors.
    """
    ids = index.ids
    if len(ids) <= K or index.search(index[int(ids[0])], K, recall=min(ASKED)).recall == 1.0:
        return []
    chosen = ids[np.random.default_rng(0).choice(len(ids), min(_QUERIES, len(ids)), replace=False, shuffle=False)]
    queries = np.stack([index[int(each)] for each in chosen])
    truth = [_others(row, own) for row, own in zip(index.search(queries, K + 1, exact=True).ids, chosen, strict=True)]
    curve = []
    for asked in ASKED:
        found = index.search(queries, K + 1, recall=asked, threads=1)
        seconds = min(_seconds(index, queries, asked) for _ in range(_ROUNDS))
        shares = [
            len(true & _others(row, own)) / len(true) for true, row, own in zip(truth, found.ids, chosen, strict=True)
        ]
        curve.append(Measured(asked, float(np.mean(shares)), float(np.mean(found.candidates)), seconds))
    return curve


def _seconds(index: Reader, queries: NDArray[np.float32], recall: float) -> float:
    start = perf_counter()
    index.search(queries, K + 1, recall=recall, threads=1)
    return (perf_counter() - start) / len(queries)


def _others(row: NDArray[np.int64], own: int) -> set[int]:
    """The nearest, without the query itself."""
    return set([each for each in row.tolist() if each != own][:K])
