"""The recall curve that a collection shows of itself."""

from __future__ import annotations

import threading
import zlib
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.recall import ASKED, Curves, _midpoints, recall_curves
from lookalike.index import Index
from lookalike.metric import Metric

from .conftest import PICTURES


def test_every_vector_of_a_small_collection_is_compared(folder: Path) -> None:
    with Collection.open(folder) as collection:
        assert collection.recall_curve() == []
        collection.sync()
        assert collection.recall_curve() == []


def test_others_search_while_it_is_measured(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        found: list[int] = []

        def measure(index: Index) -> Curves:
            searching = threading.Thread(target=lambda: found.append(len(collection.search(folder / "0.png", k=3))))
            searching.daemon = True
            searching.start()
            searching.join(20)
            assert len(index) == PICTURES
            return recall_curves(index)

        monkeypatch.setattr("lookalike.collection.recall_file.recall_curves", measure)
        assert collection.recall_curve() == []
        assert found == [3]


@pytest.fixture(scope="module")
def index() -> Index:
    """Of 400 groups, each at about the same distance to all others."""
    dice = np.random.default_rng(0)
    centres = dice.standard_normal((400, 32))
    index = Index(32)
    index.add(centres[dice.integers(400, size=20_000)] + 0.4 * dice.standard_normal((20_000, 32)))
    index.optimize()
    return index


def test_curves_are_measured_and_near_what_was_asked(index: Index) -> None:
    curves = recall_curves(index)
    for curve in curves:
        assert [point.asked for point in curve] == list(ASKED)
        assert all(point.found > point.asked - 0.08 for point in curve)
        assert [point.found for point in curve] == sorted(point.found for point in curve)
        assert 0 < curve[0].compared < curve[-1].compared < len(index) / 2
        assert all(point.seconds > 0 for point in curve)


def test_queries_without_relatives_cost_more(index: Index) -> None:
    for row, other in zip(*recall_curves(index), strict=True):
        assert other.compared > 1.5 * row.compared


@pytest.mark.parametrize("metric", ["euclidean", "dot", "hamming"])
def test_both_curves_under_other_metrics(metric: Metric) -> None:
    dice = np.random.default_rng(1)
    index = Index(64, metric)
    if metric == "hamming":
        index.add(np.packbits(dice.standard_normal((9000, 8)) @ dice.standard_normal((8, 64)) > 0, axis=1))
    else:
        index.add(dice.standard_normal((9000, 8)) @ dice.standard_normal((8, 64)))
    index.optimize()
    for curve in recall_curves(index):
        assert [point.asked for point in curve] == list(ASKED)
        assert all(point.found > point.asked - 0.1 for point in curve)


def test_there_is_no_middle_of_opposites() -> None:
    """Under cosine it has no direction."""
    some, others = np.array([[3, 0], [0, 2]], np.float32), np.array([[-1, 0], [0, 8]], np.float32)
    middles, are_some = _midpoints(some, others, "cosine", np.random.default_rng(0))
    assert are_some.tolist() == [False, True]
    assert middles.tolist() == [[0, 1]]


def test_what_an_earlier_version_kept_is_measured_anew(tmp_path: Path, index: Index) -> None:
    np.save(tmp_path / "v.npy", [index[id] for id in range(8000)])
    with Collection.create(tmp_path / "v.npy", tmp_path / "index") as collection:
        collection.sync()
        curves, kept = collection.recall_curves(), tmp_path / "index" / "recall"
        assert collection.recall_curve() == curves.rows
        assert len(curves.without_relatives) == len(ASKED)
        data = kept.read_bytes()
        before = b"LKRECAL1" + data[8:48] + data[56:184]  # its points were those of rows alone
        kept.write_bytes(before + zlib.crc32(before).to_bytes(4, "little"))
        again = collection.recall_curves()
        assert [[point[:3] for point in curve] for curve in again] == [
            [point[:3] for point in curve] for curve in curves
        ]
        assert kept.read_bytes()[:8] == b"LKRECAL2"
        assert collection.recall_curves() == again, "it is kept"
