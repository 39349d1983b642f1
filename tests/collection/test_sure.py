"""How sure a hit is, over vectors of which it is known where they belong; docs/sure.md tells of pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection.sure import FEWEST, NO_MATCH, Calibration, Sureness
from lookalike.index import Index, Neighbors
from lookalike.metric import METRICS, Metric

Floats = NDArray[np.float32]
DIM = 32


def clusters(random: np.random.Generator, count: int, centres: int = 40) -> tuple[Floats, Floats]:
    """Vectors around centres, and others around the same."""
    middle = random.standard_normal((centres, DIM))
    where = random.integers(centres, size=2 * count)
    both = (middle[where] + 0.4 * random.standard_normal((2 * count, DIM))).astype(np.float32)
    return both[:count], both[count:]


def indexed(vectors: NDArray[np.generic], metric: Metric = "euclidean") -> tuple[Index, Calibration]:
    index = Index(DIM, metric)
    index.add(vectors)
    calibration = Calibration.of(index)
    assert calibration
    return index, calibration


def judged(index: Index, calibration: Calibration, query: NDArray[np.generic]) -> tuple[Sureness, float]:
    """With the score of the nearest."""
    sure = calibration.judge(index, query, frozenset())
    assert sure
    return sure, sure.score(float(index.search(query, 1).distances[0]))


def refused(index: Index, calibration: Calibration, queries: NDArray[np.generic]) -> float:
    return float(np.mean([judged(index, calibration, query)[1] < NO_MATCH for query in queries]))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("clustered", [True, False])
def test_queries_of_the_same_kind_seldom_have_no_match(metric: Metric, clustered: bool) -> None:
    """Two conformal p-values, of which one is below 1/9 for at most 2/9 of them, and 0.02 for the draw of 300."""
    random = np.random.default_rng(1)
    own, others = clusters(random, 1000) if clustered else random.standard_normal((2, 1000, DIM)).astype(np.float32)
    if metric == "hamming":
        own, others = (np.packbits(each > 0, axis=1) for each in (own, others))
    assert refused(*indexed(own, metric), others[:300]) < 2 / 9 + 0.02


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "sqeuclidean"])
@pytest.mark.parametrize("centres", [1, 3, 40])
def test_what_belongs_nowhere_has_none(metric: Metric, centres: int) -> None:
    random = np.random.default_rng(2)
    own, _ = clusters(random, 1000, centres)
    elsewhere = random.standard_normal((100, DIM)).astype(np.float32)
    assert refused(*indexed(own, metric), elsewhere) > 0.95


def test_bursts_do_not_hide_a_cousin() -> None:
    random = np.random.default_rng(3)
    scenes = random.standard_normal((100, DIM))
    bursts = np.repeat(scenes, 7, axis=0) + 0.001 * random.standard_normal((700, DIM))
    cousins = scenes + 0.3 * random.standard_normal((100, DIM))
    index, calibration = indexed(bursts)
    assert refused(index, calibration, cousins) == 0
    assert refused(index, calibration, random.standard_normal((100, DIM))) > 0.7
    copies, exact = indexed(np.repeat(scenes, 7, axis=0))
    assert refused(copies, exact, cousins) == 0


def test_one_near_by_accident_is_no_company() -> None:
    """A query whose nearest is as near as others' is, with nothing around that."""
    random = np.random.default_rng(4)
    own, _ = clusters(random, 600)
    lonely = random.standard_normal(DIM).astype(np.float32)
    index, calibration = indexed(np.vstack([own, lonely]))
    near = lonely + calibration.nearest[len(calibration.nearest) // 2] * np.eye(DIM, dtype=np.float32)[0]
    sure, _ = judged(index, calibration, near)
    distance = float(index.search(near, 1).distances[0])
    assert calibration.as_near(distance) > 0.4
    assert sure.kin(distance) < 0.02


def test_scores_fall_with_distance_and_stay_within_0_and_1() -> None:
    own, others = clusters(np.random.default_rng(5), 500)
    index, calibration = indexed(own)
    sure, _ = judged(index, calibration, others[0])
    scores = [sure.score(distance) for distance in np.linspace(0, 50, 500)]
    assert scores == sorted(scores, reverse=True)
    assert max(scores) <= 1
    assert 0 < min(scores) < NO_MATCH


def test_the_root_and_the_square_say_the_same() -> None:
    own, others = clusters(np.random.default_rng(6), 500)
    root, square = indexed(own, "euclidean"), indexed(own, "sqeuclidean")
    assert square[1].middle == pytest.approx(root[1].middle, rel=1e-4)
    scores = [[judged(*each, query)[1] for query in others[:50]] for each in (root, square)]
    assert scores[0] == pytest.approx(scores[1], abs=0.02)


def test_the_same_vectors_give_the_same() -> None:
    own, others = clusters(np.random.default_rng(7), 1000)
    first, second = indexed(own), indexed(own)
    assert first[1].nearest.tolist() == second[1].nearest.tolist()
    assert first[1].around.tolist() == second[1].around.tolist()
    assert [judged(*first, query)[1] for query in others[:20]] == [judged(*second, query)[1] for query in others[:20]]


def test_a_sealed_index_says_what_a_small_one_would() -> None:
    own, others = clusters(np.random.default_rng(8), 6000)
    index, calibration = indexed(own)
    index.optimize()
    sealed = Calibration.of(index)
    assert sealed
    assert sealed.middle == pytest.approx(calibration.middle)
    assert np.quantile(sealed.nearest, 0.5) == pytest.approx(np.quantile(calibration.nearest, 0.5), rel=0.05)
    assert refused(index, sealed, others[:200]) < 2 / 9


def test_few_cannot_be_told() -> None:
    random = np.random.default_rng(9)
    index = Index(DIM)
    for count in range(1, FEWEST + 2):
        index.add(random.standard_normal(DIM))
        assert (Calibration.of(index) is None) == (count < FEWEST)
    calibration = Calibration.of(index)
    assert calibration
    query = index[0]
    assert calibration.judge(index, query, frozenset([0]))
    assert calibration.judge(index, query, frozenset(range(FEWEST))) is None, "all but one are the query itself"
    assert Calibration.of(Index(DIM)) is None


def test_where_all_are_the_same() -> None:
    index, calibration = indexed(np.ones((50, DIM), np.float32))
    assert judged(index, calibration, np.ones(DIM, np.float32))[1] >= NO_MATCH
    assert judged(index, calibration, np.zeros(DIM, np.float32))[1] < NO_MATCH


@pytest.mark.parametrize("metric", ["cosine", "sqeuclidean"])
@pytest.mark.parametrize("count", [FEWEST, 300, 2500])
def test_what_is_brought_along_is_as_if_computed_anew(metric: Metric, count: int) -> None:
    random = np.random.default_rng(9)
    index = Index(DIM, metric)
    index.add(clusters(random, count)[0])
    calibration = Calibration.of(index)
    for part in (0, 0.001, 0.1, 0.1, 0.1, 0.1):
        new = index.add(clusters(random, max(1, int(part * count)))[0]) if part else np.empty(0, np.int64)
        gone = random.choice(index.ids, int(part * count / 2), replace=False)
        index.remove(gone)
        assert calibration
        calibration, anew = calibration.followed(index, np.setdiff1d(new, gone)), Calibration.of(index)
        assert calibration
        assert anew
        assert calibration.sample.looked_at.tolist() == anew.sample.looked_at.tolist()
        assert calibration.nearest == pytest.approx(anew.nearest, rel=1e-5)
        assert calibration.around == pytest.approx(anew.around, rel=1e-5)
        assert calibration.middle == pytest.approx(anew.middle)
        assert calibration.count == len(index)
    index.remove(index.ids[FEWEST - 1 :])
    assert calibration
    assert calibration.followed(index, np.empty(0, np.int64)) is None


def test_little_is_computed_for_little() -> None:
    random = np.random.default_rng(10)
    index = Index(DIM, "cosine")
    index.add(clusters(random, 20_000)[0])
    calibration = Calibration.of(index)
    assert calibration
    searched: list[int] = []

    class Counting(Index):
        def search(self, query: Any, *given: Any, **how: Any) -> Neighbors:
            searched.append(len(query) * len(how.get("filter", self)))
            return super().search(query, *given, **how)

    new = index.add(clusters(random, 3)[0])
    counting = Counting.__new__(Counting)
    counting._core = index._core
    assert calibration.followed(counting, new)
    assert sum(searched) <= 400 * len(new)
