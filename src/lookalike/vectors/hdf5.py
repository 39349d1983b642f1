"""HDF5: `feats` (dims, n) beside `filenames`, as the original experiment kept them; (n, dims); ann-benchmarks' files.

A file may point elsewhere or promise what is not there, so before anything is read: only hard links are followed; a
dataset is stored in this file, by filters that belong to HDF5, all of it; its pieces are small enough to be unpacked.
Nothing is loaded from elsewhere. Only this file and `hdf5_write.py` import h5py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import VectorFileError
from lookalike.metric import METRICS, Metric
from lookalike.vectors import names as naming
from lookalike.vectors.blocks import columns, ranges
from lookalike.vectors.layout import NAMES, Layout, as_layout, lie, which
from lookalike.vectors.limits import MOST_NAME, SPAN, require_sane, rows_at_most
from lookalike.vectors.numbers import EXPECTED, Dtype, Numbers, native
from lookalike.vectors.source import Source
from lookalike.vectors.vector_file import Chunk, Part

if TYPE_CHECKING:
    import h5py

LAYOUT = "layout"
"""An attribute of a matrix of ours that says how it lies, for files with as many names as dimensions."""

_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}
MOST_MEMBERS = 1000
_METRICS: dict[str, Metric] = {each: each for each in METRICS}
_METRICS |= {"angular": "cosine", "ip": "dot", "l2": "euclidean"}


@dataclass(frozen=True)
class _Plan:
    """Where the vectors and their names are, and how the vectors lie."""

    key: str
    names: str | None
    count: int
    dim: int
    columns: bool
    row_bytes: int
    piece: int  # vectors in a piece of the file, 1 if it is in one piece


def open_hdf5(source: Source, layout: Layout | None = None, key: str | None = None, names: str | None = None) -> Part:
    """The vectors of an HDF5 file: `key` is the dataset that holds them, `names` the one that holds their names.

    Raises:
        VectorFileError: damaged, not all in this file, in a form that is not read, or no matrix of real numbers.
    """
    with opened(source) as file:
        members = list(islice(file, MOST_MEMBERS))
        asked, only_key = key is not None, key is not None and names is None
        if key is None:
            key = which(source.path, members, [each for each in members if _is_matrix(file, each)])
        if names is None:
            names = next((usual for usual in NAMES if usual in members and usual != key), None)
        place = f"{source.path}: {key}"
        vectors = matrix(file, key, source)
        dtype = number_dtype(vectors, place)
        count = (
            None if names is None else _count_names(_dataset(file, names, source), f"{source.path}: {names}", source)
        )
        if only_key and count not in vectors.shape:  # they name others, such as `train` where `test` is read
            names = count = None
        lies = lie(place, vectors.shape, count, layout or _own_layout(vectors), key)
        piece = _piece(vectors, lies.columns)
        plan = _Plan(key, names, lies.count, lies.dim, lies.columns, lies.dim * dtype.itemsize, piece)
        distance = _distance(file, source.path, asked)
    read = partial(_read, source, plan)
    return Part(source.path, "hdf5", lies.count, lies.dim, dtype, names is not None, distance, read)


def matrix(file: h5py.File, key: str, source: Source) -> h5py.Dataset:
    """A dataset of numbers, all of it in this file; VectorFileError where it is something else."""
    place = f"{source.path}: {key}"
    found = _dataset(file, key, source)
    number_dtype(found, place)
    if found.shape is None:
        raise VectorFileError(f"{place}: expected a matrix, received one without any shape; write it again")
    _require_stored(found, place, source)
    return found


@contextmanager
def opened(source: Source) -> Iterator[h5py.File]:
    """The file; what HDF5 says within is a VectorFileError."""
    import h5py

    with source.open():  # the same as before, and readable
        pass
    try:
        with h5py.File(source.path, "r", locking="best-effort") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:  # HDF5's own
        raise VectorFileError(
            f"{source.path}: expected a whole HDF5 file, received {str(error)!r:.300}; fetch or write it again"
        ) from error


def _dataset(file: h5py.File, key: str, source: Source) -> h5py.Dataset:
    import h5py

    found: Any = file
    for step in key.strip("/").split("/"):
        link = found.get(step, getlink=True) if isinstance(found, h5py.Group) and step else None
        if link is None:
            there = ", ".join(map(repr, islice(file, 10))) or "nothing"
            raise VectorFileError(
                f"{source.path}: expected a dataset called {key!r:.80}, received {there:.500}; give another key"
            )
        if not isinstance(link, h5py.HardLink):
            what = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
            raise VectorFileError(
                f"{source.path}: expected {key!r:.80} itself, received {what}, which is not followed; "
                f"give the file and key it leads to ({getattr(link, 'path', '')!r:.80}), or copy it with h5repack"
            )
        found = found[step]
    if not isinstance(found, h5py.Dataset):
        raise VectorFileError(
            f"{source.path}: expected {key!r:.80} to be a dataset, received a group; give a key in it"
        )
    return found


def _is_matrix(file: h5py.File, key: str) -> bool:
    import h5py

    link = file.get(key, getlink=True)
    found = file[key] if isinstance(link, h5py.HardLink) else None
    return isinstance(found, h5py.Dataset) and found.ndim == 2 and _has_numbers(found)


def _has_numbers(dataset: h5py.Dataset) -> bool:
    import h5py

    return dataset.id.get_type().get_class() in (h5py.h5t.FLOAT, h5py.h5t.INTEGER)


def number_dtype(dataset: h5py.Dataset, place: str) -> Dtype:
    """Of a dataset's numbers, in the machine's byte order; VectorFileError where it holds others."""
    if not _has_numbers(dataset) or (dtype := native(dataset.dtype)) is None:
        raise VectorFileError(f"{place}: expected {EXPECTED}, received {dataset.dtype!s:.80}; convert it to float32")
    return dtype


def _own_layout(vectors: h5py.Dataset) -> Layout | None:
    told = text(vectors, LAYOUT)
    return as_layout(told) if told in ("rows", "columns") else None


def text(there: h5py.Dataset | h5py.File, name: str) -> str | None:
    """An attribute that is one text."""
    if name not in there.attrs:
        return None
    if there.attrs.get_id(name).shape != ():
        return None
    told = there.attrs[name]
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told if isinstance(told, str) else None


def _distance(file: h5py.File, path: str, may_be_unknown: bool) -> Metric | None:
    if "distance" not in file.attrs:
        return None
    told = text(file, "distance") or ""
    if told not in _METRICS and not may_be_unknown:
        raise VectorFileError(
            f"{path}: expected the attribute distance to be one of {', '.join(_METRICS)}, received {told!r:.80}; "
            "give the key of the vectors to read them without it"
        )
    return _METRICS.get(told)


def _count_names(names: h5py.Dataset, place: str, source: Source) -> int:
    import h5py

    told = h5py.check_string_dtype(names.dtype)
    if told is None or names.ndim != 1 or not 0 < (told.length or 1) <= MOST_NAME:
        raise VectorFileError(
            f"{place}: expected names, texts of at most {MOST_NAME:,} bytes in one dimension, received "
            f"{names.dtype!s:.80} of the shape {names.shape}; write them again"
        )
    _require_stored(names, place, source)
    return int(names.shape[0])


def _require_stored(dataset: h5py.Dataset, place: str, source: Source) -> None:
    """That all of it is in this file, and can be had by HDF5's own means in bounded memory."""
    import h5py

    creation = dataset.id.get_create_plist()
    if creation.get_layout() == h5py.h5d.VIRTUAL or creation.get_external_count():
        raise VectorFileError(
            f"{place}: expected numbers in this file, received a dataset whose numbers are in others, which are not "
            "opened; copy it into one file with h5repack"
        )
    for number in range(creation.get_nfilters()):
        code = creation.get_filter(number)[0]
        if code not in _FILTERS or not h5py.h5z.filter_avail(code):
            raise VectorFileError(
                f"{place}: expected one of the filters {', '.join(_FILTERS.values())}, received number {code}; "
                "write it again with h5repack -f GZIP=4"
            )
    item = _item_bytes(dataset)
    whole = math.prod(dataset.shape) * item
    stored = dataset.id.get_storage_size()
    if dataset.chunks:
        pieces = math.prod(-(-size // piece) for size, piece in zip(dataset.shape, dataset.chunks, strict=True))
        there = dataset.id.get_num_chunks()
        complete = there == pieces
        piece_bytes = math.prod(dataset.chunks) * item
        if creation.get_nfilters() and piece_bytes > SPAN:
            raise VectorFileError(
                f"{place}: expected pieces of at most {SPAN >> 20} MiB, received {piece_bytes >> 20:,} MiB; "
                "write it again in smaller chunks, with h5repack -l CHUNK=…"
            )
    else:
        complete = stored == whole
    if not complete or stored > source.size:
        raise VectorFileError(
            f"{place}: expected {whole:,} bytes of numbers for the shape {dataset.shape}, received {stored:,}; "
            "the rest was never written: write it again"
        )
    require_sane(place, stored, whole)


def _item_bytes(dataset: h5py.Dataset) -> int:
    """As it is stored; a text of any length is a length, an address and an index."""
    import h5py

    kind = dataset.id.get_type()
    if kind.get_class() == h5py.h5t.STRING and kind.is_variable_str():
        return 4 + int(dataset.file.id.get_create_plist().get_sizes()[0]) + 4
    return int(kind.get_size())


def _piece(dataset: h5py.Dataset, across: bool) -> int:
    return int(dataset.chunks[1 if across else 0]) if dataset.chunks else 1


def _read(source: Source, plan: _Plan, rows: int) -> Iterator[Chunk]:
    with opened(source) as file:
        vectors = _dataset(file, plan.key, source)
        names = None if plan.names is None else _Names(_dataset(file, plan.names, source))
        if plan.columns:
            blocks = columns(lambda a, b: vectors[:, a:b], plan.count, plan.row_bytes, rows, plan.piece)
        else:
            blocks = _rows(vectors, plan, rows)
        for block in blocks:
            yield Chunk(None if names is None else names.take(len(block), source.path), block)


def _rows(vectors: h5py.Dataset, plan: _Plan, rows: int) -> Iterator[Numbers]:
    """Whole pieces of the file at once where they are small enough, so that each is unpacked once."""
    few = rows_at_most(plan.row_bytes, rows)
    whole = plan.piece * plan.row_bytes <= SPAN
    for start, end in ranges(plan.count, -(-few // plan.piece) * plan.piece if whole else few):
        block = vectors[start:end]
        for first, last in ranges(end - start, few):
            yield block[first:last]


class _Names:
    """The names in order. Those of any length are read one by one, for each may be as long as the file."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        import h5py

        self._dataset = dataset
        self._start = 0
        self._space = dataset.id.get_space()
        self._one = h5py.h5s.create_simple((1,))
        self._type = h5py.h5t.py_create(dataset.dtype)
        self._found = np.empty(1, object)

    def take(self, count: int, path: str) -> list[str]:
        start, self._start = self._start, self._start + count
        if self._dataset.dtype.kind == "S":
            return [naming.decode(name) for name in self._dataset[start : self._start].tolist()]
        return [naming.decode(self._name(row, path)) for row in range(start, self._start)]

    def _name(self, row: int, path: str) -> bytes:
        self._space.select_hyperslab((row,), (1,))
        self._dataset.id.read(self._one, self._space, self._found, self._type)
        name: bytes = self._found[0]
        if len(name) > MOST_NAME:
            raise VectorFileError(
                f"{path}: expected {naming.EXPECTED}, received one of {len(name):,} bytes in row {row:,} (from 0); "
                "rename it"
            )
        return name
