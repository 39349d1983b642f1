"""The transformer beside scikit-learn's own, alone and in pipelines."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE, Isomap
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import KNeighborsTransformer as Peer
from sklearn.pipeline import make_pipeline

from lookalike.errors import ArgumentError
from lookalike.neighbors import KNeighborsTransformer

RNG = np.random.default_rng(5)
SAMPLES = RNG.standard_normal((150, 8))
QUERIES = RNG.standard_normal((20, 8))


@pytest.fixture(scope="module")
def digits() -> tuple[NDArray[Any], NDArray[Any]]:
    samples, labels = load_digits(return_X_y=True)
    return samples[:600], labels[:600]


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine", "sqeuclidean"])
def test_graphs_are_scikit_learns(mode: Any, metric: str) -> None:
    ours = KNeighborsTransformer(mode=mode, n_neighbors=4, metric=metric)
    theirs = Peer(mode=mode, n_neighbors=4, metric=metric)
    for graph, expected in (
        (ours.fit_transform(SAMPLES), theirs.fit_transform(SAMPLES)),
        (ours.transform(QUERIES), theirs.transform(QUERIES)),
    ):
        assert graph.format == "csr"
        assert (graph.shape, graph.nnz, graph.dtype) == (expected.shape, expected.nnz, expected.dtype)
        np.testing.assert_allclose(graph.toarray(), expected.toarray(), rtol=1e-5, atol=1e-6)


def test_a_row_is_sorted_and_starts_with_itself() -> None:
    graph = KNeighborsTransformer().fit_transform(SAMPLES)
    distances, rows = graph.data.reshape(150, 6), graph.indices.reshape(150, 6)
    np.testing.assert_array_equal(rows[:, 0], np.arange(150))
    np.testing.assert_array_equal(distances[:, 0], 0.0)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize(("mode", "edges"), [("distance", 3), ("connectivity", 2)])
def test_also_among_many_copies(mode: Any, edges: int) -> None:
    graph = KNeighborsTransformer(n_neighbors=2, mode=mode).fit_transform(np.ones((9, 2)))
    rows = graph.indices.reshape(9, edges)
    np.testing.assert_array_equal(rows[:, 0], np.arange(9))
    assert all(len(set(row)) == edges for row in rows.tolist())


def test_one_connected_neighbour_is_the_sample_itself() -> None:
    graph = KNeighborsTransformer(n_neighbors=1, mode="connectivity").fit_transform(SAMPLES)
    np.testing.assert_array_equal(graph.toarray(), np.eye(150))


def test_names_of_features() -> None:
    transformer = KNeighborsTransformer().fit(SAMPLES)
    names = transformer.get_feature_names_out()
    assert len(names) == 150
    assert names[7] == "kneighborstransformer7"


def test_a_copy_transforms_alike() -> None:
    transformer = KNeighborsTransformer(n_neighbors=3, metric="cosine").fit(SAMPLES)
    again = pickle.loads(pickle.dumps(transformer))
    assert (transformer.transform(QUERIES) != again.transform(QUERIES)).nnz == 0
    fresh = clone(transformer)
    assert fresh.get_params() == transformer.get_params()
    assert not hasattr(fresh, "n_samples_fit_")


def test_isomap() -> None:
    ours, theirs = (
        make_pipeline(each(n_neighbors=10), Isomap(n_neighbors=10, metric="precomputed")).fit_transform(SAMPLES)
        for each in (KNeighborsTransformer, Peer)
    )
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-3, atol=1e-3)  # an axis may point either way


def test_tsne(digits: tuple[NDArray[Any], NDArray[Any]]) -> None:
    samples, labels = digits
    tsne = TSNE(perplexity=10, metric="precomputed", init="random", random_state=0, max_iter=400)
    embedded = make_pipeline(KNeighborsTransformer(n_neighbors=31), tsne).fit_transform(samples)
    assert KNeighborsClassifier(1).fit(embedded[::2], labels[::2]).score(embedded[1::2], labels[1::2]) > 0.9


def test_classifier_in_a_grid_search(digits: tuple[NDArray[Any], NDArray[Any]]) -> None:
    scores = []
    for each in (KNeighborsTransformer, Peer):
        pipeline = make_pipeline(each(n_neighbors=9), KNeighborsClassifier(metric="precomputed"))
        grid = {"kneighborsclassifier__n_neighbors": [1, 5, 9]}
        scores.append(GridSearchCV(pipeline, grid, cv=3).fit(*digits).cv_results_["mean_test_score"])
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-2)
    assert min(scores[0]) > 0.85


def test_fewer_samples_than_neighbours() -> None:
    transformer = KNeighborsTransformer(n_neighbors=5)
    assert transformer.fit_transform(SAMPLES[:6]).nnz == 36
    with pytest.raises(ArgumentError, match="n_samples_fit = 5"):
        transformer.fit_transform(SAMPLES[:5])
    with pytest.raises(ArgumentError, match="n_samples_fit = 5"):
        transformer.transform(QUERIES)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"metric": "dot"}, "may be negative"),
        ({"metric": "manhattan"}, "metric is 'manhattan'"),
        ({"mode": "weights"}, "mode is 'weights'"),
        ({"n_neighbors": 0}, "n_neighbors is 0"),
    ],
)
def test_a_parameter_that_cannot_be_used(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        KNeighborsTransformer(**parameters).fit(SAMPLES)
