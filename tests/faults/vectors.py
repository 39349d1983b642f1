"""Files of vectors that are told apart by a number: what `pictures` is, for collections of vectors.

A name says in which file it is: `v/7` in v.h5. The vector of a seed is that of the picture of this seed. Files are
read and written down by so few vectors at a time that each sync has several blocks.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence

import h5py  # noqa: F401  (before there are forks: else each of them imports it)
import numpy as np

from lookalike.collection.sealed import bulk
from lookalike.vectors import read_vectors, vector_file, write_vectors
from tests.faults import pictures
from tests.faults.observe import State

ENDING = ".h5"
STEP = 5  # vectors that are read at a time


def prepare() -> None:
    """Let blocks be of 8 to 12 vectors, in parts of 4."""
    bulk._PART = 4
    bulk.MOST_PARTS = 2
    vector_file.ROWS = STEP  # type: ignore[attr-defined]


def write(folder: str, state: State, time: int = 0) -> None:
    """Let the files in a folder hold a state, each put there at once; its time tells its content, and `time`."""
    os.makedirs(folder, exist_ok=True)
    for part in sorted({name.partition("/")[0] for name in state}):
        rows = {name: seed for name, seed in state.items() if name.partition("/")[0] == part}
        pictures.expect(rows.values())
        aside = os.path.join(folder, f".aside{ENDING}")
        vectors = np.stack([pictures.vector(seed) for seed in rows.values()])
        write_vectors(aside, [(list(rows), vectors)], overwrite=True)
        pictures.touch(aside, zlib.crc32(repr((time, list(rows.items()))).encode()))
        os.replace(aside, os.path.join(folder, part + ENDING))


def files(folder: str) -> Sequence[str]:
    """The files that are there."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(ENDING) and not name.startswith("."))
    return [os.path.join(folder, name) for name in names]


def read(folder: str) -> State:
    """What they hold, in their order."""
    state: State = {}
    for path in files(folder):
        names, vectors = read_vectors(path)
        state |= zip(names or [], map(pictures.seed_of, vectors), strict=True)
    return state
