"""Writing vectors and their names to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

from lookalike.errors import ArgumentError, VectorError
from lookalike.vectors.accepted import Accepted, Given
from lookalike.vectors.hdf5_write import write_hdf5
from lookalike.vectors.npy_write import write_npy
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
    """What was written: the files, how many vectors of how many dimensions they hold, and their format."""

    paths: tuple[str, ...]
    count: int
    dim: int
    format: Writable


def write_vectors(
    path: str | os.PathLike[str],
    chunks: Iterable[Given],
    *,
    format: Writable | None = None,
    overwrite: bool = False,
) -> Written:
    """Writes vectors to a new file, which is there whole or not at all.

    Args:
        path: the file.
        chunks: names and vectors (n, dim) of one dtype, such as `VectorFile.chunks` gives; names are None throughout
            where there are none. A third thing may be the facts of each, mappings from names to texts, numbers,
            booleans or lists of texts, for "npy". One chunk is in memory at a time.
        format: None: as the ending of `path` says.

            - "hdf5" (.h5, .hdf5): the original experiment's layout, `feats` (dims, n) and `filenames`.
            - "npy": (n, dims); names in the column `path` of a Parquet file beside it, which needs pyarrow, and a
              column for each fact, typed. Where a fact has values of several kinds, they are JSON.
            - "word2vec" (.txt, .vec) and "word2vec-binary" (.bin): as float32; names without white space.
        overwrite: whether a file that is there is replaced. Two files cannot be replaced at once: a crash between
            leaves .npy missing, never with the names of others.

    Raises:
        VectorError: NaN or inf, another shape or dtype than the first vectors, none at all.
        ArgumentError: a name that is none, comes twice or does not go into this format; none where one is needed;
            facts that are none, or have no room; an unknown format or ending.
        WriteError: a file is there already, or the system cannot write.
        MissingExtraError: names beside .npy, and pyarrow is not installed.
    """
    name = os.fsdecode(path)
    known = as_writable(name, format)
    walk = Accepted(chunks, named=None if known == "npy" else True, with_facts=known == "npy")
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
    return Written(paths, walk.count, dim, known)


def as_writable(path: str, asked: str | None) -> Writable:
    """The format that is asked for, or the ending of `path` says; ArgumentError where it says none, or no file."""
    if not os.path.basename(path) or "\0" in path:
        raise ArgumentError(f"expected the path of a file to be written, received {path!r:.200}; name one")
    ending = os.path.splitext(path)[1].lower()
    for known in get_args(Writable):
        if known == (_ENDINGS.get(ending) if asked is None else asked):
            return known  # type: ignore[no-any-return]
    if asked is None:
        raise ArgumentError(
            f"{path}: expected one of the endings {' '.join(_ENDINGS)}, received {ending!r}; or give a format"
        )
    raise ArgumentError(f"format is {asked!r:.80}; expected one of {', '.join(get_args(Writable))}")
