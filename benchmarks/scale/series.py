"""Vectors of one kind as files, of which a size is the first so many; they are kept for the next run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

import mixture
from lookalike.bench.datasets import Dataset
from lookalike.bench.given import fingerprint
from lookalike.bench.truth import Distance, Vectors, exact_neighbors
from lookalike.durable import draft, put
from making import progress, say

SEED = 0
MOST_QUERIES = 10_000


@dataclass(frozen=True)
class Series:
    """Files of vectors, float32, of unit length under the cosine.

    Attributes:
        base: (n, dim), the largest size.
        queries: (m, dim), not among them.
        key: no other vectors have it.
    """

    name: str
    synthetic: bool
    distance: Distance
    counts: Sequence[int]
    base: str
    queries: str
    key: str

    @property
    def dim(self) -> int:
        return int(np.load(self.base, mmap_mode="r").shape[1])


def real(data: Dataset, counts: Iterable[int], folder: str) -> Series:
    """The first rows of a data set, at most as many as it has."""
    key = fingerprint(data)
    base, queries = (os.path.join(folder, f"{data.name}-{key[:12]}-{what}.npy") for what in ("base", "queries"))
    _once(base, lambda path: _save(path, data.base))
    _once(queries, lambda path: _save(path, data.test.vectors))
    sizes = sorted({min(count, len(data.base)) for count in counts})
    return Series(data.name, False, data.distance, sizes, base, queries, key)


def synthetic(data: Dataset, counts: Iterable[int], components: int, folder: str) -> Series:
    """Rows drawn from a mixture fitted to a data set, and queries with them."""
    sizes = sorted(set(counts))
    key = f"{fingerprint(data)}-mixture-{components}-{SEED}"
    stem = os.path.join(folder, f"{data.name}-{key[:12]}-mixture-{components}-{SEED}")
    base, queries = f"{stem}-{sizes[-1]}.npy", f"{stem}-queries.npy"
    if not (os.path.exists(base) and os.path.exists(queries)):
        say(f"a mixture of {components:,} Gaussians is fitted to {data.name}")
        fitted = mixture.fit(data.base, components, SEED)
        for path, count, seed in ((queries, MOST_QUERIES, 1), (base, sizes[-1], 0)):
            say(f"{count:,} vectors are drawn from it")
            blocks = fitted.blocks(count, [SEED, seed])
            shape = count, data.base.shape[1]
            _once(path, lambda beside: _fill(beside, shape, blocks, data.distance))  # noqa: B023 (called at once)
    return Series(f"{data.name} mixture (synthetic)", True, data.distance, sizes, base, queries, key)


def neighbors(series: Series, count: int, asked: int, k: int, folder: str) -> str:
    """The file of the k exact neighbours of the first `asked` queries among the first `count` rows."""
    base, queries = np.load(series.base, mmap_mode="r")[:count], np.load(series.queries)[:asked]
    path = os.path.join(folder, f"neighbors-{series.key}-{count}-{len(queries)}-{k}.npy")
    if not os.path.exists(path):
        say(f"{series.name}: the exact neighbours of {len(queries):,} queries among {count:,}")
        ids, _ = exact_neighbors(base, queries, series.distance, k, progress(len(queries)))
        _once(path, lambda beside: _save(beside, ids))
    return path


def _once(path: str, write: Callable[[str], None]) -> None:
    if not os.path.exists(path):
        with draft(path) as beside:
            write(beside)
            put(beside, path)


def _save(path: str, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    with open(path, "wb") as file:
        np.save(file, array)


def _fill(path: str, shape: tuple[int, int], blocks: Iterable[Vectors], distance: Distance) -> None:
    report, done = progress(shape[0]), 0
    file = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    for block in blocks:
        if distance == "cosine":
            block /= np.linalg.norm(block, axis=1, keepdims=True)
        file[done : done + len(block)] = block
        done += len(block)
        report(done)
    file.flush()
