"""HDF5: which layout a file is in, and all that it may promise or point to without having it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.vectors import open_vectors

from .made import (
    COUNT,
    DIM,
    NAMES,
    STRANGE,
    VECTORS,
    require_read,
    require_refused,
    require_refused_within,
)

TEXT = h5py.string_dtype()


def make(path: Path, fill: Callable[[Any], Any]) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "v.h5"


# -- layouts


@pytest.mark.parametrize(
    "names", [np.array(NAMES, TEXT), np.array(NAMES, "S"), np.array(NAMES, h5py.string_dtype("ascii"))]
)
@pytest.mark.parametrize(
    "how", [{}, {"chunks": (7, 64)}, {"chunks": (1, 300)}, {"chunks": (2, 7), "compression": "gzip"}]
)
def test_the_original_layout(path: Path, names: Any, how: dict[str, Any]) -> None:
    def fill(file: Any) -> None:
        file.create_dataset("feats", data=VECTORS.T, **how)
        file["filenames"] = names

    require_read(make(path, fill), VECTORS, NAMES)


@pytest.mark.parametrize(
    "filters", [{}, {"compression": "gzip", "shuffle": True}, {"compression": "lzf"}, {"fletcher32": True}]
)
@pytest.mark.parametrize("chunks", [None, (64, 7), (300, 1), (7, 2)])
def test_rows(path: Path, chunks: tuple[int, int] | None, filters: dict[str, Any]) -> None:
    def fill(file: Any) -> None:
        file.create_dataset("feats", data=VECTORS, chunks=chunks, **filters)
        for_texts = {} if "fletcher32" in filters else filters
        file.create_dataset("filenames", data=NAMES, dtype=TEXT, chunks=(50,) if chunks else None, **for_texts)

    require_read(make(path, fill), VECTORS, NAMES)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8", ">f8", "i1", "u1", ">i2", "<u4", ">i8"])
def test_every_dtype(path: Path, dtype: str) -> None:
    vectors = (VECTORS * 40).clip(0, 100).astype(dtype)
    require_read(make(path, lambda file: file.create_dataset("v", data=vectors)), vectors)


def test_strange_names(path: Path) -> None:
    as_bytes = [name.encode("utf-8", "surrogateescape") for name in STRANGE]
    vectors = VECTORS[: len(STRANGE)]

    def fill(file: Any) -> None:
        file["feats"] = vectors.T
        file.create_dataset("filenames", data=as_bytes, dtype=TEXT)

    require_read(make(path, fill), vectors, STRANGE)


def test_names_tell_rows_from_columns(path: Path) -> None:
    square = VECTORS[:DIM]

    def fill(file: Any) -> None:
        file["feats"] = square
        file["filenames"] = NAMES[:DIM]

    make(path, fill)
    require_refused(path, "to tell rows from columns, received 7 for the shape .*; give the layout")
    require_read(path, square, NAMES[:DIM], layout="rows")
    require_read(path, square.T, NAMES[:DIM], layout="columns")


def test_without_names(path: Path) -> None:
    make(path, lambda file: file.create_dataset("feats", data=VECTORS.T))
    require_refused(path, "expected filenames beside feats.*; give the layout: rows for 7 vectors, columns for 300")
    require_read(path, VECTORS, layout="columns")
    make(path, lambda file: file.create_dataset("x", data=VECTORS))
    require_read(path, VECTORS)


def test_names_that_do_not_fit(path: Path) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        file["filenames"] = NAMES[:-1]

    make(path, fill)
    require_refused(path, "as many names as rows or columns, received 299")
    require_refused(path, "a name for each of 300 vectors", layout="columns")


def test_names_of_others(path: Path) -> None:
    """Whoever reads the queries of a file does not want the names of what is searched."""

    def fill(file: Any) -> None:
        file["train"], file["test"], file["filenames"] = VECTORS, VECTORS[:20], NAMES

    make(path, fill)
    require_read(path, VECTORS, NAMES)
    require_read(path, VECTORS, NAMES, key="train")
    require_read(path, VECTORS[:20], key="test")
    require_refused(path, "as many names as rows or columns, received 300", key="test", names="filenames")


def ann(file: Any, distance: object = "angular") -> None:
    file.attrs["distance"] = distance
    file["train"], file["test"] = VECTORS, VECTORS[:20]
    file["neighbors"], file["distances"] = np.zeros((20, 5), "i4"), np.zeros((20, 5), "f4")


@pytest.mark.parametrize(
    ("told", "metric"), [("angular", "cosine"), (b"euclidean", "euclidean"), ("hamming", "hamming")]
)
def test_ann_benchmarks(path: Path, told: object, metric: str) -> None:
    make(path, lambda file: ann(file, told))
    require_read(path, VECTORS)
    assert open_vectors(path).distance == metric
    require_read(path, VECTORS[:20], key="test")
    assert open_vectors(path, key="test").distance == metric


@pytest.mark.parametrize("told", ["jaccard", 7, ["angular"], h5py.Empty("f4")])
def test_a_distance_that_is_none(path: Path, told: object) -> None:
    make(path, lambda file: ann(file, told))
    require_refused(path, "the attribute distance to be one of .*; give the key")
    require_read(path, VECTORS, key="train")


def test_a_key_in_a_group(path: Path) -> None:
    def fill(file: Any) -> None:
        file["model/layer/out"] = VECTORS
        file["model/paths"] = NAMES
        file["other"] = VECTORS[:4]

    make(path, fill)
    require_read(path, VECTORS, NAMES, key="model/layer/out", names="model/paths")
    require_read(path, VECTORS[:4])
    require_refused(path, "'model' to be a dataset, received a group", key="model")
    require_refused(path, "expected a dataset called 'model/none', received 'model', 'other'; give", key="model/none")
    require_refused(path, "expected a dataset called 'other/x'", key="other/x")
    require_refused(path, "expected a dataset called ''", key="")


def test_after_something_else(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=1024) as file:
        file["v"] = VECTORS
    require_read(path, VECTORS)


def test_a_path_that_is_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.h5")
    make(Path(name), lambda file: file.create_dataset("v", data=VECTORS))
    require_read(name, VECTORS)


# -- what is no matrix of numbers


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (np.ones((3, 2), complex), "received complex128; convert it"),
        (np.ones((3, 2), bool), "received bool"),
        (np.ones((3, 2), "S3"), r"received \|S3"),
        (np.ones((3, 2), np.longdouble), "received float128"),
        (np.full((3, 2), "x", TEXT), "received object"),
        (np.ones(3, [("a", "f4")]), "expected floats"),
        (np.ones((3,), "f4"), r"one vector a row, received the shape \(3,\)"),
        (np.ones((3, 2, 1), "f4"), r"received the shape \(3, 2, 1\)"),
        (np.float32(1), r"received the shape \(\)"),
        (h5py.Empty("f4"), "received one without any shape"),
        (np.ones((0, 2), "f4"), "at least one vector of one dimension"),
        (np.ones((2, 0), "f4"), "at least one vector of one dimension"),
        (np.ones((2, 1 << 20), "u1"), "at most 1,048,575 dimensions"),
    ],
)
def test_other_values_are_refused(path: Path, value: Any, match: str) -> None:
    make(path, lambda file: file.create_dataset("feats", data=value))
    require_refused(path, match, layout="rows")


def test_ragged_lists(path: Path) -> None:
    def fill(file: Any) -> None:
        lists = file.create_dataset("feats", (3,), h5py.vlen_dtype("f4"))
        lists[0], lists[1], lists[2] = [1, 2], [1], [1, 2, 3]

    require_refused(make(path, fill), "received object")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (np.arange(COUNT), "expected names, texts .*received int64"),
        (np.array(NAMES, "S4097"), r"received \|S4097"),
        (np.array(NAMES, "S").reshape(1, -1), r"of the shape \(1, 300\)"),
        (np.array(NAMES[:1], "S")[0], r"of the shape \(\)"),
    ],
)
def test_names_of_another_kind(path: Path, names: Any, match: str) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        file["filenames"] = names

    require_refused(make(path, fill), match)


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ([b"a", b"", b"c"], "received an empty one, in row 1 "),
        ([b"a", b"b", b"b"], r"each name once, received 'b' in row 2 \(from 0\) as in row 1;"),
        ([b"a", b"b", b"x" * 4097], "received one of 4,097 bytes.* in row 2"),
    ],
)
def test_names_that_are_none(path: Path, names: list[bytes], match: str) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS[:3].T
        file.create_dataset("filenames", data=names, dtype=TEXT)

    require_refused_within(make(path, fill), match)


def test_a_name_with_nul(path: Path) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS[:3].T
        file["filenames"] = np.array([b"a", b"b\0b", b"c"], "S3")

    require_refused_within(make(path, fill), r"received one with NUL, 'b\\x00b', in row 1")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("way", ["rows", "columns"])
def test_numbers_that_are_none(path: Path, wrong: float, way: str) -> None:
    vectors = VECTORS.copy()
    vectors[200, 3] = wrong
    make(path, lambda file: file.create_dataset("v", data=vectors if way == "rows" else vectors.T))
    require_refused_within(path, f"received {wrong} in row 200 ", layout=way)


# -- what leads elsewhere


def test_links(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "other.h5", lambda file: file.create_dataset("feats", data=VECTORS))

    def fill(file: Any) -> None:
        file["real"] = VECTORS
        file["feats"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/feats")
        file["soft"] = h5py.SoftLink("/real")
        file["group"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
        file["hard"] = file["real"]

    make(path, fill)
    require_refused(path, "'feats' itself, received an external link, which is not followed; give the file")
    require_refused(path, r"'soft' itself, received a soft link.*\('/real'\)", key="soft")
    require_refused(path, "received an external link", key="group/feats")
    require_read(path, VECTORS, key="hard")


def test_links_to_names(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "other.h5", lambda file: file.create_dataset("n", data=NAMES))

    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        file["filenames"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/n")

    require_refused(make(path, fill), "'filenames' itself, received an external link")


def test_numbers_in_another_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(VECTORS.tobytes())

    def fill(file: Any) -> None:
        file.create_dataset("v", VECTORS.shape, "f4", external=[(str(tmp_path / "secret"), 0, VECTORS.nbytes)])

    require_refused(make(path, fill), "whose numbers are in others, which are not opened; copy it")


def test_a_virtual_dataset(path: Path, tmp_path: Path) -> None:
    make(tmp_path / "other.h5", lambda file: file.create_dataset("v", data=VECTORS))

    def fill(file: Any) -> None:
        layout = h5py.VirtualLayout(VECTORS.shape, "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "v", VECTORS.shape)
        file.create_virtual_dataset("v", layout)

    require_refused(make(path, fill), "whose numbers are in others, which are not opened; copy it")


# -- what is not there


@pytest.mark.parametrize("how", [{}, {"chunks": (1000, 128)}, {"chunks": (1000, 128), "compression": "gzip"}])
def test_a_shape_with_nothing_behind_it(path: Path, how: dict[str, Any]) -> None:
    make(path, lambda file: file.create_dataset("v", (10**12, 128), "f4", **how))
    assert path.stat().st_size < 20_000
    require_refused(path, "expected 512,000,000,000,000 bytes of numbers .* received 0; the rest was never written")


def test_one_piece_that_is_not_there(path: Path) -> None:
    def fill(file: Any) -> None:
        feats = file.create_dataset("v", VECTORS.shape, "f4", chunks=(100, 7))
        feats[:200] = VECTORS[:200]

    require_refused(make(path, fill), "expected 8,400 bytes .* received 5,600; the rest was never written")


def test_names_that_are_not_there(path: Path) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        file.create_dataset("filenames", (COUNT,), TEXT)

    require_refused(make(path, fill), "filenames: expected .* the rest was never written")


def test_a_bomb(path: Path) -> None:
    def fill(file: Any) -> None:
        file.create_dataset("v", data=np.zeros((100_000, 200), "f4"), chunks=(10_000, 200), compression="gzip")

    require_refused(make(path, fill), "packed at most 100:1")


def test_a_large_piece(path: Path) -> None:
    def fill(file: Any) -> None:
        dice = np.random.default_rng(0)
        shape = (130, 1 << 20)
        file.create_dataset("v", data=dice.integers(0, 9, shape, "u1"), chunks=shape, compression="lzf")

    require_refused(
        make(path, fill), "pieces of at most 128 MiB, received 130 MiB; write it again in smaller", layout="columns"
    )


def test_a_filter_that_is_not_hdf5s_own(path: Path) -> None:
    with h5py.File(path, "w") as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((100, 7))
        creation.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))  # blosc
        space = h5py.h5s.create_simple(VECTORS.shape)
        h5py.h5d.create(file.id, b"v", h5py.h5t.NATIVE_FLOAT, space, creation).write(
            h5py.h5s.ALL, h5py.h5s.ALL, VECTORS
        )
    require_refused(path, "one of the filters deflate, .* received number 32001; write it again with h5repack")


# -- damage


def test_no_hdf5(path: Path) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 2000)
    require_refused(path, "a whole HDF5 file")


def test_every_cut_is_refused(path: Path, tmp_path: Path) -> None:
    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        file["filenames"] = NAMES

    data = make(path, fill).read_bytes()
    cut = tmp_path / "cut.h5"
    for size in range(8, len(data), 97):
        cut.write_bytes(data[:size])
        require_refused(cut, "a whole HDF5 file")


DAMAGED = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.vectors.made import require_read_or_refused
whole = Path(sys.argv[1]).read_bytes()
damaged = Path(sys.argv[1] + ".damaged")
dice = random.Random(1)
found = 0
for _ in range(400):
    data = bytearray(whole)
    for _ in range(dice.choice([1, 1, 8])):
        data[dice.randrange(8, min(4000, len(data)))] = dice.choice([0, 255, dice.randrange(256)])
    damaged.write_bytes(data)
    found += require_read_or_refused(damaged)
print(found)
"""


def test_damage_ends_in_a_sentence(path: Path) -> None:
    """The tables at the start are damaged, in a process of its own, for the library that reads them is not ours."""

    def fill(file: Any) -> None:
        file.create_dataset("feats", data=VECTORS.T, chunks=(7, 50), compression="gzip")
        file.create_dataset("filenames", data=NAMES, dtype=TEXT, chunks=(100,))

    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", DAMAGED, str(make(path, fill)), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_a_name_as_long_as_the_file(path: Path) -> None:

    def fill(file: Any) -> None:
        file["feats"] = VECTORS.T
        names = file.create_dataset("filenames", (COUNT,), TEXT)
        names[:] = NAMES
        names[0] = "x" * 60_000_000

    require_refused_within(make(path, fill), "received one of 60,000,000 bytes in row 0")


def test_a_checksum_that_does_not_fit(path: Path) -> None:
    make(path, lambda file: file.create_dataset("v", data=VECTORS, fletcher32=True, chunks=(300, 7)))
    data = path.read_bytes()
    at = data.index(VECTORS[150].tobytes())
    path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    require_refused_within(path, "a whole HDF5 file")
