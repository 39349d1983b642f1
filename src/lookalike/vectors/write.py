"""Writing vectors and their names to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, get_args

import numpy as np

from lookalike.errors import ArgumentError, VectorError
from lookalike.vectors import names as naming
from lookalike.vectors.hdf5_write import write_hdf5
from lookalike.vectors.limits import MOST_DIM
from lookalike.vectors.npy_write import write_npy
from lookalike.vectors.numbers import EXPECTED, Dtype, Numbers, native, not_finite
from lookalike.vectors.vector_file import Chunk
from lookalike.vectors.word2vec_write import write_word2vec

Writable = Literal["hdf5", "npy", "word2vec", "word2vec-binary"]
"""The formats that are written."""

_ENDINGS: dict[str, Writable] = {
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".npy": "npy",
    ".txt": "word2vec",
    ".vec": "word2vec",
    ".bin": "word2vec-binary",
}


@dataclass(frozen=True)
class Written:
    """What was written: the files, and how many vectors of how many dimensions they hold."""

    paths: tuple[str, ...]
    count: int
    dim: int


def write_vectors(
    path: str | os.PathLike[str],
    chunks: Iterable[tuple[Sequence[str] | None, Any]],
    *,
    format: Writable | None = None,
    overwrite: bool = False,
) -> Written:
    """Writes vectors to a new file, which is there whole or not at all.

    Args:
        path: the file.
        chunks: names and vectors (n, dim) of one dtype, such as `VectorFile.chunks` gives; names are None throughout
            where there are none. One chunk is in memory at a time.
        format: None: as the ending of `path` says.

            - "hdf5" (.h5, .hdf5): the original experiment's layout, `feats` (dims, n) and `filenames`.
            - "npy": (n, dims); names in the column `path` of a Parquet file beside it, which needs pyarrow.
            - "word2vec" (.txt, .vec) and "word2vec-binary" (.bin): as float32; names without white space.
        overwrite: whether a file that is there is replaced. Two files cannot be replaced at once: a crash between
            leaves .npy missing, never with the names of others.

    Raises:
        VectorError: NaN or inf, another shape or dtype than the first vectors, none at all.
        ArgumentError: a name that is none, comes twice or does not go into this format; none where one is needed;
            an unknown format or ending.
        WriteError: a file is there already, or the system cannot write.
        MissingExtraError: names beside .npy, and pyarrow is not installed.
    """
    name = os.fsdecode(path)
    known = _format(name, format)
    walk = _Accepted(chunks, named=None if known == "npy" else True)
    first = next(walk, None)
    if first is None:
        raise VectorError(f"expected vectors to write to {name}, received none; nothing was written")
    accepted = chain([first], walk)
    dim, dtype = first.vectors.shape[1], first.vectors.dtype
    match known:
        case "hdf5":
            paths = write_hdf5(name, accepted, dim, dtype, overwrite)
        case "npy":
            paths = write_npy(name, accepted, dim, dtype, first.names is not None, overwrite)
        case _:
            paths = write_word2vec(name, accepted, dim, known == "word2vec-binary", overwrite)
    return Written(paths, walk.count, dim)


def _format(path: str, asked: str | None) -> Writable:
    ending = os.path.splitext(path)[1].lower()
    for known in get_args(Writable):
        if known == (_ENDINGS.get(ending) if asked is None else asked):
            return known  # type: ignore[no-any-return]
    if asked is None:
        raise ArgumentError(
            f"{path}: expected one of the endings {' '.join(_ENDINGS)}, received {ending!r}; or give a format"
        )
    raise ArgumentError(f"format is {asked!r:.80}; expected one of {', '.join(get_args(Writable))}")


class _Accepted(Iterator[Chunk]):
    """Chunks as they may be written: those without vectors are left out, what does not fit the first is refused.

    Attributes:
        count: vectors so far.
    """

    def __init__(self, chunks: Iterable[tuple[Sequence[str] | None, Any]], named: bool | None) -> None:
        self.count = 0
        self._chunks = iter(chunks)
        self._named = named
        self._shape: tuple[int, Dtype] | None = None
        self._seen = naming.Seen()

    def __next__(self) -> Chunk:
        while True:
            names, given = next(self._chunks)
            vectors = self._vectors(given)
            if len(vectors):
                break
        if self._named is None:
            self._named = names is not None
        if names is not None:
            names = list(names)
        self._check_names(names, len(vectors))
        self.count += len(vectors)
        return Chunk(names, vectors)

    def _vectors(self, given: Any) -> Numbers:
        array = np.asarray(given)
        dtype = native(array.dtype)
        if dtype is None or array.ndim != 2 or not 0 < array.shape[1] <= MOST_DIM:
            raise VectorError(
                f"expected vectors of 1 to {MOST_DIM:,} dimensions as a matrix of {EXPECTED}, received {array.dtype} "
                f"of the shape {array.shape}; nothing was written"
            )
        if len(array) and self._shape is None:
            self._shape = array.shape[1], dtype
        if len(array) and (array.shape[1], dtype) != self._shape:
            raise VectorError(
                f"expected vectors like the first, (dimensions, dtype) = {self._shape}, received "
                f"{(array.shape[1], dtype)}, from row {self.count:,} on; nothing was written"
            )
        if bad := not_finite(array):
            raise VectorError(
                f"expected finite numbers, received {bad[1]} in row {self.count + bad[0]:,}; nothing was written"
            )
        return np.ascontiguousarray(array, dtype)

    def _check_names(self, names: list[str] | None, count: int) -> None:
        if (names is not None) != self._named or (names is not None and len(names) != count):
            expected = "a name for each vector" if self._named else "no names, as for the first vectors"
            received = "none" if names is None else f"{len(names):,} for {count:,}"
            raise ArgumentError(
                f"expected {expected}, received {received}, from row {self.count:,} on; nothing was written"
            )
        for row, name in enumerate(names or (), self.count):
            if wrong := naming.what_is_wrong(name):
                raise ArgumentError(
                    f"expected {naming.EXPECTED}, received {wrong}, in row {row:,}; nothing was written"
                )
        if names is not None and (twice := self._seen.add(names)):
            raise ArgumentError(
                f"expected each name once, received {names[twice.again - self.count]!r:.200} in row {twice.again:,} "
                f"as in row {twice.before:,}; nothing was written"
            )
