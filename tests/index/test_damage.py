"""A file that is damaged, or none of ours, is refused: never a wrong answer, never a crash."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike import Index, errors
from lookalike.index.family import Family
from lookalike.index.store import Store
from tests.conftest import LONG
from tests.index.brute_force import Metric, clusters

Answers = tuple[object, ...]


def make(
    path: Path,
    metric: Metric = "euclidean",
    rows: int = 5,
    dim: int = 2,
    store: Store | None = None,
    family: Family = "spheres",
) -> bytes:
    index = Index(dim, metric, buckets=2, store=store, family=family, tables=None if family == "spheres" else 2)
    vectors = np.arange(1, rows * dim + 1, dtype=np.float32).reshape(rows, dim)
    given = np.packbits(vectors % 7 < 3, axis=1) if metric == "hamming" else vectors
    index.add(given, np.arange(rows) * 3)
    index.save(path, note={"model": "m"})
    return path.read_bytes()


def use(path: Path) -> Answers:
    """Everything that can be asked of an index."""
    index = Index.open(path)
    query = np.full(index.dim // 8, 1, np.uint8) if index.metric == "hamming" else np.ones(index.dim)
    found = [index.search(query, 4, **options) for options in ({"exact": True}, {"probes": 1}, {})]
    return (
        index.dim,
        index.metric,
        len(index),
        index.ids.tolist(),
        index.note,
        [] if index.store == "none" else [index[id].tolist() for id in index.ids],
        [(f.ids.tolist(), f.distances.tolist(), f.recall, f.candidates.tolist()) for f in found],
    )


@pytest.mark.parametrize(("metric", "family"), [("cosine", "spheres"), ("dot", "cross_polytope")])
def test_every_altered_byte_is_noticed(metric: Metric, family: Family, tmp_path: Path) -> None:
    path = tmp_path / "index"
    whole = make(path, metric, family=family)
    assert len(whole) < 4000
    with open(path, "r+b", buffering=0) as file:
        for position, byte in enumerate(whole):
            for mask in (0x01, 0x80, 0xFF):
                os.pwrite(file.fileno(), bytes([byte ^ mask]), position)
                with pytest.raises((errors.DamagedError, errors.NotAnIndexError)) as caught:
                    use(path)
                assert isinstance(caught.value, errors.DamagedError) or position < 8  # the magic
            os.pwrite(file.fileno(), bytes([byte]), position)
    assert path.read_bytes() == whole


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "index"
    whole = make(path)
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises((errors.DamagedError, errors.NotAnIndexError)) as caught:
            Index.open(path)
        assert isinstance(caught.value, errors.DamagedError) == (length >= 8)
    path.write_bytes(whole + b"\0")
    with pytest.raises(errors.DamagedError, match=rf"it has {len(whole) + 1} bytes where {len(whole)} were written"):
        Index.open(path)


def test_zeroed_swapped_and_repeated_pieces_are_noticed(large: bytes, tmp_path: Path) -> None:
    path, whole = tmp_path / "index", large  # several blocks
    random = np.random.default_rng(1)
    for _ in range(60):
        length = int(random.integers(1, 70_000))
        here, there = random.integers(0, len(whole) - length, 2)
        for piece in (bytes(length), whole[there : there + length]):
            damaged = whole[:here] + piece + whole[here + length :]
            path.write_bytes(damaged)
            if damaged == whole:
                continue
            with pytest.raises((errors.DamagedError, errors.NotAnIndexError)):
                Index.open(path).save(tmp_path / "copy")  # which reads what no search needs, too


@pytest.mark.parametrize("family", ["spheres", "hyperplanes", "cross_polytope"])
@pytest.mark.parametrize(
    ("metric", "store"), [("euclidean", "float32"), ("cosine", "float16"), ("dot", "none"), ("hamming", "bits")]
)
def test_damage_is_an_error_or_changes_no_answer(metric: Metric, store: Store, family: Family, tmp_path: Path) -> None:
    """Random damages of a small file with buckets."""
    path = tmp_path / "index"
    whole = make(path, metric, rows=40, dim=8, store=store, family=family)
    answers = use(path)
    random = np.random.default_rng(2)
    refused = 0
    times = 10_000 if LONG else 1000 if (store, family) == ("float32", "spheres") else 150
    for _ in range(times):
        damaged = bytearray(whole)
        for _ in range(int(random.integers(1, 4))):
            begin = int(random.integers(len(whole)))
            piece = damaged[begin : begin + int(random.integers(1, 40))]
            damaged[begin : begin + len(piece)] = random.bytes(len(piece))
        path.write_bytes(damaged[: int(random.integers(len(damaged)))] if random.random() < 0.2 else damaged)
        try:
            assert use(path) == answers
        except (errors.DamagedError, errors.NotAnIndexError):
            refused += 1
    assert refused > 0.97 * times


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make(tmp_path_factory.mktemp("large") / "index", rows=12_000)


@pytest.mark.parametrize(
    "way", [{"exact": True}, {"probes": 1}, {"probes": 1, "threads": 2}, {"filter": range(40_000)}]
)
def test_every_way_to_search_verifies_what_it_reads(way: dict[str, Any], large: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index"
    whole = bytearray(large)
    row = 6_000  # far from the sections that are verified at open
    vector = np.array([2 * row + 1, 2 * row + 2], np.float32)
    whole[whole.rindex(vector.tobytes())] ^= 0xFF
    path.write_bytes(whole)
    for queries in (vector, np.tile(vector, (20, 1))):
        index = Index.open(path)
        with pytest.raises(errors.DamagedError, match="altered"):
            index.search(queries, **way)
    with pytest.raises(errors.DamagedError, match="altered"):
        Index.open(path)[3 * row]
    with pytest.raises(errors.DamagedError, match="altered"):
        Index.open(path).save(tmp_path / "copy")


def test_rows_in_bytes_are_verified_when_they_are_first_used(tmp_path: Path) -> None:
    path = tmp_path / "index"
    vectors = clusters(9000, 32, seed=1)
    index = Index(32, "euclidean")
    index.add(vectors)
    index.save(path)
    whole = path.read_bytes()
    vectors_begin = len(whole) - 64 - 9000 * 128 - 200_000 // 64
    damaged = bytearray(whole)
    for where in range(vectors_begin - 150_000, vectors_begin - 100_000, 40):  # right before the vectors
        damaged[where] ^= 0x55
    path.write_bytes(damaged)
    opened = Index.open(path)
    np.testing.assert_array_equal(opened.search(vectors[:10], 1, exact=True).ids[:, 0], np.arange(10))
    with pytest.raises(errors.DamagedError, match="altered"):
        opened.search(vectors, 5, probes=2)
    with pytest.raises(errors.DamagedError, match="altered"):
        opened.save(tmp_path / "copy")
    assert os.listdir(tmp_path) == ["index"]


def test_vectors_are_verified_when_they_are_first_used_and_damage_is_not_passed_on(tmp_path: Path) -> None:
    path = tmp_path / "index"
    rows, dim = 3000, 100
    whole = make(path, rows=rows, dim=dim)
    last = np.float32(rows * dim).tobytes()  # the last value of the last vector
    where = whole.rindex(last)
    path.write_bytes(whole[:where] + b"\xff" + whole[where + 1 :])
    index = Index.open(path)
    assert len(index) == rows
    assert index[0][0] == 1.0  # another block
    for _ in range(2):
        with pytest.raises(errors.DamagedError, match="restore it from a copy or build it again"):
            index[3 * (rows - 1)]
        with pytest.raises(errors.DamagedError, match="altered"):
            index.search(np.ones(dim), exact=True)
        with pytest.raises(errors.DamagedError, match="altered"):
            index.search(np.ones((50, dim)), exact=True, threads=4)
        with pytest.raises(errors.DamagedError):
            index.save(tmp_path / "copy")
        index.add(np.ones(dim), 1_000_000, overwrite=True)
        with pytest.raises(errors.DamagedError):
            index.optimize()
    assert os.listdir(tmp_path) == ["index"]
    assert index[0][0] == 1.0


@pytest.mark.parametrize(
    "content",
    [b"", b"L", b"LOOKSEG", b"a text file, not an index\n" * 100, bytes(5000), b"\x89PNG\r\n\x1a\n" + bytes(5000)],
)
def test_a_file_of_another_kind(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(errors.NotAnIndexError, match=r"give the path that Index\.save wrote"):
        Index.open(tmp_path / "file")


def test_what_is_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(errors.NotAnIndexError, match="No such file or directory; check the path"):
        Index.open(tmp_path / "nothing")
    with pytest.raises(errors.NotAnIndexError, match="is not a file"):
        Index.open(tmp_path)
    with pytest.raises(errors.NotAnIndexError, match="is not a file"):
        Index.open("/dev/zero")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(errors.NotAnIndexError, match="is not a file"):
        Index.open(tmp_path / "fifo")  # without a writer, an ordinary open would wait for ever
    os.symlink("loop", tmp_path / "loop")
    with pytest.raises(errors.NotAnIndexError, match="symbolic links"):
        Index.open(tmp_path / "loop")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(tmp_path)  # the names of sockets are short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        with pytest.raises(errors.NotAnIndexError):
            Index.open(tmp_path / "socket")
    with pytest.raises(errors.ArgumentError, match="expected a path, received None"):
        Index.open(None)  # type: ignore[arg-type]


def test_a_link_to_an_index_opens(tmp_path: Path) -> None:
    make(tmp_path / "index")
    os.symlink("index", tmp_path / "link")
    assert len(Index.open(tmp_path / "link")) == 5
