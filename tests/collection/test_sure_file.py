"""What tells how sure a hit is, kept beside the catalogue: it spares time, and changes nothing."""

from __future__ import annotations

import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.collection import Collection, ready
from lookalike.collection.hits import Hits
from lookalike.collection.sure import Sample
from lookalike.index import Reader

from .vectors import DIM, rows, write

COUNT = 2000
RANDOM = np.random.default_rng(4)
VECTORS = RANDOM.standard_normal((COUNT + 200, DIM)).astype(np.float32)
NAMES = [f"{i}.jpg" for i in range(COUNT + 200)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    grow(tmp_path, COUNT)
    return tmp_path / "words"


def grow(folder: Path, count: int) -> None:
    """So many vectors are in the collection."""
    file = write(folder / "words.h5", rows(NAMES[:count], VECTORS[:count]), time=count)
    with Collection.create(str(file), str(folder / "words")) as collection:
        collection.sync()


def asked(place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Hits, int]:
    """A search by a process that has not searched yet, and how often a sample was looked for in all there is."""
    computed: list[int] = []
    plain = Sample.of.__func__  # type: ignore[attr-defined]

    def counted(cls: type[Sample], index: Reader) -> Sample:
        computed.append(len(index))
        sample: Sample = plain(cls, index)
        return sample

    monkeypatch.setattr(Sample, "of", classmethod(counted))
    with Collection.open(place) as collection:
        hits = collection.search(vector=VECTORS[0], k=5)
    monkeypatch.undo()
    return hits, len(computed)


def test_it_is_computed_once_and_then_brought_along(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, computed = asked(place, monkeypatch)
    assert computed == 1
    assert (place / "sure").is_file()
    assert asked(place, monkeypatch) == (first, 0)
    written = os.stat(place / "sure").st_mtime_ns
    grow(place.parent, COUNT + 10)  # too few to matter
    assert asked(place, monkeypatch)[1] == 0
    grow(place.parent, COUNT + 60)
    hits, computed = asked(place, monkeypatch)
    assert computed == 0
    assert os.stat(place / "sure").st_mtime_ns == written
    (place / "sure").unlink()
    anew, computed = asked(place, monkeypatch)
    assert computed == 1
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in anew], rel=0.01)


def test_who_has_it_open_takes_what_another_has_computed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer looks at what is new before its sync ends; a reader need not, in front of a search."""
    monkeypatch.setattr(ready, "LEAST", 1)
    followed: list[int] = []
    plain = Sample.followed

    def counted(self: Sample, index: Reader, new: NDArray[np.int64], count: int) -> Sample | None:
        followed.append(len(new))
        return plain(self, index, new, count)

    monkeypatch.setattr(Sample, "followed", counted)
    with Collection.open(place) as reader:
        reader.search(vector=VECTORS[0], k=5)
        grow(place.parent, COUNT + 200)
        assert followed == [200]
        hits = reader.search(vector=VECTORS[0], k=5)
        assert followed == [200]
    assert asked(place, monkeypatch)[0] == hits


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "of another", "grown", "nonsense"])
def test_one_that_is_damaged_or_of_another_collection_is_made_again(
    place: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = asked(place, monkeypatch)
    data = bytearray((place / "sure").read_bytes())
    match change:
        case "flip":
            data[len(data) // 2] ^= 1
        case "of another":
            data[20] ^= 1
        case "grown":
            data[72:80] = (2**40).to_bytes(8, "little")
        case "nonsense":
            data[96:-4] = bytes(len(data) - 100)
        case _:
            del data[len(data) // 2 if change == "cut" else 0 :]
    if change in {"of another", "grown", "nonsense"}:
        data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    (place / "sure").write_bytes(data)
    assert asked(place, monkeypatch) == (first, 1)
    assert asked(place, monkeypatch) == (first, 0)


def test_where_it_cannot_be_kept_it_is_computed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "sure").mkdir()
    first, computed = asked(place, monkeypatch)
    assert computed == 1
    assert asked(place, monkeypatch) == (first, 1)
    shutil.rmtree(place / "sure")
