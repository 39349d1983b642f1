"""A catalogue that is lost while the segments are there: it is told, and made again from what is kept beside them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.catalogue.database import Database
from lookalike.collection.sealed import kept
from lookalike.errors import DamagedError, ReadError, WriteError
from tests.faults import pictures

from .conftest import PICTURES, Draw

pytestmark = pytest.mark.usefixtures("tiles")

NUMBERS = 40
Answers = list[tuple[str, int, float]]


def delete(catalogue: Path) -> None:
    catalogue.unlink()


def empty(catalogue: Path) -> None:
    catalogue.write_bytes(b"")


def halve(catalogue: Path) -> None:
    os.truncate(catalogue, catalogue.stat().st_size // 2)


def behead(catalogue: Path) -> None:
    os.truncate(catalogue, 4096)


def overwrite(catalogue: Path) -> None:
    catalogue.write_bytes(np.random.default_rng(1).bytes(catalogue.stat().st_size))


LOSSES = (delete, empty, halve, behead, overwrite)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures, all sealed, with facts that were given before and after a seal."""
    folder = tmp_path / "photos"
    for seed in range(NUMBERS):
        pictures.write(str(folder / f"{seed}.png"), seed)
    with Collection.create(folder, model=pictures.MODEL) as collection:
        collection.sync()
        collection.describe({folder / "1.png": {"stars": 1}, folder / "2.png": {"stars": 2}})
        collection.optimize()
        collection.describe({folder / "2.png": {"stars": 3}, folder / "3.png": {"stars": 4}})
    return folder


def index_of(folder: Path) -> Path:
    return folder / ".lookalike"


def answers(folder: Path) -> Answers:
    with Collection.open(folder) as collection:
        return [(hit.path, hit.id, hit.distance) for seed in (0, 7) for hit in collection.search(id=seed + 1, k=9)]


def stars(folder: Path) -> dict[str, object]:
    with Collection.open(folder) as collection:
        return {os.path.basename(path): facts["stars"] for path, facts in collection.given(collection.paths()).items()}


def lose(index: Path, loss: Callable[[Path], None] = delete) -> None:
    loss(index / "catalogue.sqlite")
    for ending in ("-wal", "-shm"):
        (index / f"catalogue.sqlite{ending}").unlink(missing_ok=True)


@pytest.mark.parametrize("loss", LOSSES)
def test_it_is_told_and_brought_back(photos: Path, loss: Callable[[Path], None]) -> None:
    before = answers(photos)
    lose(index_of(photos), loss)
    for act in (Collection.open, lambda folder: Collection.create(folder, model=pictures.MODEL)):
        with pytest.raises(DamagedError, match=r"`lookalike repair .*\.lookalike`"):
            act(photos)
    (problem,) = Collection.verify(photos)
    assert "`lookalike repair" in problem
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost_anything) == (NUMBERS, 0, False)
    assert "kept beside the segments" in report.done[0]
    assert Collection.verify(photos) == []
    assert answers(photos) == before
    assert stars(photos) == {"1.png": 1, "2.png": 3, "3.png": 4}
    with Collection.open(photos) as collection:
        synced = collection.sync()
        assert (synced.embedded, synced.unchanged, synced.changes) == (0, NUMBERS, 0)


def test_what_was_not_sealed_is_embedded_by_the_next_sync(photos: Path) -> None:
    for seed in (50, 51):
        pictures.write(str(photos / f"{seed}.png"), seed)
    with Collection.open(photos) as collection:
        collection.sync()
        assert collection.info().pending == 2
        collection.describe({photos / "51.png": {"stars": 5}})
        (of_51,) = (hit.id for hit in collection.search(photos / "51.png", k=1))
    lose(index_of(photos))
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost_items) == (NUMBERS, 1, 1)  # by its facts one is known
    assert "1 more are in the sources" in report.done[0]
    with Collection.open(photos) as collection:
        synced = collection.sync()
        assert (synced.embedded, synced.new, synced.unchanged) == (1, 1, NUMBERS + 1)
        ids = [hit.id for hit in collection.search(photos / "50.png", k=50)]
        assert len(set(ids)) == len(ids) == NUMBERS + 1
    assert stars(photos)["51.png"] == 5
    assert of_51 > 0


def test_what_went_and_changed_since_a_seal_is_found_by_the_next_sync(photos: Path) -> None:
    (photos / "1.png").unlink()
    os.rename(photos / "2.png", photos / "moved.png")
    with Collection.open(photos) as collection:
        collection.sync()
    before = answers(photos)
    lose(index_of(photos))
    Collection.repair(photos)
    with Collection.open(photos) as collection:
        synced = collection.sync()
        assert (synced.embedded, synced.moved, synced.removed) == (0, 1, 1)
    assert answers(photos) == before
    assert stars(photos) == {"moved.png": 3, "3.png": 4}
    assert Collection.verify(photos) == []


def test_a_repair_that_is_stopped_goes_on(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = answers(photos)
    lose(index_of(photos))
    with monkeypatch.context() as patch:
        patch.setattr(Database, "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Collection.repair(photos)
    assert not (index_of(photos) / "catalogue.sqlite").exists()
    with monkeypatch.context() as patch:
        patch.setattr("lookalike.collection.mending.repair.Repair._settle", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Collection.repair(photos)
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost_anything) == (NUMBERS, 0, False)
    assert len(report.done) == 1
    assert answers(photos) == before
    assert sorted(os.listdir(index_of(photos) / "rows")) == sorted(
        kept.name_for(name) for name in os.listdir(index_of(photos) / "segments")
    )


def test_a_collection_of_an_earlier_version_says_what_cannot_be_brought_back(photos: Path) -> None:
    shutil.rmtree(index_of(photos) / "rows")
    assert Collection.verify(photos) == []
    assert len(answers(photos)) == 18
    lose(index_of(photos))
    before = sorted(os.listdir(index_of(photos) / "segments"))
    for act in (Collection.open, Collection.repair):
        with pytest.raises(DamagedError, match="an earlier lookalike wrote the segments"):
            act(photos)
    assert sorted(os.listdir(index_of(photos) / "segments")) == before


def test_a_sync_keeps_the_rows_of_an_earlier_version(photos: Path) -> None:
    shutil.rmtree(index_of(photos) / "rows")
    before = answers(photos)
    with Collection.open(photos) as collection:
        collection.sync()
    lose(index_of(photos))
    Collection.repair(photos)
    assert answers(photos) == before
    assert stars(photos) == {"1.png": 1, "2.png": 3, "3.png": 4}


def test_of_damaged_rows_the_whole_ones_come_back(photos: Path) -> None:
    (path,) = (index_of(photos) / "rows").glob("0*")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + b"?" + data[len(data) // 2 + 1 :])
    (problem,) = Collection.verify(photos)
    assert path.name in problem
    assert len(answers(photos)) == 18  # which do not need it
    report = Collection.repair(photos)
    assert path.name in report.done[0]
    assert not report.lost_anything
    assert Collection.verify(photos) == []


def test_another_copys_rows_and_facts_are_left_out(photos: Path, tmp_path: Path) -> None:
    """Both go on apart and give the next id to different pictures; then the folders of rows are mixed."""
    other = tmp_path / "other"
    shutil.copytree(photos, other)
    for folder, seed in ((photos, 60), (other, 70)):
        for more in range(10):
            pictures.write(str(folder / f"{seed + more}.png"), seed + more)
        with Collection.open(folder) as collection:
            collection.sync()
            collection.describe({folder / f"{seed + more}.png": {"stars": seed} for more in range(10)})
    before, facts = answers(photos), stars(photos)
    for name in os.listdir(index_of(other) / "rows"):
        if not (index_of(photos) / "rows" / name).exists() or name == kept.FACTS:
            shutil.copy(index_of(other) / "rows" / name, index_of(photos) / "rows" / name)
    lose(index_of(photos))
    Collection.repair(photos)
    assert answers(photos) == before
    assert {name for name, count in stars(photos).items() if count == 70} == set()
    assert facts.items() >= stars(photos).items()
    assert Collection.verify(photos) == []
    with Collection.open(photos) as collection:
        collection.sync()
        for path in collection.paths():
            assert collection.vector(path) == pytest.approx(pictures.vector(int(Path(path).stem)), abs=1e-6)


def test_facts_that_are_many_are_brought_together(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MUCH", 0)
    facts = index_of(photos) / "rows" / kept.FACTS
    with Collection.open(photos) as collection:
        collection.describe({photos / "4.png": {"note": os.urandom(2000).hex()}})
        collection.describe({photos / "4.png": {"note": os.urandom(2000).hex()}})
        assert facts.stat().st_size > sum(each.stat().st_size for each in facts.parent.glob("0*"))
        pictures.write(str(photos / "80.png"), 80)
        collection.sync()
        assert not facts.exists()
        for _ in range(5):
            collection.describe({photos / "80.png": {"note": os.urandom(2000).hex()}})  # which is pending
        size = facts.stat().st_size
        collection.sync()
        assert facts.stat().st_size < size / 2
    lose(index_of(photos))
    Collection.repair(photos)
    with Collection.open(photos) as collection:
        assert len(collection.given([photos / "4.png", photos / "80.png"])) == 2


def test_nothing_is_made_where_a_collection_is_no_longer(photos: Path) -> None:
    with Collection.open(photos) as collection, closing(Catalogue(collection.place.catalogue)) as catalogue:
        photos.rename(photos.with_name("not mounted"))
        with pytest.raises(WriteError, match="No such file"):
            kept.keep(collection.place, catalogue)
        with pytest.raises(WriteError, match="No such file"):
            kept.note_facts(collection.place, catalogue, [1])
        assert not photos.exists()


def test_facts_that_were_cut_short_are_followed_by_others(photos: Path) -> None:
    facts = index_of(photos) / "rows" / kept.FACTS
    with Collection.open(photos) as collection:
        collection.describe({photos / "5.png": {"stars": 5}})
        os.truncate(facts, facts.stat().st_size - 3)  # as a kill in the midst of it may leave it
        assert Collection.verify(photos) == []
        collection.describe({photos / "6.png": {"stars": 6}})
    lose(index_of(photos))
    Collection.repair(photos)
    assert stars(photos) == {"1.png": 1, "2.png": 3, "3.png": 4, "6.png": 6}


@pytest.mark.parametrize("left", [b"", b"LKR", bytes(600), b"LKROWS1\n" + bytes(600)])
def test_facts_of_which_a_crash_left_next_to_nothing(photos: Path, left: bytes) -> None:
    facts = index_of(photos) / "rows" / kept.FACTS
    facts.write_bytes(left)
    with Collection.open(photos) as collection:
        collection.describe({photos / "5.png": {"stars": 5}})
    lose(index_of(photos))
    Collection.repair(photos)
    assert stars(photos) == {"1.png": 1, "2.png": 2, "5.png": 5}


def test_facts_of_more_pictures_than_a_block_has(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_ROWS", 7)
    with Collection.open(photos) as collection:
        collection.describe({path: {"stars": 9} for path in collection.paths()})
    lose(index_of(photos))
    Collection.repair(photos)
    assert set(stars(photos).values()) == {9}
    assert len(stars(photos)) == NUMBERS


def test_after_a_change_of_the_model_it_is_of_the_new_one(photos: Path) -> None:
    Collection.change_model(photos, "phash")
    before = answers(photos)
    lose(index_of(photos))
    report = Collection.repair(photos)
    assert (report.kept, report.embedded, report.lost_anything) == (NUMBERS, 0, False)
    with Collection.open(photos) as collection:
        assert collection.model.name == "phash"
    assert answers(photos) == before
    assert stars(photos) == {"1.png": 1, "2.png": 3, "3.png": 4}


def test_what_is_kept_and_cannot_be_read_now_is_not_taken_for_lost(photos: Path) -> None:
    (path,) = (index_of(photos) / "rows").glob("0*")
    os.rename(path, path.with_name("aside"))
    path.mkdir()  # nobody, not even root, reads that as a file
    lose(index_of(photos))
    with pytest.raises(ReadError, match="run it again"):
        Collection.repair(photos)
    path.rmdir()
    os.rename(path.with_name("aside"), path)
    assert Collection.repair(photos).kept == NUMBERS


def test_a_watch_tells_it(photos: Path) -> None:
    with Collection.open(photos) as collection:
        watching = collection.watch(poll=0.1)
        next(watching)
        pictures.write(str(photos / "90.png"), 90)
        lose(index_of(photos))
        with pytest.raises(DamagedError, match="it is lost"):
            for _ in watching:
                pass


def test_facts_that_cannot_be_noted_are_not_given(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = stars(photos)
    with monkeypatch.context() as patch, Collection.open(photos) as collection:
        patch.setattr(kept, "_append", full)
        with pytest.raises(WriteError, match="make room"):
            collection.describe({photos / "7.png": {"stars": 7}})
    assert stars(photos) == before


def test_a_backup_brings_its_catalogue_back_too(photos: Path, tmp_path: Path) -> None:
    before = answers(photos)
    with Collection.open(photos) as collection:
        collection.backup(tmp_path / "backup")
    lose(tmp_path / "backup")
    report = Collection.repair(tmp_path / "backup")
    assert (report.kept, report.lost_anything) == (NUMBERS, False)
    assert stars(tmp_path / "backup") == stars(photos)
    assert [row[1:] for row in answers(tmp_path / "backup")] == [row[1:] for row in before]


def test_sources_elsewhere_are_known_again(folder: Path, tmp_path: Path, draw: Draw) -> None:
    index = tmp_path / "index"
    single = draw(tmp_path / "single.png", seed=500)
    with Collection.create([folder, single], index, model=pictures.MODEL) as collection:
        collection.keep_facts(7)
        collection.sync()
        roots = collection.info().roots
    lose(index)
    Collection.repair(index)
    with Collection.open(index) as collection:
        assert (collection.info().roots, collection.info().kept_days) == (roots, 7)
        assert collection.sync().unchanged == PICTURES + 1


@pytest.mark.parametrize("loss", LOSSES)
def test_vectors_of_files_come_back_without_reading_them(tmp_path: Path, loss: Callable[[Path], None]) -> None:
    index, file = tmp_path / "index", tmp_path / "words.npy"
    np.save(file, np.random.default_rng(1).standard_normal((500, 8)).astype(np.float32))
    with Collection.create(file, index) as collection:
        collection.sync()
        collection.describe({path: {"odd": True} for path in collection.paths()[1::2]})
        before = [(hit.path, hit.id, hit.distance) for hit in collection.search(id=7, k=50, where="odd = true")]
    os.rename(file, tmp_path / "away")
    lose(index, loss)
    (problem,) = Collection.verify(index)
    assert "`lookalike repair" in problem
    report = Collection.repair(index)
    assert (report.kept, report.embedded, report.lost_anything) == (500, 0, False)
    with Collection.open(index) as collection:
        after = collection.search(id=7, k=50, where="odd = true")
        assert [(hit.path, hit.id, hit.distance) for hit in after] == before
        os.rename(tmp_path / "away", file)
        synced = collection.sync()
        assert (synced.unchanged, synced.changes) == (500, 0)
    assert Collection.verify(index) == []
