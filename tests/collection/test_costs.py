"""What is asked of a collection costs what it touches, not what is stored: counted in steps of SQLite."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection import Collection, ready
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.catalogue.metadata import Known
from lookalike.collection.keys_of import Keys
from lookalike.collection.place import Place
from lookalike.errors import DamagedError
from lookalike.index import Reader

from .conftest import draw_picture
from .vectors import plain

SIZES = 2_000, 20_000
TOLERANCE = 1.2
FAILED, SEVERAL = 3, 2


class Steps:
    """How many SQLite has made; a row that is read takes some."""

    def __init__(self) -> None:
        self.count = 0

    def step(self) -> int:
        self.count += 1
        return 0


@contextmanager
def counting() -> Iterator[Steps]:
    """Of all connections that are opened within."""
    steps, connect = Steps(), sqlite3.connect

    def counted(*args: Any, **how: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **how)
        connection.set_progress_handler(steps.step, 1)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", counted)
        yield steps


def steps_of(use: Callable[[Path], object], where: Path) -> int:
    use(where)  # what is kept beside is there then
    with counting() as steps:
        use(where)
    assert steps.count > 0
    return steps.count


def require_same(use: Callable[[Path], object], places: tuple[Path, Path]) -> None:
    few, many = (steps_of(use, where) for where in places)
    assert many <= TOLERANCE * few, f"{many:,} steps, with a tenth of the items {few:,}"


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two collections of vectors from a file; three more of them have no direction."""
    folder = tmp_path_factory.mktemp("costs")
    few, many = (_of_vectors(folder, count) for count in SIZES)
    return few, many


def _of_vectors(folder: Path, count: int) -> Path:
    made = np.random.default_rng(0).standard_normal((count + FAILED, 8)).astype(np.float32)
    made[count:] = 0
    file = plain(folder / f"{count}.npy", made, 0)
    with pytest.MonkeyPatch.context() as patch, Collection.create(str(file), str(folder / f"{count}")) as collection:
        patch.setattr(ready, "LEAST", 1)
        assert collection.sync().new == count
    return folder / f"{count}"


def opened(use: Callable[[Collection], object]) -> Callable[[Path], object]:
    def of(where: Path) -> None:
        with Collection.open(where) as collection:
            use(collection)

    return of


ASKED: dict[str, Callable[[Collection], object]] = {
    "nothing": lambda _: None,
    "how many": len,
    "a search by id": lambda collection: collection.search(id=5, k=3),
    "a search by name": lambda collection: collection.search(id=f"{Path(collection.place.directory).name}.npy:7", k=3),
    "a search by a vector": lambda collection: collection.search(vector=np.ones(8), k=3),
    "an unchanged source": lambda collection: collection.sync(),
    "what it is": lambda collection: collection.info(),
    "what failed": lambda collection: collection.failed(),
    "the recall curve": lambda collection: collection.recall_curve(),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_reads_as_many_rows_of_a_large_collection(name: str, vectors: tuple[Path, Path]) -> None:
    require_same(opened(ASKED[name]), vectors)


def test_the_answers_are_those_of_all_rows(vectors: tuple[Path, Path]) -> None:
    for where, count in zip(vectors, SIZES, strict=True):
        with Collection.open(where) as collection:
            info = collection.info()
            assert (len(collection), info.indexed, info.failed) == (count, count, FAILED)
            assert len(collection.failed()) == FAILED
            report = collection.sync()
            assert (report.unchanged, len(report.failed)) == (count, FAILED)


def test_who_has_indexed_much_has_looked_at_all_of_it_for_others(
    vectors: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then neither a first search nor `info` reads all ids."""
    looked: list[str] = []
    ids = Reader.ids.fget  # type: ignore[attr-defined]

    def told(reader: Reader) -> NDArray[np.int64]:
        looked.append("at all ids")
        found: NDArray[np.int64] = ids(reader)
        return found

    monkeypatch.setattr(Reader, "ids", property(told))
    with Collection.open(vectors[1]) as collection:
        assert collection.search(id=5, k=3).match is not None
        assert [point.asked for point in collection.recall_curve()] == [0.8, 0.9, 0.95, 0.99]
        assert looked == []
        (vectors[1] / "recall").unlink()
        collection.recall_curve()
        assert looked == ["at all ids"]


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "of another"])
def test_a_curve_that_is_damaged_is_measured_again(change: str, vectors: tuple[Path, Path]) -> None:
    with Collection.open(vectors[1]) as collection:
        before, file = collection.recall_curve(), vectors[1] / "recall"
        data = bytearray(file.read_bytes())
        match change:
            case "flip":
                data[-9] ^= 1
            case "of another":
                data[20] ^= 1
            case _:
                del data[len(data) // 2 if change == "cut" else 0 :]
        file.write_bytes(data)
        again = collection.recall_curve()
        assert [point[:3] for point in again] == [point[:3] for point in before]
        assert collection.recall_curve() == again, "it is kept"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Catalogues of pictures; two are of several pages, and three could not be read."""
    folder = tmp_path_factory.mktemp("pictures")
    few, many = (_of_pictures(folder / f"{count}", count) for count in SIZES)
    return few, many


def _of_pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    path = folder / "catalogue.sqlite"
    Catalogue.create(str(path), model="m", model_hash="h", dim=2, metric="cosine", roots=[b"."])
    catalogue = Catalogue(str(path))
    names = [b"%d/%d.jpg" % (i % 7, i) for i in range(count)]
    items = [Item(0, name, 1, 1, name[:32].ljust(32), 1, 1, "indexed", None) for name in names]
    items += [Item(0, b"bad/%d.jpg" % i, 1, 1, None, None, None, "failed", "damaged") for i in range(FAILED)]
    known = [Known('{"pages": 2}' if i < SEVERAL else '{"width": 2}') for i in range(len(items))]
    with catalogue.writing():
        catalogue.add(items, [None] * len(items), known)
    catalogue.close()
    return folder


def on(use: Callable[[Place, Catalogue], object]) -> Callable[[Path], object]:
    def of(folder: Path) -> None:
        catalogue = Catalogue(str(folder / "catalogue.sqlite"))
        with catalogue.reading():
            use(Place.at(str(folder)), catalogue)
        catalogue.close()

    return of


def test_names_and_counts_of_pictures_are_found_by_indexes(pictures: tuple[Path, Path]) -> None:
    found: list[object] = []
    for use in (
        lambda _, catalogue: catalogue.counts.of("indexed"),
        lambda _, catalogue: catalogue.failed(),
        lambda _, catalogue: catalogue.metadata.of_several_pages(1),
        lambda _, catalogue: catalogue.absent.with_path(b"nowhere.jpg"),
        lambda place, catalogue: Keys(place, catalogue).find("1700.jpg"),  # the name alone
        lambda place, catalogue: Keys(place, catalogue).find("6/1700.jpg"),  # from the collection's folder
    ):
        require_same(on(lambda place, catalogue, use=use: found.append(use(place, catalogue))), pictures)  # type: ignore[misc]
    of_one = found[2::4]  # each was asked twice of both
    assert [of_one[0], len(of_one[1]), of_one[2], of_one[3]] == [SIZES[1], FAILED, SEVERAL, None]  # type: ignore[arg-type]
    assert {each.path for each in of_one[4:]} == {b"6/1700.jpg"}  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Collections of folders of pictures, all alike."""
    top = tmp_path_factory.mktemp("folders")
    few, many = (_of_folder(top / f"{count}", count) for count in (30, 300))
    return few, many


def _of_folder(folder: Path, count: int) -> Path:
    first = draw_picture(folder / "0.png", 0)
    for i in range(1, count):
        shutil.copyfile(first, folder / f"{i}.png")
    (folder / "damaged.png").write_bytes(first.read_bytes()[:50])
    with Collection.open(folder) as collection:
        assert collection.sync().new == count
    return folder


def test_folders_that_have_not_changed_are_looked_at_and_no_item_is_read(folders: tuple[Path, Path]) -> None:
    require_same(opened(lambda collection: collection.sync()), folders)


def test_what_has_changed_in_a_folder_is_told_as_when_all_items_are_compared(folders: tuple[Path, Path]) -> None:
    few, _ = folders
    with Collection.open(few) as collection:

        def told() -> tuple[int, ...]:
            report, again = collection.sync(), collection.sync()
            assert (again.unchanged, again.failed, again.skipped) == (report.indexed, report.failed, report.skipped)
            assert again.changes == 0
            os.unlink(few / ".lookalike" / "found")
            in_full = collection.sync()
            assert (in_full.unchanged, in_full.failed, in_full.skipped) == (
                again.unchanged,
                again.failed,
                again.skipped,
            )
            assert (few / ".lookalike" / "found").exists()
            return report.new, report.changed, report.moved, report.removed, report.unchanged, len(report.failed)

        assert told() == (0, 0, 0, 0, 30, 1)
        os.utime(few / "0.png", ns=(1, 1))
        assert told() == (0, 0, 0, 0, 30, 1)
        draw_picture(few / "1.png", 7)
        assert told() == (0, 1, 0, 0, 29, 1)
        os.rename(few / "1.png", few / "moved.png")
        assert told() == (0, 0, 1, 0, 29, 1)
        os.unlink(few / "2.png")
        assert told() == (0, 0, 0, 1, 29, 1)
        (few / "notes.txt").write_text("no picture")
        assert told() == (0, 0, 0, 0, 29, 1)
        os.unlink(few / "damaged.png")
        assert told() == (0, 0, 0, 0, 29, 0)


def test_only_what_is_not_there_is_looked_for_everywhere(pictures: tuple[Path, Path]) -> None:
    def look(place: Place, catalogue: Catalogue) -> None:
        assert Keys(place, catalogue).find("none.jpg") is None

    few, many = (steps_of(on(look), where) for where in pictures)
    assert many > 5 * few


def test_pages_that_were_given_count_as_a_condition_finds_them(tmp_path: Path) -> None:
    with closing(Catalogue(str(_of_pictures(tmp_path / "few", 50) / "catalogue.sqlite"))) as catalogue:
        for given, expected in (({}, SEVERAL), ({1: {"pages": 1}, 9: {"pages": 7}}, SEVERAL), ({1: {"pages": 3}}, 3)):
            with catalogue.writing():
                catalogue.metadata.give(given)
            with catalogue.reading() as about:
                assert catalogue.metadata.of_several_pages(about.generation) == expected
                assert len(catalogue.metadata.matching("pages > 1", about.generation)) == expected


def test_numbers_that_are_kept_are_those_there_are(tmp_path: Path) -> None:
    path = _of_pictures(tmp_path / "few", 50) / "catalogue.sqlite"
    for wrong in (
        "UPDATE counts SET indexed = 7",  # its checksum is another
        "UPDATE totals SET rows = 52 WHERE name = 'items'",
        "DELETE FROM items WHERE id = 3",  # by no transaction of ours
    ):
        copy = tmp_path / "copy.sqlite"
        for ending in ("", "-wal"):
            (tmp_path / f"copy.sqlite{ending}").unlink(missing_ok=True)
        shutil.copyfile(path, copy)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(wrong)
            connection.commit()
        with closing(Catalogue(str(copy))) as catalogue:
            with pytest.raises(DamagedError):
                catalogue.counts.of("indexed")
            assert catalogue.problems()
