"""What is left of a damaged file: every row in intact blocks, and nothing else."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest

from lookalike import Index
from lookalike.errors import DamagedError, NotAnIndexError, ReadError
from lookalike.index.store import Store
from tests.segment_files import sections

BLOCK = 65536
COUNT, DIM = 6_000, 64


def built(path: Path, store: Store = "float32", dim: int = DIM) -> tuple[Index, int]:
    """An index, saved, and where its file's sections end."""
    index = Index(dim, store=store)
    index.add(np.random.default_rng(0).standard_normal((COUNT, dim)), np.arange(COUNT) * 3)
    index.save(path, note={"a": "b"})
    data = path.read_bytes()
    return index, int.from_bytes(data[24:32], "little")


def flip(path: Path, *offsets: int) -> None:
    data = bytearray(path.read_bytes())
    for offset in offsets:
        data[offset] ^= 0x10
    path.write_bytes(data)


@pytest.mark.parametrize("store", ["float32", "float16", "none"])
def test_rows_in_intact_blocks_are_kept_as_they_were(tmp_path: Path, store: Store) -> None:
    index, end = built(tmp_path / "a", store)
    flip(tmp_path / "a", end - 2 * BLOCK, end - 10)
    with pytest.raises(DamagedError):
        Index.open(tmp_path / "a").save(tmp_path / "b")
    left, lost = Index.salvage(tmp_path / "a")
    row = 4 * DIM if store == "float32" else 2 * DIM if store == "float16" else DIM + 8
    assert 1 <= lost <= 2 * (BLOCK // row + 2)
    assert len(left) == COUNT - lost
    assert left.note == {"a": "b"}
    assert np.isin(left.ids, index.ids).all()
    left.save(tmp_path / "b")
    mended = Index.open(tmp_path / "b")
    queries = np.random.default_rng(1).standard_normal((20, DIM))
    found, expected = mended.search(queries, exact=True), index.search(queries, exact=True, filter=left.ids)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.distances, expected.distances)
    if store != "none":
        assert all(np.array_equal(mended[id], index[id]) for id in left.ids[::100].tolist())


def test_damage_of_what_only_leads_to_the_blocks_loses_no_row(tmp_path: Path) -> None:
    built(tmp_path / "a")
    size = (tmp_path / "a").stat().st_size
    for offset in (size - 1, size - 64, size - 52):  # of the footer
        flip(tmp_path / "a", offset)
        with pytest.raises(DamagedError):
            Index.open(tmp_path / "a")
        left, lost = Index.salvage(tmp_path / "a")
        assert (len(left), lost) == (COUNT, 0)
        flip(tmp_path / "a", offset)


def test_where_vectors_are_large_ids_and_shape_are_there_twice(tmp_path: Path) -> None:
    index, end = built(tmp_path / "a", dim=256)
    for offsets in (
        (3,),
        (12,),
        (25,),
        (57,),
        (100,),
        (1000,),
        (3, 100, BLOCK + 5),
        (end - 5,),
        (end - 5, end - 40_000),
    ):
        flip(tmp_path / "a", *offsets)
        with pytest.raises((DamagedError, NotAnIndexError)):
            Index.open(tmp_path / "a").verify()
        left, lost = Index.salvage(tmp_path / "a")
        assert len(left) + lost == COUNT
        assert lost <= 64  # a block of vectors, at the end
        assert all(np.array_equal(left[id], index[id]) for id in left.ids[::200].tolist())
        flip(tmp_path / "a", *offsets)
    Index.open(tmp_path / "a").verify()


@pytest.mark.parametrize("section", ["ids", "ids_again"])
def test_ids_of_a_wrong_length_are_taken_from_where_they_are_again(tmp_path: Path, section: str) -> None:
    index, _ = built(tmp_path / "a", dim=256)
    data = bytearray((tmp_path / "a").read_bytes())
    entry = sections(data)[section].entry
    data[entry + 40 : entry + 48] = (COUNT * 8 - 8).to_bytes(8, "little")
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(DamagedError):
        Index.open(tmp_path / "a")
    left, lost = Index.salvage(tmp_path / "a")
    assert lost == 0
    assert np.array_equal(left.ids, index.ids)


def test_what_cannot_be_salvaged(tmp_path: Path) -> None:
    built(tmp_path / "a")
    for offset in (56, 100):  # the header's checksum, the shape: both in the first block
        flip(tmp_path / "a", offset)
        with pytest.raises(DamagedError):
            Index.salvage(tmp_path / "a")
        flip(tmp_path / "a", offset)
    (tmp_path / "cut").write_bytes((tmp_path / "a").read_bytes()[:-1000])
    with pytest.raises(DamagedError, match="bytes where"):
        Index.salvage(tmp_path / "cut")
    (tmp_path / "other").write_bytes(b"something else" * 100)
    for name in ("other", "missing"):
        with pytest.raises(NotAnIndexError):
            Index.salvage(tmp_path / name)


def test_any_flipped_byte_gives_rows_as_they_were_or_an_error(tmp_path: Path) -> None:
    index, _ = built(tmp_path / "a")
    dice = np.random.default_rng(3)
    size = (tmp_path / "a").stat().st_size
    for offset in dice.integers(size, size=60).tolist():
        flip(tmp_path / "a", offset)
        try:
            left, lost = Index.salvage(tmp_path / "a")
        except (DamagedError, NotAnIndexError):
            assert offset < BLOCK or offset > size - 4096
        else:
            assert len(left) + lost == COUNT
            for id in dice.choice(left.ids, 20).tolist():
                assert np.array_equal(left[id], index[id])
        flip(tmp_path / "a", offset)


def test_verify_reads_what_no_search_has_touched(tmp_path: Path) -> None:
    index, end = built(tmp_path / "a")
    index.verify()  # of no file
    Index.open(tmp_path / "a").verify()
    flip(tmp_path / "a", end - 10)
    damaged = Index.open(tmp_path / "a")
    with pytest.raises(DamagedError, match=str(tmp_path / "a")):
        damaged.verify()


def test_an_altered_table_never_puts_vectors_under_other_ids(tmp_path: Path) -> None:
    """Every bit of the entries and of some checksums: the rows are as they were, or nothing is salvaged."""
    path = tmp_path / "a"
    dice = np.random.default_rng(0)
    index = Index(16)
    index.add(dice.standard_normal((50, 16)))
    index.save(path)
    whole = path.read_bytes()
    end = int.from_bytes(whole[24:32], "little")
    salvaged = 0
    for bit in range(8 * end, 8 * (len(whole) - 64)):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        try:
            left, lost = Index.salvage(path)
        except DamagedError:
            continue
        salvaged += 1
        assert len(left) + lost == 50
        assert all(np.array_equal(left[id], index[id]) for id in left.ids.tolist())
    assert salvaged >= 64  # the one block's checksum


def test_what_cannot_be_read_now_is_not_called_damaged(tmp_path: Path) -> None:
    built(tmp_path / "a")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = os.open("/", os.O_RDONLY)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (taken, hard))
        with pytest.raises(ReadError, match="Too many open files") as caught:
            Index.open(tmp_path / "a")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(taken)
    assert caught.value.errno == errno.EMFILE
