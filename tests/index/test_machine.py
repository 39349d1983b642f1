"""Random histories of an index, held against a dict and brute force after every step."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray

from lookalike import Index, errors
from lookalike.index.filter import Filter
from tests.index.brute_force import METRICS, check_neighbors, distances

DIM = 3
ALL = 2**20  # more than there are buckets
few = st.sampled_from([[1.0, 2.0, 2.0], [-1.0, 0.0, 3.0], [2.0, 4.0, 4.0]])  # so that there are copies
vectors = few | st.lists(st.integers(-4, 4).map(float), min_size=DIM, max_size=DIM).filter(any)
ids = st.one_of(st.integers(0, 12), st.integers(0, 2**62))


class History(RuleBasedStateMachine):
    @initialize(metric=st.sampled_from(METRICS), hashed=st.booleans())
    def make(self, metric: str, hashed: bool) -> None:
        self.index = Index(DIM, metric, buckets=4 if hashed else None)  # type: ignore[arg-type]
        self.stored: dict[int, list[float]] = {}
        self.next_id = 0
        self.filter: tuple[list[int], Filter] = [], self.index.filter([])
        self.folder = tempfile.TemporaryDirectory()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def keep(self, new: dict[int, list[float]]) -> None:
        for id, vector in new.items():
            self.stored[id] = vector
            self.next_id = max(self.next_id, id + 1)

    @rule(new=st.lists(vectors, max_size=5))
    def add(self, new: list[list[float]]) -> None:
        given = self.index.add(new)
        expected = range(self.next_id, self.next_id + len(new))
        assert given.tolist() == list(expected)
        self.keep(dict(zip(expected, new, strict=True)))

    @rule(new=st.dictionaries(ids, vectors, max_size=5), overwrite=st.booleans())
    def add_with_ids(self, new: dict[int, list[float]], overwrite: bool) -> None:
        if not overwrite and not self.stored.keys().isdisjoint(new):
            with pytest.raises(errors.IdError, match="already"):
                self.index.add(list(new.values()), list(new))
        else:
            self.index.add(list(new.values()), list(new), overwrite=overwrite)
            self.keep(new)

    @rule(bad=vectors, where=st.integers(0, DIM - 1))
    def add_nan(self, bad: list[float], where: int) -> None:
        broken = [*bad[:where], float("nan"), *bad[where + 1 :]]
        with pytest.raises(errors.VectorError, match=f"NaN at position {where}"):
            self.index.add([bad, broken])

    @precondition(lambda self: self.stored)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.lists(st.sampled_from(sorted(self.stored)), unique=True, max_size=4))
        self.index.remove(gone)
        for id in gone:
            del self.stored[id]

    @rule(id=ids)
    def remove_missing(self, id: int) -> None:
        if id not in self.stored:
            with pytest.raises(errors.IdError, match=f"id {id} is not in the index"):
                self.index.remove([*list(self.stored)[:2], id])

    @rule()
    def optimize(self) -> None:
        self.index.optimize()

    @rule(note=st.none() | st.dictionaries(st.text(), st.text(), max_size=2))
    def save_and_open(self, note: dict[str, str] | None) -> None:
        path = os.path.join(self.folder.name, "index")
        expected = self.index.note if note is None else note
        self.index.save(path, note=note)
        self.index = Index.open(path)
        assert self.index.note == expected

    @invariant()
    def holds_what_was_put_in(self) -> None:
        if not hasattr(self, "stored"):
            return
        assert len(self.index) == len(self.stored)
        assert self.index.ids.tolist() == sorted(self.stored)
        for id, vector in list(self.stored.items())[:3]:
            assert id in self.index
            assert self.index[id].tolist() == vector

    @rule(query=vectors, k=st.integers(1, 12), probes=st.sampled_from([None, ALL]))
    def search(self, query: list[float], k: int, probes: int | None) -> None:
        found = self.index.search(query, k, exact=probes is None, probes=probes)
        ids = sorted(self.stored)
        check_neighbors(found, self.index.metric, np.array(query), np.array(ids), self.vectors_of(ids), k)
        assert np.all(found.recall == 1.0)

    @rule(query=vectors, k=st.integers(1, 12), exact=st.booleans(), data=st.data())
    def search_some(self, query: list[float], k: int, exact: bool, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from([*sorted(self.stored), 13, 2**62 + 1]), max_size=8))
        form = data.draw(st.sampled_from(["ids", "mask", "function"]))
        filters: dict[str, Any] = {
            "ids": some,
            "mask": np.isin(self.index.ids, np.array(some, np.int64)),
            "function": lambda ids: np.isin(ids, np.array(some, np.int64)),
        }
        found = self.index.search(query, k, exact=exact, probes=None if exact else ALL, filter=filters[form])
        ids = sorted(set(some) & self.stored.keys())
        check_neighbors(found, self.index.metric, np.array(query), np.array(ids, np.int64), self.vectors_of(ids), k)

    @rule(data=st.data())
    def make_a_filter(self, data: st.DataObject) -> None:
        some = data.draw(st.lists(st.sampled_from([*sorted(self.stored), 13, 2**62 + 1]), max_size=8))
        self.filter = some, self.index.filter(some)

    @rule(query=vectors, k=st.integers(1, 12), exact=st.booleans())
    def search_with_the_last_filter(self, query: list[float], k: int, exact: bool) -> None:
        some, made = self.filter
        found = self.index.search(query, k, exact=exact, probes=None if exact else ALL, filter=made)
        ids = sorted(set(some) & self.stored.keys())
        check_neighbors(found, self.index.metric, np.array(query), np.array(ids, np.int64), self.vectors_of(ids), k)

    @rule(query=vectors, k=st.integers(1, 12), probes=st.integers(1, 3))
    def search_few_buckets(self, query: list[float], k: int, probes: int) -> None:
        found = self.index.search(query, k, probes=probes)
        there = found.ids[found.ids >= 0].tolist()
        assert len(there) == min(k, len(self.stored))
        assert len(set(there)) == len(there)
        assert set(there) <= self.stored.keys()
        check_neighbors(found, self.index.metric, np.array(query), np.array(there, np.int64), self.vectors_of(there), k)

    @rule(query=vectors, radius=st.floats(0, 8), exact=st.booleans())
    def range_search(self, query: list[float], radius: float, exact: bool) -> None:
        found = self.index.range_search(query, radius, exact=exact).ids
        assert len(set(found.tolist())) == len(found)
        ids = np.array(sorted(self.stored), np.int64)
        away = distances(self.index.metric, np.array(query), self.vectors_of(ids.tolist()))
        slack = 1e-4 * (1 + radius)
        assert set(found.tolist()) <= set(ids[away <= radius + slack].tolist())
        if exact:
            assert set(found.tolist()) >= set(ids[away <= radius - slack].tolist())

    def vectors_of(self, ids: list[int]) -> NDArray[np.float64]:
        return np.array([self.stored[id] for id in ids]).reshape(-1, DIM)

    @precondition(lambda self: self.stored)
    @rule(data=st.data(), k=st.integers(1, 5))
    def neighbors_of(self, data: st.DataObject, k: int) -> None:
        id = data.draw(st.sampled_from(sorted(self.stored)))
        others = [other for other in self.stored if other != id]
        found = self.index.neighbors_of(id, k, exact=True)
        check_neighbors(
            found, self.index.metric, np.array(self.stored[id]), np.array(others), self.vectors_of(others), k
        )


History.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestHistory = History.TestCase
