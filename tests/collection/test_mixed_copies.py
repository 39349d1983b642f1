"""Copies of a collection that went on apart, and were then mixed, as by a file synchroniser or a partial restore."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.errors import DamagedError
from tests.segment_files import segment

from .conftest import PICTURES, Draw

FIRST, MORE = PICTURES + 14, 8  # so many more are sealed into a file of their own


@pytest.fixture
def copies(folder: Path, tmp_path: Path, draw: Draw) -> tuple[Path, Path]:
    """A folder with its collection, and a copy of both; each then got other pictures."""
    for i in range(FIRST - PICTURES):
        draw(folder / f"first{i}.png", seed=100 + i)
    lookalike.open(folder).close()
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    for number, place in enumerate((folder, other)):
        for i in range(MORE):
            draw(place / f"more{i}.png", seed=100 * number + 200 + i)
        lookalike.open(place).close()
        assert Collection.verify(place) == []
    return folder / ".lookalike", other / ".lookalike"


def require_own_vectors(index: Path) -> None:
    """Each picture has the vector that it has where it is indexed anew."""
    folder = index.parent
    with Collection.open(index) as collection, Collection.create(folder, folder.parent / "anew") as anew:
        anew.sync()
        assert sorted(collection.paths()) == sorted(anew.paths())
        assert len(collection) == FIRST + MORE
        for path in anew.paths():
            np.testing.assert_allclose(collection.vector(path), anew.vector(path), atol=1e-6)


def require_told(index: Path, mixed: str) -> None:
    with Collection.open(index) as collection:
        for use in (collection.sync, collection.info, lambda: collection.search(index.parent / "0.png")):
            with pytest.raises(DamagedError, match=f"{mixed}.*lookalike repair"):
                use()
    assert any(mixed in problem for problem in Collection.verify(index))


def test_segments_under_the_catalogue_of_another_copy_are_told_and_mended(copies: tuple[Path, Path]) -> None:
    index, other = copies
    shutil.rmtree(index / "segments")
    shutil.copytree(other / "segments", index / "segments")
    require_told(index, "files of two copies may be mixed")
    assert Collection.repair(index).lost == []
    assert Collection.verify(index) == []
    require_own_vectors(index)


def test_one_segment_of_another_copy_costs_no_more_than_its_own_vectors(copies: tuple[Path, Path]) -> None:
    """The segment from before the copies parted belongs to both."""
    index, other = copies
    shutil.copyfile(segment(other, 2), segment(index, 2))
    require_told(index, "altered, or files of two copies are mixed")
    report = Collection.repair(index)
    assert (report.kept, report.embedded, report.lost) == (FIRST, MORE, [])
    assert Collection.verify(index) == []
    require_own_vectors(index)


def test_segments_of_both_copies_side_by_side_do_no_harm(copies: tuple[Path, Path]) -> None:
    index, other = copies
    shutil.copytree(other / "segments", index / "segments", dirs_exist_ok=True)
    assert len(list((index / "segments").iterdir())) == 3
    assert Collection.verify(index) == []
    require_own_vectors(index)
    with Collection.open(index) as collection:
        assert collection.sync().unchanged == FIRST + MORE
    assert len(list((index / "segments").iterdir())) == 2
