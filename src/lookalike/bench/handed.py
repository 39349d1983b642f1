"""Vectors, or sets, in a file of NumPy's: so they are handed to the processes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.bench.sets import Sets
from lookalike.bench.truth import Rows


def save(path: str, rows: Rows) -> None:
    """Under this very name. OSError where it cannot be written."""
    with open(path, "wb") as file:
        if isinstance(rows, Sets):
            np.savez(file, items=rows.items, starts=rows.starts, universe=np.array(rows.universe))
        else:
            np.save(file, rows)


def load(path: str, mmap_mode: Literal["r"] | None = None) -> Any:
    """The `Rows` that were saved; vectors may be mapped."""
    kept = np.load(path, mmap_mode=mmap_mode)
    if isinstance(kept, np.ndarray):
        return kept
    with kept:
        return Sets(kept["items"], kept["starts"], int(kept["universe"]))


def arrays(rows: Rows) -> list[npt.NDArray[Any]]:
    """What they consist of."""
    return [rows.items, rows.starts] if isinstance(rows, Sets) else [rows]
