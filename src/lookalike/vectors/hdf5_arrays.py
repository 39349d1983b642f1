"""HDF5 as a table of matrices, whole: what a benchmark's set of vectors, queries and neighbours is kept in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import islice
from typing import Any

from lookalike.vectors.draft import draft
from lookalike.vectors.hdf5 import MOST_MEMBERS, matrix, opened, text
from lookalike.vectors.hdf5_write import Disk, created
from lookalike.vectors.numbers import Numbers
from lookalike.vectors.source import find


def read_arrays(path: str | os.PathLike[str], keys: tuple[str, ...]) -> tuple[dict[str, Numbers], str | None]:
    """Those of the matrices called `keys` that are there, and the text of the attribute `distance`.

    Raises:
        VectorFileError: no HDF5 file, or one that is damaged, or does not hold itself what it names.
        ReadError: it cannot be read now.
    """
    source = find(path)
    with opened(source) as file:
        there = set(islice(file, MOST_MEMBERS))
        return {key: matrix(file, key, source)[()] for key in keys if key in there}, text(file, "distance")


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """Writes arrays by their keys, and attributes of all; what was at `path` is replaced when all is written.

    Raises:
        WriteError: the system cannot write; what was there is still there.
    """
    name = os.fsdecode(path)
    with draft(name, overwrite=True) as beside, created(Disk(name, beside)) as file:
        file.attrs.update(attributes)
        for key, array in arrays.items():
            file[key] = array
