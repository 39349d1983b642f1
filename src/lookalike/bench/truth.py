"""The exact neighbours of queries, and the recall of what was found instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, nan
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.bench.sets import FARTHEST, Postings, Sets, nearest

Distance = Literal["cosine", "euclidean", "jaccard"]

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]
Rows = Any
"""What is compared: `Vectors`, (n, dim), or `Sets` under Jaccard's distance; nearly everybody takes one kind only."""

QUERY_BLOCK = 256
BASE_BLOCK = 65_536
GROUP = 32

ROUNDING = 1e-6
"""Recall counts a vector that is farther than the k-th neighbour by no more than this share of the distance: as near,
but for a competitor's float32 arithmetic."""


def noun(distance: str | None) -> str:
    """What is compared by it."""
    return "sets" if distance == "jaccard" else "vectors"


def exact_neighbors(
    base: Rows,
    queries: Rows,
    distance: Distance,
    k: int = 100,
    progress: Callable[[int], None] | None = None,
) -> tuple[Ids, Floats]:
    """Row numbers (n, k) and distances (n, k) of the k nearest rows of `base`, nearest first, ties by row number.

    Everything is computed in float64. `progress` is told after each block how many queries are done.
    """
    k = min(k, len(base))
    search: Callable[[Any], tuple[Ids, Floats]] = partial(_nearest, base, distance, k)
    if isinstance(base, Sets):
        search = partial(_nearest_sets, Postings.of(base), k)
    ids, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
    for start in range(0, len(queries), QUERY_BLOCK):
        block = slice(start, start + QUERY_BLOCK)
        ids[block], distances[block] = search(queries[block])
        if progress is not None:
            progress(min(start + QUERY_BLOCK, len(queries)))
    return ids, distances


def recall(base: Rows, queries: Rows, distance: Distance, neighbors: Ids, found: Ids) -> float:
    """The mean share of true neighbours among those found, for k = the columns of `found`.

    What is found counts once, if it is not farther than the k-th of the true `neighbors`: of several vectors at the
    same distance any may be found. What is no row of the base, such as −1, stands for nothing found. Sets that share
    nothing are no neighbours; 1 where nobody has any.
    """
    k, farthest = found.shape[1], FARTHEST if distance == "jaccard" else inf
    hits = wanted = 0
    for start in range(0, len(queries), QUERY_BLOCK):
        block = slice(start, start + QUERY_BLOCK)
        true = _gaps(base, queries[block], distance, neighbors[block, :k])
        there = (found[block] >= 0) & (found[block] < len(base))
        rows = np.where(there, found[block], 0)
        gaps = _gaps(base, queries[block], distance, rows)
        near = (gaps <= true[:, -1:] * (1 + ROUNDING)) & (gaps < farthest)
        hits += int(np.count_nonzero(near & there & ~_repeated(found[block])))
        wanted += int(np.count_nonzero(true < farthest))
    return hits / wanted if wanted else 1.0


def distances_of(base: Rows, queries: Rows, distance: Distance, ids: Ids) -> Floats:
    """(queries, ids of each): the distance of each query to its rows; inf for what is no row of the base."""
    found = np.full(ids.shape, np.inf)
    for start in range(0, len(queries), QUERY_BLOCK):
        block = slice(start, start + QUERY_BLOCK)
        there = (ids[block] >= 0) & (ids[block] < len(base))
        gaps = _gaps(base, queries[block], distance, np.where(there, ids[block], 0))
        found[block][there] = (gaps**2 / 2 if distance == "cosine" else gaps)[there]
    return found


def distance_ratio(base: Rows, queries: Rows, distance: Distance, neighbors: Ids, found: Ids) -> float:
    """How far what was found is, divided by how far the true `neighbors` of the same rank are; 1 at best, in the mean.

    Neighbours at distance 0 stay out, as they would divide by it; so does what is −1. NaN where nothing is left. It is
    the overall ratio of Gionis, Indyk & Motwani's followers, such as Tao et al. 2010 (10.1145/1806907.1806912).
    """
    true = distances_of(base, queries, distance, neighbors[:, : found.shape[1]])
    there = np.sort(distances_of(base, queries, distance, np.where(_repeated(found), -1, found)), axis=1)
    usable = np.isfinite(there) & (np.sort(true, axis=1) > 0)
    return float((there[usable] / np.sort(true, axis=1)[usable]).mean()) if usable.any() else nan


def _nearest_sets(base: Postings, k: int, queries: Sets) -> tuple[Ids, Floats]:
    """As `exact_neighbors`; all that share an item with a query are compared with it."""
    ids, distances = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
    for row, query in enumerate(queries):
        every = base.distances(query)
        ids[row] = nearest(every, k)
        distances[row] = every[ids[row]]
    return ids, distances


def _nearest(base: Vectors, distance: Distance, k: int, queries: Vectors) -> tuple[Ids, Floats]:
    """As `exact_neighbors`, for one block of queries: the nearest so far, against one block of the base at a time."""
    q = _prepared(queries, distance)
    ids, scores = np.empty((len(q), 0), np.int64), np.empty((len(q), 0))
    for start in range(0, len(base), BASE_BLOCK):
        new = _scores(_prepared(base[start : start + BASE_BLOCK], distance), q, distance)
        best = least(new, k)
        ids = np.concatenate([ids, best + start], axis=1)
        scores = np.concatenate([scores, np.take_along_axis(new, best, axis=1)], axis=1)
        ids, scores = _take(least(scores, k), ids, scores)
    ids, scores = _take(np.argsort(ids, axis=1), ids, scores)
    ids, scores = _take(np.argsort(scores, axis=1, kind="stable"), ids, scores)
    if distance == "cosine":
        return ids, 1 + scores
    return ids, np.sqrt(np.maximum(2 * scores + np.einsum("ij,ij->i", q, q)[:, None], 0))


def _scores(x: Floats, q: Floats, distance: Distance) -> Floats:
    """(queries, rows): what ranks the rows as the distance does, −q·x or |x|²/2 − q·x."""
    scores = q @ -x.T
    if distance == "euclidean":
        scores += np.einsum("ij,ij->i", x, x) / 2
    return scores


def least(scores: NDArray[np.floating[Any]], k: int) -> NDArray[np.intp]:
    """The places of the k least scores of each row, in any order; of all, where there are no more."""
    rows, columns = scores.shape
    if columns <= k:
        return np.broadcast_to(np.arange(columns), scores.shape)
    if columns <= 2 * k * GROUP:
        return np.argpartition(scores, k - 1, axis=1)[:, :k]
    # Partitioning everything would cost more than the products: the k least lie in the k groups of least minimum.
    whole = columns // GROUP * GROUP
    minima = scores[:, :whole].reshape(rows, -1, GROUP).min(axis=2)
    places = (least(minima, k)[:, :, None] * GROUP + np.arange(GROUP)).reshape(rows, -1)
    places = np.concatenate([places, np.broadcast_to(np.arange(whole, columns), (rows, columns - whole))], axis=1)
    best = np.argpartition(np.take_along_axis(scores, places, axis=1), k - 1, axis=1)[:, :k]
    return np.take_along_axis(places, best, axis=1)


def _take(order: NDArray[np.intp], ids: Ids, scores: Floats) -> tuple[Ids, Floats]:
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _gaps(base: Rows, queries: Rows, distance: Distance, ids: Ids) -> Floats:
    """(queries, ids of each): lengths that rank the rows of each query as the distance does, 0 for equal vectors."""
    if isinstance(base, Sets):
        return np.reshape([base.distances(*pair) for pair in zip(queries, ids, strict=True)], ids.shape)
    gaps: Floats = np.linalg.norm(_prepared(base[ids], distance) - _prepared(queries, distance)[:, None], axis=-1)
    return gaps


def _prepared(vectors: Vectors, distance: Distance) -> Floats:
    wide = vectors.astype(np.float64)
    if distance == "cosine":
        wide /= np.linalg.norm(wide, axis=-1, keepdims=True)
    return wide


def _repeated(ids: Ids) -> NDArray[np.bool_]:
    """True where the same id stands in the same row a second time."""
    order = np.argsort(ids, axis=1, kind="stable")
    ranked = np.take_along_axis(ids, order, axis=1)
    again = np.zeros(ids.shape, bool)
    again[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    repeated = np.empty_like(again)
    np.put_along_axis(repeated, order, again, axis=1)
    return repeated
