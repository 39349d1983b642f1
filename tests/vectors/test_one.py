"""Files of one vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import VectorFileError
from lookalike.vectors import read_vector, write_vectors

VECTOR = np.arange(6, dtype=np.float32) / 7


@pytest.mark.parametrize("shape", [(6,), (1, 6)])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<f2", "<i8"])
def test_npy(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    given = (VECTOR * 7).astype(dtype).reshape(shape)
    np.save(tmp_path / "v.npy", given)
    assert read_vector(tmp_path / "v.npy").tolist() == given.ravel().tolist()


@pytest.mark.parametrize("name", ["v.h5", "v.txt", "v.npy"])
def test_other_kinds(tmp_path: Path, name: str) -> None:
    if name.endswith(".npy"):
        pytest.importorskip("pyarrow")  # for names beside it
    write_vectors(tmp_path / name, [(["word"], VECTOR[np.newaxis])])
    assert read_vector(tmp_path / name) == pytest.approx(VECTOR)


def test_several_are_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.ones((1000, 6), np.float32))
    with pytest.raises(VectorFileError, match=r"v\.npy: expected one vector, received 1,000; save the one"):
        read_vector(tmp_path / "v.npy")


def test_what_is_none(tmp_path: Path) -> None:
    np.save(tmp_path / "number.npy", np.float32(5))
    np.save(tmp_path / "none.npy", np.empty(0, np.float32))
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([None, 1], dtype=object), allow_pickle=True)
    np.save(tmp_path / "cut.npy", VECTOR)
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-4])
    (tmp_path / "text.npy").write_text("words")
    for name in ("number", "none", "words", "objects", "cut", "text", "missing"):
        with pytest.raises(VectorFileError, match=rf"{name}\.npy: expected"):
            read_vector(tmp_path / f"{name}.npy")
