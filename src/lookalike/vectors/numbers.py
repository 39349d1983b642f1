"""What the numbers of a vector may be: finite, real, of at most 64 bits; they keep their dtype, not its byte order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Dtype = np.dtype[Any]

EXPECTED = "floats of 16, 32 or 64 bits or integers of at most 64"


def native(dtype: Dtype) -> Dtype | None:
    """`dtype` in the machine's byte order; None where it is none of vectors (complex, bool, object, text, record)."""
    return dtype.newbyteorder("=") if dtype.kind in "fiu" and dtype.itemsize <= 8 else None


def not_finite(vectors: Numbers) -> tuple[int, float] | None:
    """The first row of `vectors` (n, dim) with NaN or inf, and that number."""
    if vectors.dtype.kind != "f" or (finite := np.isfinite(vectors)).all():
        return None
    row, column = np.argwhere(~finite)[0]
    return int(row), float(vectors[row, column])
