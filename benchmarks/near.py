"""How long `lookalike dedupe` takes to find the near duplicates of many vectors, and which share of them it finds.

    python benchmarks/near.py                 # 100,000 vectors of 1,280 dimensions, a tenth of them altered copies
    python benchmarks/near.py --crowd 10000   # so many of the copies are of one vector

Clusters of Gaussians, so that neighbours are as near as pictures of one kind (0.59 apart, others 1.0); copies are
moved by 0.0002 to 0.045. Truth is the same rule by brute force, among each vector and its copies.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from time import perf_counter

import numpy as np
import numpy.typing as npt

from lookalike import Index
from lookalike.dedupe import WITHIN
from lookalike.dedupe.near import Led, near
from making import say

Vectors = npt.NDArray[np.float32]

COPIES = 0.1
"""Of all vectors."""
CLUSTERS = 2000


def unit(vectors: Vectors) -> Vectors:
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def noise(random: np.random.Generator, count: int, dim: int) -> Vectors:
    """Vectors about 1 long."""
    return random.standard_normal((count, dim), dtype=np.float32) / np.float32(np.sqrt(dim))


def planted(count: int, dim: int, crowd: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
    """Vectors, and of which vector each is a copy: of itself, if it is none."""
    random = np.random.default_rng(0)
    copies = int(count * COPIES)
    centres = unit(noise(random, CLUSTERS, dim))
    originals = unit(centres[random.integers(CLUSTERS, size=count - copies)] + 1.2 * noise(random, count - copies, dim))
    of = random.integers(len(originals), size=copies)
    of[:crowd] = 0
    moved = random.uniform(0.02, 0.3, (copies, 1)).astype(np.float32)  # a distance of half the square
    return np.concatenate([originals, unit(originals[of] + moved * noise(random, copies, dim))]), np.concatenate(
        [np.arange(len(originals)), of]
    )


def truth(vectors: Vectors, of: npt.NDArray[np.int64], order: list[int], within: float) -> dict[int, set[int]]:
    """The groups by brute force, among each vector and its copies."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    by_family = np.argsort(of, kind="stable")
    groups = {}
    for family in np.split(by_family, np.flatnonzero(np.diff(of[by_family])) + 1):
        if len(family) > 1:
            groups.update(_groups(vectors, family[np.argsort(place[family])], within))
    return groups


def _groups(vectors: Vectors, family: npt.NDArray[np.int64], within: float) -> dict[int, set[int]]:
    groups = {}
    while len(family) > 1:
        leader, rest = family[0], family[1:]
        alike = 1 - vectors[rest] @ vectors[leader] <= within
        if alike.any():
            groups[int(leader)] = set(rest[alike].tolist())
        family = rest[~alike]
    return groups


def compare(found: list[Led], true: Mapping[int, set[int]]) -> str:
    ours = {group.leader: set(group.ids) for group in found}
    members = sum(map(len, true.values()))
    hit = sum(len(group & ours.get(leader, set())) for leader, group in true.items())
    wrong = sum(len(group - true.get(leader, set())) for leader, group in ours.items())
    return f"{hit / members:.4f} of {members:,} members in {len(true):,} groups are found, {wrong} others besides"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=1280)
    parser.add_argument("--crowd", type=int, default=0)
    parser.add_argument("--within", type=float, default=WITHIN)
    given = parser.parse_args()
    vectors, of = planted(given.count, given.dim, given.crowd)
    index = Index(given.dim, "cosine")
    index.add(vectors)
    index.optimize()
    order = np.random.default_rng(1).permutation(given.count).tolist()
    start = perf_counter()
    found = near(index, order, given.within)
    seconds = perf_counter() - start
    say(f"{given.count:,} x {given.dim}, within {given.within:g}: {seconds:.1f} s")
    say(compare(found, truth(vectors, of, order, given.within)))


if __name__ == "__main__":
    main()
