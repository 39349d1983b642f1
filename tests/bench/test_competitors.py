"""Every competitor with its real library: what it finds, keeps, takes in and lets go."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.bench.child import as_ids
from lookalike.bench.competitors import CannotError, Competitor, Shape, create, everyone
from lookalike.bench.datasets import Dataset
from lookalike.bench.truth import Distance, Ids, Rows, Vectors, exact_neighbors
from tests.conftest import LONG

from .tiny import DIM, LIBRARIES, installed, tiny

pytestmark = pytest.mark.thorough

K, COUNT = 10, 1000
DISTANCES: list[Distance] = ["cosine", "euclidean"]
CANNOT = {
    "hnswlib": {"touched"},
    "faiss-hnsw": {"remove"},
    "faiss-ivfpq": {"remove"},
    "faiss-rabitq": {"remove"},
    "scann": {"touched"},
    "symphonyqg": {"touched", "add", "remove"},
    "rabitq-ivf": {"touched"},
    "voyager": {"touched"},
    "svs": {"touched", "add", "remove"},
    "svs-lvq": {"touched", "add", "remove"},
    "annoy": {"touched", "add", "remove"},
    "pynndescent": {"touched", "save", "remove"},
    "faiss-lsh": {"remove"},
    "nearpy": {"save"},
    "sklearn-tree": {"save", "add", "remove"},
    "sklearn-brute": {"save", "add", "remove"},
}
"""What a library does not do, which its competitor says."""
NOT_UNDER = {("scann", "cosine"): {"remove"}}
"""Nor this, under that distance."""
ALL = {"faiss-lsh", "sklearn-brute", "faiss-flat", "brute-numpy", "brute-pairs"}
"""Those that compare a query with every vector."""
SUMMITS = {"faiss-hnsw", "usearch", "sklearn-tree"}
"""Those that meet some vectors or the centres of some more than once, on the way down."""

SLOW = {"pynndescent"}  # numba compiles it for minutes: LOOKALIKE_LONG=1 tests it
TAKING_PART = [
    name
    for name in everyone("cosine")
    # the licence of svs keeps it out of [bench]
    if ("svs" not in name or installed(name)) and (name not in SLOW or LONG)
]
each = pytest.mark.parametrize("name", TAKING_PART)


def built(name: str, data: Dataset) -> Competitor:
    """At its most thorough setting."""
    if not installed(name):
        pytest.skip(f"needs {name}: pip install 'lookalike[bench]'")
    competitor = create(name)
    competitor.build(data.base.copy(), data.distance, 1)
    competitor.configure(competitor.sweep()[-1], 1)
    return competitor


def single(competitor: Competitor, queries: Rows, k: int = K) -> Ids:
    return as_ids([competitor.query(query, k) for query in competitor.prepare(queries)], k)


def batch(competitor: Competitor, queries: Rows, k: int = K) -> Ids:
    return as_ids(competitor.query_batch(queries, k), k)


def shared(some: Ids, others: Ids) -> float:
    return float(np.mean([len({*a} & {*b}) / len(b) for a, b in zip(some.tolist(), others.tolist(), strict=True)]))


def able(name: str, what: str, distance: Distance) -> bool:
    return what not in CANNOT.get(name, set()) | NOT_UNDER.get((name, distance), set())


def cannot(name: str, what: str, distance: Distance, call: Callable[[], object]) -> bool:
    """Whether it says that it does not do that; it must, if it is known not to."""
    if able(name, what, distance):
        return False
    with pytest.raises(CannotError, match=r"^[a-z_]+ [\w ,]+"):
        call()
    return True


def unlike(data: Dataset, count: int) -> Vectors:
    """Vectors that are not in the base, each of the length of one there."""
    vectors = np.random.default_rng(5).standard_normal((count, DIM)).astype(np.float32)
    lengths = np.linalg.norm(data.base[:count], axis=1) / np.linalg.norm(vectors, axis=1)
    return np.ascontiguousarray(vectors * lengths[:, None])


@each
@pytest.mark.parametrize("distance", DISTANCES)
def test_its_most_thorough_setting_finds_the_neighbours(name: str, distance: Distance) -> None:
    data = tiny(distance)
    if name == "nearpy":
        data = tiny("cosine")  # whatever the distance, it compares vectors of unit length
    competitor = built(name, data)
    one_by_one, together = single(competitor, data.test.vectors), batch(competitor, data.test.vectors)
    assert shared(one_by_one, data.test.neighbors) > 0.9
    assert shared(together, data.test.neighbors) > 0.9
    assert shared(one_by_one, together) > 0.95
    assert competitor.parameters


@each
def test_a_thorough_setting_finds_no_less_than_a_fast_one(name: str) -> None:
    data = tiny("cosine")
    competitor = built(name, data)
    found = []
    for setting in competitor.sweep()[:: max(1, len(competitor.sweep()) - 1)]:
        competitor.configure(setting, 2)
        found.append(shared(batch(competitor, data.test.vectors), data.test.neighbors))
    assert found[0] <= found[-1]
    assert len({str(sorted(setting.items())) for setting in competitor.sweep()}) == len(competitor.sweep())


@each
def test_what_it_touches_is_told(name: str) -> None:
    data = tiny("cosine")
    competitor, queries = built(name, data), data.test.vectors
    if cannot(name, "touched", "cosine", lambda: competitor.touched(queries, K)):
        return
    thorough = competitor.touched(queries, K)
    competitor.configure(competitor.sweep()[0], 1)
    fast = competitor.touched(queries, K)
    above = COUNT / 10 if name in SUMMITS else 0
    assert 0 < fast <= thorough <= COUNT + above
    assert thorough > K
    assert (fast == COUNT) == (name in ALL or name == "lookalike")  # of ours, so few are in no bucket


@each
@pytest.mark.parametrize("distance", DISTANCES)
def test_what_is_saved_is_loaded(name: str, distance: Distance, tmp_path: Path) -> None:
    data = tiny(distance)
    competitor, queries = built(name, data), data.test.vectors
    if cannot(name, "save", distance, lambda: competitor.save(str(tmp_path))):
        assert cannot(name, "save", distance, lambda: create(name).load(str(tmp_path), Shape(COUNT, DIM, distance)))
        return
    before = single(competitor, queries)
    competitor.save(str(tmp_path))
    assert any(path.is_file() for path in tmp_path.rglob("*"))
    loaded = create(name)
    loaded.load(str(tmp_path), Shape(COUNT, DIM, distance))
    loaded.configure(loaded.sweep()[-1], 1)
    assert np.array_equal(single(loaded, queries), before)
    assert shared(batch(loaded, queries), before) > 0.95


@each
@pytest.mark.parametrize("distance", DISTANCES)
def test_what_is_added_is_found_and_what_is_removed_is_not(name: str, distance: Distance) -> None:
    data = tiny(distance)
    competitor, new = built(name, data), unlike(data, 4)
    ids = np.arange(COUNT, COUNT + 4)
    if not cannot(name, "add", distance, lambda: competitor.add(ids[:1], new[:1])):
        competitor.add(ids[:1], new[:1])
        competitor.add(ids[1:], new[1:])
        competitor.configure(competitor.sweep()[-1], 1)
        assert single(competitor, new)[:, 0].tolist() == ids.tolist()
        assert batch(competitor, new)[:, 0].tolist() == ids.tolist()
        assert batch(competitor, new[:1])[:, 0].tolist() == ids[:1].tolist()
    nearest = single(competitor, data.base[:3])[:, 0]
    assert nearest.tolist() == [0, 1, 2]
    if not cannot(name, "remove", distance, lambda: competitor.remove(nearest[:1])):
        gone = np.array([1, *ids[2:3]] if able(name, "add", distance) else [1])
        competitor.remove(gone[:1])
        competitor.remove(gone[1:])
        for search in (single, batch):
            assert not np.isin(search(competitor, np.concatenate([data.base[:20], new])), gone).any()
            assert search(competitor, data.base[:3])[[0, 2], 0].tolist() == [0, 2]
            assert search(competitor, new)[[0, 1, 3], 0].tolist() == ids[[0, 1, 3]].tolist()


@each
@pytest.mark.parametrize(("count", "dim", "k"), [(100, 2, 10), (100, 1280, 10), (300, 101, 10), (300, 64, 100)])
def test_it_takes_few_vectors_of_any_dimensions(name: str, count: int, dim: int, k: int) -> None:
    base = np.random.default_rng(2).standard_normal((count, dim)).astype(np.float32)
    data = Dataset("odd", "euclidean", base, tiny("euclidean").test)
    if dim < DIM and LIBRARIES.get(name) == "rabitqlib":
        with pytest.raises(CannotError, match="64 dimensions or more; these have 2"):
            built(name, data)
        return
    competitor = built(name, data)
    neighbors, _ = exact_neighbors(_seen(name, base), _seen(name, base)[:20], "euclidean", k)
    assert shared(batch(competitor, base[:20], k), neighbors) > 0.95
    competitor.configure(competitor.sweep()[0], 1)
    assert (single(competitor, base[:20], k)[:, 0] >= 0).mean() > 0.5  # a list or leaf may hold nothing


def _seen(name: str, vectors: Vectors) -> Any:
    """As the library takes them."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if name == "nearpy" else vectors


@pytest.mark.parametrize("name", [name for name in everyone("cosine") if not name.startswith(("lookalike", "brute"))])
def test_a_library_that_is_missing_costs_only_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = LIBRARIES.get(name, name)
    for module in [library, *(one for one in sys.modules if one.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"lookalike.bench.competitors.{library}", raising=False)
    with pytest.raises(ImportError, match=f"{library}|numba"):  # pynndescent needs numba, and names it first
        create(name)
    assert create("lookalike").distribution == "lookalike"


def test_hnswlib_grows_by_half() -> None:
    competitor: Any = built("hnswlib", tiny("cosine", 100))
    for row in range(60):
        competitor.add(np.array([100 + row]), np.full((1, DIM), row + 1, np.float32))
    assert competitor._index.get_max_elements() == 225  # 100, 150, 225
    assert competitor._index.get_current_count() == 160


def test_few_tables_of_nearpy_find_what_an_index_of_so_many_does(monkeypatch: pytest.MonkeyPatch) -> None:
    nearpy = pytest.importorskip(
        "lookalike.bench.competitors.nearpy", reason="needs nearpy: pip install 'lookalike[bench]'"
    )
    data = tiny("cosine")
    many = built("nearpy", data)
    monkeypatch.setattr(nearpy, "TABLES", 4)
    few = built("nearpy", data)
    for competitor in (many, few):
        competitor.configure({"tables": 4}, 1)
    assert np.array_equal(single(many, data.test.vectors), single(few, data.test.vectors))
    assert many.touched(data.test.vectors, K) == few.touched(data.test.vectors, K)


@pytest.mark.parametrize("distance", DISTANCES)
def test_brute_force_in_blocks_is_exact(distance: Distance, monkeypatch: pytest.MonkeyPatch) -> None:
    brute = pytest.importorskip(
        "lookalike.bench.competitors.brute", reason="needs threadpoolctl: pip install 'lookalike[bench]'"
    )
    monkeypatch.setattr(brute, "QUERIES", 7)
    monkeypatch.setattr(brute, "ROWS", 64)
    data = tiny(distance)
    for name in ("brute-numpy", "brute-pairs"):
        assert np.array_equal(batch(built(name, data), data.test.vectors), data.test.neighbors)
