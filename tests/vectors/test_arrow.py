"""Parquet and Arrow: lists of each kind, names of each kind, and tables that hold no vectors."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lookalike.errors import MissingExtraError
from lookalike.vectors import open_vectors

from .made import (
    COUNT,
    NAMES,
    STRANGE,
    VECTORS,
    refused,
    require_read,
    require_read_or_refused,
    require_refused,
    require_refused_within,
)

pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'lookalike[parquet]'")

from pyarrow import feather, ipc, parquet  # noqa: E402


def as_parquet(table: Any, path: Path) -> None:
    parquet.write_table(table, path, row_group_size=70)


def as_feather(table: Any, path: Path) -> None:
    feather.write_feather(table, str(path), chunksize=70)


def as_file(table: Any, path: Path) -> None:
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def as_stream(table: Any, path: Path) -> None:
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=90)


Write = Callable[[Any, Path], None]
WRITES: list[Write] = [as_parquet, as_feather, as_file, as_stream]

every = pytest.mark.parametrize("write", WRITES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table"


def lists(vectors: Any, kind: Any = None) -> Any:
    """Lists of a fixed size, or of another kind."""
    flat = pa.array(vectors.ravel())
    fixed = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return fixed if kind is None else fixed.cast(kind(flat.type))


@every
@pytest.mark.parametrize("kind", [None, pa.list_, pa.large_list])
@pytest.mark.parametrize(
    "text", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_lists_and_names(path: Path, write: Write, kind: Any, text: Any) -> None:
    write(pa.table({"n": range(COUNT), "vec": lists(VECTORS, kind), "path": pa.array(NAMES).cast(text)}), path)
    require_read(path, VECTORS, NAMES)


@every
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_every_dtype(path: Path, write: Write, dtype: str) -> None:
    vectors = (VECTORS * 40).clip(0, 100).astype(dtype)
    write(pa.table({"vec": lists(vectors)}), path)
    require_read(path, vectors)


@every
def test_slices(path: Path, write: Write) -> None:
    table = pa.table({"vec": lists(VECTORS), "path": NAMES}).slice(33, 200)
    write(table, path)
    require_read(path, VECTORS[33:233], NAMES[33:233])


@every
def test_a_tensor(path: Path, write: Write) -> None:
    tensor = pa.FixedShapeTensorArray.from_numpy_ndarray(VECTORS)
    write(pa.table({"vec": tensor}), path)
    require_read(path, VECTORS)


@every
def test_strange_names(path: Path, write: Write) -> None:
    as_bytes = [name.encode("utf-8", "surrogateescape") for name in STRANGE]
    write(pa.table({"vec": lists(VECTORS[: len(STRANGE)]), "path": pa.array(as_bytes, pa.binary())}), path)
    require_read(path, VECTORS[: len(STRANGE)], STRANGE)


def test_texts_that_are_not_utf8(path: Path) -> None:
    """Parquet's own do not check."""
    texts = pa.array([b"a\xff", b"b", b"c"], pa.binary()).view(pa.string())
    parquet.write_table(pa.table({"vec": lists(VECTORS[:3]), "path": texts}), path)
    require_read(path, VECTORS[:3], ["a\udcff", "b", "c"])


@every
def test_which_columns(path: Path, write: Write) -> None:
    columns = {"a": lists(VECTORS), "b": lists(VECTORS[:, :2].copy()), "caption": NAMES[::-1], "title": NAMES}
    write(pa.table(columns), path)
    require_refused(path, "one matrix of vectors, received several: 'a', 'b'; give the key")
    require_refused(path, "one column of texts, the names, received caption, title; say which", key="a")
    require_read(path, VECTORS, NAMES, key="a", names="title")
    require_refused(path, "expected a column called 'c'", key="c", names="title")
    require_refused(path, "expected a column called 'c'", key="a", names="c")
    require_refused(path, "'b' to hold texts", key="a", names="b")
    write(pa.table({"embeddings": lists(VECTORS), "b": lists(VECTORS), "caption": NAMES[::-1], "name": NAMES}), path)
    require_read(path, VECTORS, NAMES)


@every
@pytest.mark.parametrize(
    ("column", "match"),
    [
        (pa.array([[1.0, 2.0], [3.0], [4.0, 5.0]]), "lists of one length, received"),
        (pa.array([[1.0, 2.0], [3.0, 4.0, 5.0], [4.0]]), "lists of one length, received one of 3 after 2 in row 1"),
        (pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float32(), 2)), "received null in row 1|of one length"),
        (pa.array([[1.0, 2.0], None, [3.0, 4.0]]), "lists of one length|received null in row 1"),
        (pa.array([[1.0, 2.0], [3.0, 4.0], [None, 4.0]]), "received null in row 2"),
        (pa.array([[1.0, 2.0], [3.0, float("nan")], [3.0, 4.0]]), "received nan in row 1"),
        (pa.array([[1.0, 2.0], [3.0, float("inf")], [3.0, 4.0]]), "received inf in row 1"),
        (pa.array([["a"], ["b"], ["c"]]), "expected lists of floats"),
        (pa.array([[True], [False], [True]]), "expected lists of floats"),
        (pa.array([[], [], []], pa.list_(pa.float32())), "at least one vector|lists of one length"),
        (pa.array([], pa.list_(pa.float32())), "at least one vector|lists of one length, received 0 numbers in 0 rows"),
        (pa.array([1.0, 2.0]), "received <?.*"),
        (pa.array([[[1.0]], [[2.0]]]), "expected lists of floats"),
    ],
)
def test_other_columns_are_refused(path: Path, write: Write, column: Any, match: str) -> None:
    write(pa.table({"vectors": column}), path)
    with refused(path, match):
        list(open_vectors(path).chunks())


@every
@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["a", None, "c"], "received null in row 1"),
        (["a", "", "c"], "received an empty one, in row 1"),
        (["a", "b\0", "c"], "received one with NUL"),
        (["a", "b", "a"], r"received 'a' in row 2 \(from 0\) as in row 0"),
        (["a", "b", "x" * 4097], "received one of 4,097 bytes"),
    ],
)
def test_names_that_are_none(path: Path, write: Write, names: list[str | None], match: str) -> None:
    write(pa.table({"vec": lists(VECTORS[:3]), "path": names}), path)
    require_refused_within(path, match)
    write(pa.table({"vec": lists(VECTORS[:3]), "path": pa.array(names).dictionary_encode()}), path)
    require_refused_within(path, match)


@every
def test_no_columns(path: Path, write: Write) -> None:
    write(pa.table({"x": [1]}), path)
    require_refused(path, "one matrix of vectors, received 'x'; give the key")
    require_refused(path, "expected lists of .*received int64", key="x")


def test_columns_of_one_name(path: Path) -> None:
    as_file(pa.Table.from_arrays([lists(VECTORS), lists(VECTORS)], names=["v", "v"]), path)
    require_refused(path, "columns of different names, received v, v")


def test_a_bomb(path: Path) -> None:
    parquet.write_table(pa.table({"v": lists(np.zeros((100_000, 200), "f4"))}), path)
    assert path.stat().st_size < 200_000
    require_refused(path, "packed at most 100:1")


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_bomb_in_arrow(path: Path, codec: str) -> None:
    """The table says nothing of it; the buffers do."""
    table = pa.table({"v": lists(np.zeros((100_000, 200), "f4"))})
    feather.write_feather(table, str(path), compression=codec, chunksize=100_000)
    assert path.stat().st_size < 400_000
    require_refused(path, "packed at most 100:1, received .* bytes that unpack to 80,000,000")


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_compressed_dictionary(path: Path, codec: str) -> None:
    table = pa.table({"v": lists(VECTORS), "path": pa.array(NAMES).dictionary_encode()})
    feather.write_feather(table, str(path), compression=codec)
    require_read(path, VECTORS, NAMES)


@every
def test_every_cut_is_refused(path: Path, write: Write) -> None:
    write(pa.table({"vec": lists(VECTORS[:30]), "path": NAMES[:30]}), path)
    data = path.read_bytes()
    for size in range(8, len(data), 13):
        path.write_bytes(data[:size])
        require_refused(path, "a whole (Parquet|Arrow) file")


@pytest.mark.parametrize("data", [b"ARROW1", b"ARROW1ARROW1", b"\xff\xff\xff\xff\0\0\0\0", b"x"])
def test_marks_and_nothing_else(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    require_refused(path, "a whole Arrow file", format="arrow")


def test_a_stream_without_its_last_batches(path: Path) -> None:
    table = pa.table({"vec": lists(VECTORS), "path": NAMES})
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=90)
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    require_refused(path, "a whole Arrow file, received one without its end; fetch it again")


@every
def test_damage_ends_in_a_sentence(path: Path, write: Write) -> None:
    """Numbers and names have no checksums, so they may be others."""
    write(pa.table({"vec": lists(VECTORS[:30], pa.list_), "path": NAMES[:30]}), path)
    data = path.read_bytes()
    dice = random.Random(1)
    found = 0
    for _ in range(300):
        damaged = bytearray(data)
        damaged[dice.randrange(8, len(data))] = dice.choice([0, 255, dice.randrange(256)])
        path.write_bytes(damaged)
        found += require_read_or_refused(path)
    assert found > 30


def test_without_pyarrow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_parquet(pa.table({"vec": lists(VECTORS)}), path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lookalike\[parquet\]'"):
        open_vectors(path)
