"""What is no collection of vectors: refused before anything is made or written, with what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.collection import Collection
from lookalike.errors import ArgumentError, LookalikeError, NoPicturesError, VectorFileError

from .conftest import Python
from .vectors import COUNT, DIM, NAMES, VECTORS, counts, plain, require_holds, rows, write


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with its hash."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("lock", "catalogue.sqlite-shm")
    }


def require_refused(kind: type[LookalikeError], match: str, sources: Any, to: Path, **how: Any) -> None:
    """That it is, and that nothing is made or changed."""
    before = contents(to) if to.exists() else None
    with pytest.raises(kind, match=match) as refusal:
        Collection.create(sources, to, **how)
    assert "\n" not in str(refusal.value)
    assert "expected" in str(refusal.value)
    assert (contents(to) if to.exists() else None) == before


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A collection of vectors."""
    with Collection.create(write(tmp_path / "there.h5", rows(), 0), tmp_path / "index") as collection:
        collection.sync()
    return tmp_path / "index"


def altered(row: int, to: float, vectors: np.ndarray = VECTORS) -> np.ndarray:
    vectors = vectors.copy()
    vectors[row, 3] = to
    return vectors


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1e19])
@pytest.mark.parametrize("metric", [None, "dot"])
def test_a_number_late_in_a_file_that_none_can_compare(tmp_path: Path, wrong: float, metric: Any) -> None:
    file = plain(tmp_path / "v.npy", altered(COUNT - 1, wrong))
    require_refused(VectorFileError, "in row 299", file, tmp_path / "index", metric=metric)


def test_numbers_beyond_float32(tmp_path: Path) -> None:
    """The file that holds one, and its row there, are told."""
    first = plain(tmp_path / "a.npy", VECTORS.astype(np.float64))
    second = plain(tmp_path / "b.npy", altered(5, 1e39, VECTORS.astype(np.float64)))
    require_refused(VectorFileError, "b.npy.*row 5 ", [first, second], tmp_path / "index")


def test_the_largest_and_the_smallest_that_can_be_compared(tmp_path: Path) -> None:
    some = np.ones((4, 1), np.float32) * np.array([[2.999e18], [1.01e-15], [-2.999e18], [-1.01e-15]], np.float32)
    with Collection.create(plain(tmp_path / "v.npy", some), tmp_path / "index") as collection:
        assert counts(collection.sync()) == {"new": 4}
        np.testing.assert_allclose([hit.distance for hit in collection.search([1.0], k=4)], [0, 0, 2, 2], atol=1e-5)


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        (b"", "v.npy", "an empty one"),
        (b"", "v.h5", "an empty one"),
        (b"\x93NUMPY\x01\x00", "v.npy", "header"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "v.h5", "HDF5"),
        (b"PK\x03\x04" + bytes(100), "v.npz", "npz"),
        (b"\x1f\x8b" + bytes(100), "v.npy", "gunzip"),
        (b"no vectors", "v.fvecs", "dimensions"),
        (b"no vectors", "v.vec", "begins with"),
        (b"\x80\x04", "v.npy", "pickle"),
        (b"3 4\nword 1 2 3 4\n", "v.txt", "3 words of 4 numbers"),
    ],
)
def test_a_damaged_file(tmp_path: Path, content: bytes, name: str, match: str) -> None:
    (tmp_path / name).write_bytes(content)
    require_refused(VectorFileError, match, tmp_path / name, tmp_path / "index")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for how in ({}, {"layout": "rows"}, {"format": "npy"}):
        require_refused(NoPicturesError, "No such file", tmp_path / "no.npy", tmp_path / "index", **how)


CREATE = """
import sys
from lookalike.collection import Collection
from lookalike.errors import ReadError
try:
    Collection.create(sys.argv[1], sys.argv[2])
except ReadError as error:
    print(error)
"""


def test_a_file_that_may_not_be_read(tmp_path: Path, python: Python, unprivileged: tuple[str, ...]) -> None:
    file = plain(tmp_path / "v.npy", VECTORS)
    file.chmod(0)
    done = python(CREATE, file, tmp_path / "index", prefix=unprivileged)
    assert "'Permission denied'" in done.stdout, done.stderr
    assert not (tmp_path / "index").exists()


def test_a_name_that_comes_twice(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", feats=VECTORS[:4], filenames=np.array(["a", "b", "c", "a"]))
    require_refused(VectorFileError, "'a' in row 3", tmp_path / "v.npz", tmp_path / "index")
    both = [write(tmp_path / name, rows(NAMES[:9], VECTORS[:9])) for name in ("a.h5", "b.h5")]
    require_refused(VectorFileError, "as in row 0 of", both, tmp_path / "index")


def test_a_layout_that_cannot_be_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["feats"] = VECTORS
    require_refused(VectorFileError, "give the layout", tmp_path / "v.h5", tmp_path / "index")


@pytest.mark.parametrize(
    ("how", "kind", "match"),
    [
        ({"model": "efficientnet-lite0"}, ArgumentError, "no model for vectors"),
        ({"metric": "hamming"}, ArgumentError, "cosine, euclidean, sqeuclidean, dot for vectors"),
        ({"metric": "manhattan"}, ArgumentError, "'manhattan'"),
        ({"layout": "diagonal"}, ArgumentError, "layout"),
        ({"format": "csv"}, ArgumentError, "format"),
        ({"format": "npy"}, VectorFileError, "header"),
        ({"key": "nothing"}, VectorFileError, "another key"),
        ({"names": "nothing"}, VectorFileError, "another key"),
    ],
)
def test_arguments(tmp_path: Path, index: Path, how: dict[str, Any], kind: type[LookalikeError], match: str) -> None:
    require_refused(kind, match, tmp_path / "there.h5", tmp_path / "new", **how)
    require_refused(kind, match, tmp_path / "there.h5", index, **how)


def test_a_file_says_by_what_its_vectors_are_compared(tmp_path: Path) -> None:
    for told, metric in (("angular", "cosine"), ("euclidean", "euclidean"), ("hamming", None)):
        with h5py.File(tmp_path / "v.h5", "w") as file:
            file["train"] = VECTORS
            file.attrs["distance"] = told
        if metric is None:
            require_refused(ArgumentError, "'hamming'", tmp_path / "v.h5", tmp_path / told)
            metric = "dot"
        with Collection.create(tmp_path / "v.h5", tmp_path / told, metric=None if told != "hamming" else "dot") as made:
            assert made.info().metric == metric
    require_refused(
        ArgumentError, "the metric dot, with which", tmp_path / "v.h5", tmp_path / "hamming", metric="cosine"
    )


def test_vectors_of_other_dimensions_added_to_a_collection(tmp_path: Path, index: Path) -> None:
    other = plain(tmp_path / "v.npy", np.ones((5, DIM + 1), np.float32))
    require_refused(VectorFileError, "7 dimensions", other, index)
    require_refused(VectorFileError, "dimensions", [tmp_path / "there.h5", other], tmp_path / "new")
    with Collection.open(index) as collection:
        assert collection.info().roots == [str(tmp_path / "there.h5")]
        require_holds(collection, rows())


def test_pictures_and_vectors(tmp_path: Path, index: Path, folder: Path) -> None:
    file = tmp_path / "there.h5"
    for sources in ([folder, file], [file, folder / "0.png"]):
        require_refused(ArgumentError, "either pictures or files of vectors", sources, tmp_path / "new")
        require_refused(ArgumentError, "either pictures or files of vectors", sources, index)
    require_refused(ArgumentError, "expected vectors, as are in", folder, index)
    Collection.create(folder, tmp_path / "seen").close()
    require_refused(ArgumentError, "expected pictures, as are in", file, tmp_path / "seen")
    for how in ({"layout": "rows"}, {"key": "a"}, {"names": "a"}, {"format": "npy"}):
        require_refused(ArgumentError, f"no {next(iter(how))} for pictures", folder, tmp_path / "new", **how)
    require_refused(ArgumentError, "no metric for pictures", folder, tmp_path / "new", metric="dot")


def test_a_place_for_it(tmp_path: Path, index: Path) -> None:
    file = tmp_path / "there.h5"
    with pytest.raises(ArgumentError, match="name one by `to`"):
        Collection.create(file)
    require_refused(ArgumentError, "which holds other", file, tmp_path)
    require_refused(ArgumentError, "a file", file, file)


@pytest.mark.parametrize("wrong", [np.nan, 1e19])
def test_what_none_can_compare_in_a_file_that_was_well_is_not_taken(tmp_path: Path, wrong: float) -> None:
    """Nothing is changed, nor where it is asked again; what is taken is the file that is well again."""
    file = plain(tmp_path / "v.npy", VECTORS, 0)
    names = [f"v.npy:{i}" for i in range(COUNT)]
    with Collection.create(file, tmp_path / "index") as collection:
        collection.sync()
        before = contents(tmp_path / "index")
        plain(file, altered(COUNT - 1, wrong, VECTORS + 1), 1)
        for _ in range(2):
            with pytest.raises(NoPicturesError, match="in row 299"):
                collection.sync()
        assert contents(tmp_path / "index") == before
        require_holds(collection, rows(names))
        plain(file, VECTORS + 1, 2)
        assert counts(collection.sync()) == {"changed": COUNT}
        require_holds(collection, rows(names, VECTORS + 1))
