"""lookalike among sets: `Index(metric="hamming")` of one bit of each of many MinHash values (Li & König 2010, b = 1).

lookalike has no hash family for sets; whoever has sets can make such codes as it is done here. Of sets whose similarity
is J, a bit is equal with probability (1 + J) / 2, so that the Hamming distance of codes ranks them. As it does so with
a variance, more candidates than neighbours are asked for, and compared exactly.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.bench.competitors.competitor import Shape
from lookalike.bench.competitors.ours import compared
from lookalike.bench.competitors.reranked import Reranked
from lookalike.bench.truth import Distance, Ids, Rows
from lookalike.index import Index

BITS = 1024
BLOCK = 4096
"""Items that are hashed at once: 16 MiB of hashes."""

Hashes = npt.NDArray[np.uint32]
Codes = npt.NDArray[np.uint8]

_random = np.random.default_rng(1)
MULTIPLIERS = _random.integers(1 << 31, size=BITS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
SHIFTS = _random.integers(1 << 32, size=BITS, dtype=np.uint32)
"""Hash function i is h · MULTIPLIERS[i] + SHIFTS[i] modulo 2^32, a permutation, as the factor is odd."""


class OfSets(Reranked):
    distribution = "lookalike"

    def build(self, base: Rows, distance: Distance, threads: int) -> None:
        super().build(base, distance, threads)
        self._index = Index(BITS, "hamming")
        self._index.add(codes(base))
        self._index.optimize()
        self.parameters = f"1-bit MinHash in {self._index!r}"

    def candidates(self, query: Any, k: int) -> Ids:
        return self._found(_code(query), k, 1)

    def query_batch(self, vectors: Rows, k: int) -> Any:
        every = self._found(codes(vectors), k, self._threads)
        return [self.reranked(query, rows, k) for query, rows in zip(vectors, every, strict=True)]

    def touched(self, vectors: Rows, k: int) -> float:
        """By their codes."""
        return compared([self._index.explain(code, self._wanted(k)) for code in codes(vectors)])

    def save(self, folder: str) -> None:
        super().save(folder)
        self._index.save(_file(folder))

    def load(self, folder: str, shape: Shape) -> None:
        super().load(folder, shape)
        self._index = Index.open(_file(folder))

    def add(self, ids: Ids, vectors: Rows) -> None:
        super().add(ids, vectors)
        self._index.add(codes(vectors), ids)

    def remove(self, ids: Ids) -> None:
        self._index.remove(ids)

    def _found(self, code: Codes, k: int, threads: int) -> Ids:
        return self._index.search(code, self._wanted(k), threads=threads).ids

    def _wanted(self, k: int) -> int:
        return min(self._factor * k, len(self._index))


def codes(sets: Rows) -> Codes:
    """(n, BITS / 8), packed."""
    return np.stack([_code(items) for items in sets])


def _code(items: npt.NDArray[np.int32]) -> Codes:
    hashes = _mixed(items.astype(np.uint32))[:, None]
    least = np.full(BITS, np.iinfo(np.uint32).max, np.uint32)
    for start in range(0, len(items), BLOCK):
        np.minimum(least, (hashes[start : start + BLOCK] * MULTIPLIERS + SHIFTS).min(axis=0), out=least)
    return np.packbits(_mixed(least) & 1 == 1)


def _mixed(hashes: Hashes) -> Hashes:
    """Each bit depends on all: the finalizer of MurmurHash3."""
    hashes = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    hashes = (hashes ^ (hashes >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return hashes ^ (hashes >> np.uint32(16))


def _file(folder: str) -> str:
    return os.path.join(folder, "codes.lookalike")
