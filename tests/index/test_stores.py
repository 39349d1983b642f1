"""Vectors kept as float16, or not at all: how near the answers are, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import ArgumentError, IdError, VectorError
from lookalike.index.store import STORES, Store
from tests.index.brute_force import METRICS, Floats, Metric, check_neighbors, clusters, distances

DIM = 30
every_metric = pytest.mark.parametrize("metric", METRICS)
every_store = pytest.mark.parametrize("store", ["float32", "float16", "none"])


def made(metric: Metric, store: Store, buckets: int | None = 20) -> tuple[Index, Floats]:
    vectors = clusters(2000, DIM, seed=1)
    index = Index(DIM, metric, store=store, buckets=buckets)
    index.add(vectors)
    index.optimize()
    return index, vectors


def test_the_engine_numbers_stores_as_python_does() -> None:
    # The number is stored in files: an order that changed would give old files another meaning.
    assert STORES == ("float32", "float16", "none", "bits")
    for store in STORES:
        assert Index(8, "hamming" if store == "bits" else "dot", store=store).store == store
    assert Index(8).store == "float32"


@every_metric
def test_distances_of_float16_are_exact_for_what_was_rounded_once(metric: Metric) -> None:
    index, vectors = made(metric, "float16")
    rounded = vectors.astype(np.float16).astype(np.float32)
    for id in (0, 7, 1999):
        np.testing.assert_array_equal(index[id], rounded[id])
        assert index[id].dtype == np.float32
    for query in clusters(10, DIM, seed=2):
        check_neighbors(index.search(query, 5, exact=True), metric, query, np.arange(2000), rounded, 5)


@every_metric
def test_a_fresh_float16_vector_is_rounded_already(metric: Metric) -> None:
    index = Index(DIM, metric, store="float16")
    vectors = clusters(50, DIM, seed=3)
    index.add(vectors)
    before, found = index[3].copy(), index.search(vectors, 4)
    index.optimize()
    np.testing.assert_array_equal(index[3], before)
    np.testing.assert_array_equal(index.search(vectors, 4).distances, found.distances)


def test_a_float16_overflow_changes_nothing() -> None:
    index = Index(3, "euclidean", store="float16")
    index.add(np.eye(3))
    for large in (65520.0, -1e6):
        with pytest.raises(VectorError, match=r"vector 1 has .* at position 2; float16 ends at 65504"):
            index.add([[1, 2, 3], [1, 2, large]])
    with pytest.raises(VectorError, match="zeros in float16"):
        Index(3, store="float16").add([1e-12, 0, 1e-12])
    assert len(index) == 3
    assert index.add([65504.0, 0, 0]).tolist() == [3]
    assert index.search([1e6, 0, 0], 1).ids[0] == 3  # a query is not rounded


@every_metric
def test_estimates_of_an_index_without_vectors_are_near(metric: Metric) -> None:
    index, vectors = made(metric, "none")
    size = float(np.linalg.norm(vectors, axis=1).max())
    for query in clusters(10, DIM, seed=4):
        found = index.search(query, 10, exact=True)
        exact = distances(metric, query, vectors)
        dot = size * float(np.linalg.norm(query))
        scale = {"cosine": 1.0, "euclidean": size, "sqeuclidean": size**2, "dot": dot}.get(metric, 0.0)
        assert np.all(np.abs(found.distances - exact[found.ids]) < 0.01 * scale)
        assert found.distances[-1] <= np.sort(exact)[9] + 0.01 * scale


def test_an_index_without_vectors_gives_none_back() -> None:
    for index, _ in (made("cosine", "none"), made("cosine", "none", buckets=None)):
        with pytest.raises(ArgumentError, match='store="none"'):
            index[3]
        with pytest.raises(IdError):
            index.neighbors_of(5000)
        assert 3 not in index.neighbors_of(3, 5).ids


@every_metric
def test_neighbors_of_without_vectors_are_those_of_the_vector(metric: Metric) -> None:
    index, vectors = made(metric, "none")
    alike = 0
    for id in range(30):
        expected = index.search(vectors[id], 11, exact=True).ids
        found = index.neighbors_of(id, 10, exact=True).ids
        alike += len(set(found.tolist()) & set(expected.tolist()))
    assert alike >= 290


@every_metric
def test_merging_does_not_round_again(metric: Metric) -> None:
    vectors = clusters(600, DIM, seed=5)
    at_once = Index(DIM, metric, store="none")
    at_once.add(vectors)
    often = Index(DIM, metric, store="none")
    for part in np.split(vectors, 6):
        often.add(part)
        often.optimize()
    a, b = at_once.search(vectors, 10), often.search(vectors, 10)
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.distances, b.distances)


@every_store
@every_metric
def test_every_store_searches_removes_filters_and_saves(store: Store, metric: Metric, tmp_path: Path) -> None:
    index, vectors = made(metric, store)
    index.add(vectors[:10], ids=range(5000, 5010))
    index.remove([7])
    index.add(vectors[8:9], ids=[9], overwrite=True)
    assert 7 not in index.search(vectors[7], 100).ids
    only = index.search(vectors[3], 5, filter=[1, 2, 5003])
    assert set(only.ids[:3].tolist()) == {1, 2, 5003}
    limit = float(only.distances[1])
    assert np.all(index.search(vectors[3], 20, max_distance=limit).distances[:1] <= limit)
    index.save(tmp_path / "file")
    opened = Index.open(tmp_path / "file")
    assert (opened.store, opened.metric, len(opened)) == (store, metric, 2009)
    np.testing.assert_array_equal(opened.search(vectors[:50], 5).ids, index.search(vectors[:50], 5).ids)
    opened.add(vectors[20:30])
    opened.optimize()
    assert len(opened) == 2019


def test_half_and_none_take_half_and_a_quarter_of_the_memory(tmp_path: Path) -> None:
    bytes_of: dict[Store, float] = {}
    stores: tuple[Store, ...] = ("float32", "float16", "none")
    for store in stores:
        index = Index(128, "euclidean", store=store)
        index.add(clusters(3000, 128, seed=6))
        index.save(tmp_path / store)
        bytes_of[store] = (tmp_path / store).stat().st_size / 3000
    assert bytes_of["float32"] - bytes_of["float16"] == pytest.approx(256, abs=1)
    assert bytes_of["float16"] - bytes_of["none"] == pytest.approx(120, abs=1)


@pytest.mark.parametrize(
    ("metric", "store", "words"),
    [
        ("cosine", "float64", "expected one of float32, float16, none, bits"),
        ("cosine", "bits", "expects float32 or float16 or none"),
        ("hamming", "float16", "expects bits"),
        ("hamming", "none", "expects bits"),
    ],
)
def test_stores_that_cannot_be(metric: Metric, store: Store, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        Index(8, metric, store=store)
