"""Random hyperplanes, also called random binary projections: the hash family of the angle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.arrays import as_count, as_vectors
from lookalike.errors import VectorError


class Hyperplanes:
    """Sends a vector to one code for each table; each bit tells on which side of a random hyperplane it lies.

    The normals are drawn uniformly from the unit sphere, so two vectors at angle θ agree in a bit with
    probability 1 − θ/π (Charikar, *Similarity estimation techniques from rounding algorithms*, STOC 2002, §3).

        >>> family = Hyperplanes(dim=3, tables=2, bits=4, seed=1)
        >>> family.codes([1.0, 2.0, 3.0]).shape
        (2,)

    Args:
        dim: dimensions of the vectors.
        tables: codes for each vector, 1 to 256.
        bits: bits of each code, 1 to 24.
        seed: the same seed gives the same hyperplanes.
    """

    def __init__(self, dim: int, tables: int = 1, bits: int = 16, seed: int = 0) -> None:
        self.dim = as_count("dim", dim, 1, 2**20 - 1)
        self.tables = as_count("tables", tables, 1, _core.MAX_TABLES)
        self.bits = as_count("bits", bits, 1, _core.MAX_BITS)
        self.seed = as_count("seed", seed, 0, 2**64 - 1)
        self._core = _core.Hyperplanes(self.dim, self.tables, self.bits, self.seed)

    @property
    def normals(self) -> NDArray[np.float32]:
        """The unit normals, (tables × bits, dim), read-only; those of one table lie together."""
        return self._core.normals

    def codes(self, vectors: ArrayLike) -> NDArray[np.uint32]:
        """The codes, (n, tables), of vectors (n, dim); (tables,) for one vector.

        Raises VectorError for NaN, inf, another shape or dtype.
        """
        array, single = as_vectors(vectors, self.dim)
        if not np.isfinite(array).all():
            raise VectorError("a vector holds NaN or inf; expected finite numbers: drop or mend it")
        codes = self._core.codes(array)
        return codes[0] if single else codes

    def collision_probability(self, angle: Any) -> Any:
        """How likely two vectors at this angle (radians, a number or an array) are to share one table's code."""
        return (1.0 - np.asarray(angle) / np.pi) ** self.bits
