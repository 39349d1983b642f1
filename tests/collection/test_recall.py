"""The recall curve that a collection shows of itself."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.recall import ASKED, Measured, recall_curve
from lookalike.index import Index

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

        def measure(index: Index) -> list[Measured]:
            searching = threading.Thread(target=lambda: found.append(len(collection.search(folder / "0.png", k=3))))
            searching.daemon = True
            searching.start()
            searching.join(20)
            assert len(index) == PICTURES
            return recall_curve(index)

        monkeypatch.setattr("lookalike.collection.recall_file.recall_curve", measure)
        assert collection.recall_curve() == []
        assert found == [3]


def test_a_curve_is_measured_and_near_what_was_asked() -> None:
    dice = np.random.default_rng(0)
    centres = dice.standard_normal((400, 32))
    index = Index(32)
    index.add(centres[dice.integers(400, size=20_000)] + 0.4 * dice.standard_normal((20_000, 32)))
    index.optimize()
    curve = recall_curve(index)
    assert [point.asked for point in curve] == list(ASKED)
    assert all(point.found > point.asked - 0.08 for point in curve)
    assert [point.found for point in curve] == sorted(point.found for point in curve)
    assert 0 < curve[0].compared < curve[-1].compared < len(index) / 2
    assert all(point.seconds > 0 for point in curve)
