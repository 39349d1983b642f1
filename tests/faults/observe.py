"""What a collection says it holds, once it was found whole and its answers equal to brute force."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import Collection
from tests.faults import pictures

State = dict[str, int]
"""The seed of the picture at each path, relative to the folder of pictures."""

K = 5
QUERIES = 3
TOLERANCE = 1e-5


@dataclass
class Known:
    """What may be in a collection that a crash left: for each path the seeds that may be there, None for no picture.

    What was acknowledged leaves one possibility for each path; what was begun since adds its own.
    """

    paths: dict[str, set[int | None]] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)  # the seed that each id was seen with

    def begin(self, changes: Mapping[str, int | None]) -> None:
        for path, seed in changes.items():
            self.paths.setdefault(path, {None}).add(seed)

    def settle(self, state: State) -> None:
        """`state` was acknowledged, or seen by another process: no other is allowed any more."""
        self.paths = {path: {seed} for path, seed in state.items()}

    def check(self, state: State, ids: dict[int, int]) -> None:
        moved = {state[path] for path, seeds in self.paths.items() if len(seeds) > 1 and path in state}
        for path in self.paths.keys() | state.keys():
            allowed = self.paths.get(path, {None})
            seed = state.get(path)
            if seed is None and len(allowed) > 1 and allowed & moved:
                continue  # what was there has moved to where a copy was made, and what comes is not embedded yet
            assert seed in allowed, f"{path} has {seed or 'no picture'}, expected one of {allowed}"
        for item_id, seed in ids.items():
            assert self.ids.setdefault(item_id, seed) == seed, f"id {item_id} was used for another content"


def observe(collection: Collection, folder: str) -> tuple[State, dict[int, int]]:
    """The state of a collection, and the seed of each id; AssertionError where two of its answers differ."""
    vectors = {path: collection.vector(path) for path in collection.paths()}
    key = (lambda path: path) if collection.things == "vectors" else (lambda path: os.path.relpath(path, folder))
    state = {key(path): pictures.seed_of(vector) for path, vector in vectors.items()}
    assert len(state) == len(collection) == collection.info().indexed
    assert collection.failed() == []
    ids: dict[int, int] = {}
    for query in np.random.default_rng(len(state)).standard_normal((QUERIES, pictures.DIM)):
        expected = {path: _distance(query, vector) for path, vector in vectors.items()}
        for k in (K, 10**6):
            for exact in (False, True):
                hits = collection.search(query, k, exact=exact)
                _check(hits, expected, k)
                ids |= {hit.id: state[key(hit.path)] for hit in hits}
    return state, ids


def _check(hits: Any, expected: dict[str, float], k: int) -> None:
    paths = {hit.path for hit in hits}
    assert len(paths) == len(hits) == min(k, len(expected))
    assert paths <= expected.keys(), "a picture was found that the collection does not list"
    np.testing.assert_allclose([hit.distance for hit in hits], sorted(expected.values())[:k], atol=TOLERANCE)
    np.testing.assert_allclose([hit.distance for hit in hits], [expected[hit.path] for hit in hits], atol=TOLERANCE)


def _distance(a: NDArray[np.float64], b: NDArray[np.float32]) -> float:
    return float(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b.astype(np.float64)))
