"""Opening files of vectors: one, or several that make one set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lookalike.errors import ArgumentError, VectorFileError
from lookalike.vectors import arrow, bins, hdf5, lines, npy, npz, vecs, word2vec
from lookalike.vectors.kind import as_format, kind
from lookalike.vectors.layout import Layout, as_layout
from lookalike.vectors.numbers import Numbers
from lookalike.vectors.source import Source, find
from lookalike.vectors.vector_file import Format, Part, VectorFile

Path = str | os.PathLike[str]


def open_vectors(
    paths: Path | Sequence[Path],
    *,
    layout: Layout | None = None,
    format: Format | None = None,
    key: str | None = None,
    names: str | None = None,
) -> VectorFile:
    """The vectors of one file, or of several that make one set, in this order.

    Only what describes them is read now (but a GloVe file is read through to count its lines).

    Args:
        paths: the file or files.
        layout: whether the vectors are the "rows" of a matrix (n, dims) or its "columns", as in the original
            experiment. None: the number of names tells; without names, they are its rows. Of .npy, .npz and HDF5.
        format: one of `Format`, where content and name do not tell the right one.
        key: the dataset, array or column that holds the vectors. None: one of a usual name (`feats`, `train`,
            `vectors`, `embeddings`, `features`), or the only matrix. Of .npz, HDF5, Parquet and Arrow.
        names: the dataset, array or column that holds their names. None: `filenames` or `names`; in Parquet and
            Arrow also `path` and the like, or the only column of texts.

    Raises:
        VectorFileError: no such file, or damaged, hostile, of an unknown kind or unclear layout; the files do not fit
            each other. The sentence names the file and says what to do.
        ReadError: a file that cannot be read now.
        ArgumentError: an unknown `format` or `layout`, an argument that the format has no use for, no path.
        MissingExtraError: Parquet and Arrow need pyarrow, which is not installed.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise ArgumentError("expected the path of a file of vectors, received none")
    known = None if format is None else as_format(format)
    asked = {"layout": as_layout(layout), "key": key, "names": names}
    parts = [_open(source, known or kind(source), asked) for source in map(find, given)]
    for part in parts[1:]:
        _require_alike(parts[0], part)
    return VectorFile(tuple(parts))


def read_vectors(
    paths: Path | Sequence[Path],
    *,
    layout: Layout | None = None,
    format: Format | None = None,
    key: str | None = None,
    names: str | None = None,
) -> tuple[list[str] | None, Numbers]:
    """All names (None where there are none) and all vectors (n, dim) of what `open_vectors` opens.

    The vectors have the file's dtype, in the machine's byte order. Raises what `open_vectors` and
    `VectorFile.chunks` raise.
    """
    opened = open_vectors(paths, layout=layout, format=format, key=key, names=names)
    vectors: Numbers = np.empty((opened.count, opened.dim), opened.dtype)
    all_names: list[str] = []
    start = 0
    for chunk in opened.chunks():
        vectors[start : start + len(chunk.vectors)] = chunk.vectors
        start += len(chunk.vectors)
        all_names += chunk.names or ()
    return all_names if opened.named else None, vectors


_TAKES = {  # arguments besides `format`
    "npy": ("layout",),
    "npz": ("layout", "key", "names"),
    "hdf5": ("layout", "key", "names"),
    "parquet": ("key", "names"),
    "arrow": ("key", "names"),
}


def _open(source: Source, format_: Format, asked: dict[str, Any]) -> Part:
    takes = _TAKES.get(format_, ())
    for argument, value in asked.items():
        if value is not None and argument not in takes and (argument, value) != ("layout", "rows"):
            raise ArgumentError(
                f"{source.path}: {argument} is {value!r:.80}; expected none for {format_}: leave it out"
            )
    given = {argument: asked[argument] for argument in takes}
    match format_:
        case "npy":
            return npy.open_npy(source, **given)
        case "npz":
            return npz.open_npz(source, **given)
        case "hdf5":
            return hdf5.open_hdf5(source, **given)
        case "parquet":
            return arrow.open_parquet(source, **given)
        case "arrow":
            return arrow.open_arrow(source, **given)
        case "word2vec":
            return lines.open_word2vec(source)
        case "word2vec-binary":
            return word2vec.open_binary(source)
        case "glove":
            return lines.open_glove(source)
        case "fvecs" | "bvecs" | "ivecs":
            return vecs.open_vecs(source, format_)
        case "fbin" | "u8bin" | "i8bin":
            return bins.open_bin(source, format_)


def _require_alike(first: Part, other: Part) -> None:
    """That both can be parts of one set."""
    for what, expected, received in (
        ("dimensions", first.dim, other.dim),
        ("names", *("names" if part.named else "none" for part in (first, other))),
        ("distance", first.distance, other.distance),
    ):
        if expected != received:
            raise VectorFileError(
                f"{other.path}: expected {what} as in {first.path}, {expected}, received {received}; "
                "open files apart that do not belong together"
            )
    if first.dtype != other.dtype and {first.dtype.kind, other.dtype.kind} != {"f"}:
        raise VectorFileError(
            f"{other.path}: expected numbers as in {first.path}, {first.dtype}, received {other.dtype}; convert them"
        )
