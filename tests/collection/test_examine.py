"""`Collection.examine`: the index and the items of one snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue import Item
from lookalike.errors import DamagedError
from lookalike.index import Index

from .conftest import PICTURES, Draw


def ids(index: Index, items: list[Item]) -> list[int]:
    ids = sorted(item.id for item in items)
    assert ids == index.ids.tolist()
    return ids


def test_items_are_those_of_the_index(folder: Path, draw: Draw) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with Collection.open(folder) as collection:
        assert collection.examine(ids) == []
        collection.sync()
        assert len(collection.examine(ids)) == PICTURES
        (folder / "0.png").unlink()
        draw(folder / "new.png", seed=99)
        collection.sync()
        assert len(collection.examine(ids)) == PICTURES


def test_damage_says_what_to_do(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        (segment,) = (folder / ".lookalike" / "segments").iterdir()
        segment.unlink()
        with pytest.raises(DamagedError, match="index again"):
            collection.examine(ids)
