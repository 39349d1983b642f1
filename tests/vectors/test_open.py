"""Several files as one set, and arguments that a format has no use for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lookalike.errors import ArgumentError
from lookalike.vectors import open_vectors, read_vectors, write_vectors

from .made import COUNT, DIM, NAMES, VECTORS, refused, require_read


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    """Three files of the original layout."""
    paths = [tmp_path / f"features_{i}.h5" for i in range(3)]
    for path, rows in zip(paths, np.split(np.arange(COUNT), [50, 120]), strict=True):
        with h5py.File(path, "w") as file:
            file["feats"] = VECTORS[rows].T
            file["filenames"] = [NAMES[row] for row in rows]
    return paths


def test_several_files_make_one_set(parts: list[Path]) -> None:
    require_read(parts, VECTORS, NAMES)
    opened = open_vectors(parts)
    assert opened.paths == tuple(map(str, parts))
    assert [part.count for part in opened.parts] == [50, 70, 180]


def test_several_formats_make_one_set(parts: list[Path], tmp_path: Path) -> None:
    for i, ending in enumerate(("vec", "bin", "h5")):
        write_vectors(tmp_path / f"w.{ending}", [([f"{name}{i}" for name in NAMES], VECTORS)])
    names = [f"{name}{i}" for i in range(3) for name in NAMES]
    require_read([tmp_path / f"w.{ending}" for ending in ("vec", "bin", "h5")], np.tile(VECTORS, (3, 1)), names)


def test_a_name_in_two_files(parts: list[Path]) -> None:
    with h5py.File(parts[2], "a") as file:
        file["filenames"][7] = NAMES[60]
    with refused(parts[2], rf"received '{NAMES[60]}' in row 7 \(from 0\) as in row 10 of .*features_1.h5; rename"):
        read_vectors(parts)


def test_a_file_named_twice(parts: list[Path]) -> None:
    with refused(parts[0], "received 'photos/0.jpg' in row 0 .* as in row 0;"):
        read_vectors([parts[0], parts[0]])


@pytest.mark.parametrize(
    ("vectors", "attribute", "match"),
    [
        (VECTORS[:, :5], None, r"expected dimensions as in .*a.h5, 7, received 5; open files apart"),
        (VECTORS.astype("i4"), None, r"expected numbers as in .*a.h5, float32, received int32; convert them"),
        (VECTORS, "euclidean", r"expected distance as in .*a.h5, cosine, received euclidean"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, vectors: Any, attribute: str | None, match: str) -> None:
    for name, given, distance in (("a.h5", VECTORS, "angular"), ("b.h5", vectors, attribute or "angular")):
        with h5py.File(tmp_path / name, "w") as file:
            file["train"] = given
            file.attrs["distance"] = distance
    with refused(tmp_path / "b.h5", match):
        open_vectors([tmp_path / "a.h5", tmp_path / "b.h5"])


def test_names_in_one_file_only(parts: list[Path], tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", VECTORS)
    with refused(tmp_path / "v.npy", r"expected names as in .*features_0.h5, names, received none"):
        open_vectors([parts[0], tmp_path / "v.npy"])


def test_floats_of_several_widths(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VECTORS.astype("f2"))
    np.save(tmp_path / "b.npy", VECTORS.astype(">f8"))
    both = np.concatenate([VECTORS.astype("f2").astype("f8"), VECTORS.astype("f8")])
    require_read([tmp_path / "a.npy", tmp_path / "b.npy"], both)


def test_no_files() -> None:
    with pytest.raises(ArgumentError, match="expected the path of a file of vectors, received none"):
        open_vectors([])


@pytest.mark.parametrize(
    ("ending", "argument", "value"),
    [
        ("npy", "key", "x"),
        ("npy", "names", "x"),
        ("vec", "key", "x"),
        ("bin", "names", "x"),
        ("vec", "layout", "columns"),
    ],
)
def test_arguments_that_say_nothing(tmp_path: Path, ending: str, argument: str, value: str) -> None:
    if ending == "npy":
        np.save(tmp_path / "v.npy", VECTORS)
    else:
        write_vectors(tmp_path / f"v.{ending}", [(NAMES, VECTORS)])
    with pytest.raises(ArgumentError, match=f"{argument} is '{value}'; expected none for .*: leave it out"):
        open_vectors(tmp_path / f"v.{ending}", **{argument: value})  # type: ignore[arg-type]


def test_layouts(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v.vec", [(NAMES, VECTORS)])
    require_read(tmp_path / "v.vec", VECTORS, NAMES, layout="rows")
    with pytest.raises(ArgumentError, match="layout is 'across'; expected rows"):
        open_vectors(tmp_path / "v.vec", layout="across")  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [0, -1, 1.5, True, "3"])
def test_rows_of_a_chunk(tmp_path: Path, rows: Any) -> None:
    np.save(tmp_path / "v.npy", VECTORS)
    with pytest.raises(ArgumentError, match="rows is"):
        open_vectors(tmp_path / "v.npy").chunks(rows)


@pytest.mark.parametrize("ending", ["npy", "vec", "bin", "fbin"])
def test_no_library_is_brought_that_is_not_needed(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"v.{ending}"
    path.write_bytes(np.array([COUNT, DIM], "<u4").tobytes() + VECTORS.tobytes())
    if ending != "fbin":
        write_vectors(path, [(None if ending == "npy" else NAMES, VECTORS)], overwrite=True)
    code = "import sys; from lookalike.vectors import read_vectors; read_vectors(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert not {"h5py", "pyarrow"} & set(done.stdout.split())


def test_a_set_is_told_apart_from_another(parts: list[Path]) -> None:
    assert open_vectors(parts) == open_vectors(parts)
    assert open_vectors(parts) != open_vectors(parts[:2])
    assert open_vectors(parts[0]).dim == DIM
    assert "read" not in repr(open_vectors(parts))
