"""`Collection.examine`: the index and the items of one snapshot."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
from lookalike.errors import DamagedError, LookalikeError, NotAnIndexError
from lookalike.index import Index, Reader

from .conftest import PICTURES, Draw


def ids(index: Reader, items: list[Item]) -> list[int]:
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
        with pytest.raises(DamagedError, match="lookalike repair"):
            collection.examine(ids)


def test_what_is_wrong_elsewhere_is_no_damage_of_this_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"LOOKSEG")
    with Collection.open(folder) as collection:
        collection.sync()
        with pytest.raises(NotAnIndexError, match="other"):
            collection.examine(lambda *_: Index.open(tmp_path / "other"))
        with pytest.raises(NotAnIndexError, match="received nothing"):
            collection.examine(lambda *_: Collection.open(tmp_path / "none"))


def test_questions_within_are_answered_from_its_snapshot(folder: Path, draw: Draw) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    with Collection.open(folder) as collection:
        collection.sync()

        def ask(index: Reader, items: list[Item]) -> list[int]:
            draw(folder / "new.png", seed=99)
            with Collection.open(folder) as writer:
                assert writer.sync().new == 1
            path = folder / "0.png"
            assert len(collection.search(path, k=100, where="width > 1")) == PICTURES - 1
            assert len(collection) == len(collection.paths()) == collection.info().indexed == PICTURES
            assert [Path(failure.path).name for failure in collection.failed()] == ["broken.png"]
            (item,) = (item for item in items if item.path == b"0.png")
            assert collection.facts(path) == collection.facts_of([item.id])[item.id]
            assert (collection.vector(path) == index[item.id]).all()
            assert collection.recall_curve() == []
            assert collection.examine(ids) == ids(index, items)
            return ids(index, items)

        assert len(collection.examine(ask)) == PICTURES
        assert len(collection.examine(ids)) == PICTURES + 1


def test_changes_within_are_refused_whatever_other_threads_do(folder: Path) -> None:
    with Collection.open(folder) as collection:
        collection.sync()
        syncing = threading.Thread(target=collection.sync, daemon=True)

        def change(index: Reader, items: list[Item]) -> int:
            syncing.start()
            syncing.join(60)  # it does not wait for this to end
            assert not syncing.is_alive()
            for forbidden in (
                collection.sync,
                collection.optimize,
                lambda: collection.tune([1]),
                lambda: next(collection.watch(poll=1)),
                lambda: collection.describe({folder / "0.png": {"x": 1}}),
            ):
                with pytest.raises(LookalikeError, match=r"`examine`.*change the collection then") as caught:
                    forbidden()
                assert caught.type is LookalikeError
            return len(collection.search(folder / "0.png"))

        found: list[int] = []
        examining = threading.Thread(target=lambda: found.append(collection.examine(change)), daemon=True)
        examining.start()
        examining.join(60)
        assert found == [PICTURES - 1]
        assert collection.describe({folder / "0.png": {"x": 1}}).pictures == 1


def test_an_error_within_leaves_the_collection_usable(folder: Path) -> None:
    def fail(index: Reader, items: list[Item]) -> None:
        raise KeyError("of the caller")

    with Collection.open(folder) as collection:
        collection.sync()
        with pytest.raises(KeyError, match="of the caller"):
            collection.examine(fail)
        assert collection.sync().unchanged == PICTURES
        assert len(collection.examine(ids)) == PICTURES
