"""Cross-polytope hashing: the hash family of the angle whose near vectors collide most for its number of codes."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike import _core
from lookalike.arrays import as_count, as_vectors
from lookalike.errors import ArgumentError, VectorError

_MOST_CODES = 2**24


class CrossPolytope:
    """Turns a vector at random and takes the nearest vertex ±e_j; a code is made of one vertex or several.

    From Andoni, Indyk, Laarhoven, Razenshteyn & Schmidt, *Practical and optimal LSH for angular distance*,
    NIPS 2015 (arXiv 1509.02897). Two unit vectors at distance τ get the same vertex of d dimensions with
    probability p, where (eq. 1) ln(1/p) = τ² / (4 − τ²) · ln d + O(ln ln d). The rotation is theirs too, three
    rounds of random signs and a Hadamard transform (§6), with a walk over pairs for widths that are no power of two.

        >>> family = CrossPolytope(dim=3, tables=2, digits=2, seed=1)
        >>> family.codes([1.0, 2.0, 3.0]).shape
        (2,)

    Args:
        dim: dimensions of the vectors; the rotation works on `width`, the next multiple of 4.
        tables: codes for each vector, 1 to 256.
        digits: vertices in each code, each after a rotation of its own.
        last_width: how many coordinates the last digit looks at, `width` by default; fewer make fewer codes. All
            codes of a table are below 2^24.
        seed: the same seed gives the same rotations.
    """

    def __init__(
        self, dim: int, tables: int = 1, digits: int = 1, last_width: int | None = None, seed: int = 0
    ) -> None:
        self.dim = as_count("dim", dim, 1, 2**20 - 1)
        self.width = (self.dim + 3) // 4 * 4
        self.tables = as_count("tables", tables, 1, _core.MAX_TABLES)
        self.digits = as_count("digits", digits, 1, 24)
        self.last_width = self.width if last_width is None else as_count("last_width", last_width, 1, self.width)
        self.seed = as_count("seed", seed, 0, 2**64 - 1)
        self.count = (2 * self.width) ** (self.digits - 1) * 2 * self.last_width
        """How many codes a table has; all are below."""
        if self.count > _MOST_CODES:
            raise ArgumentError(
                f"{self.digits} digits of {self.width} dimensions make {self.count:,} codes; expected at most "
                f"{_MOST_CODES:,}: fewer digits, or a smaller last_width"
            )
        self._core = _core.CrossPolytope(self.dim, self.tables, self.digits, self.last_width, self.seed)

    def codes(self, vectors: ArrayLike) -> NDArray[np.uint32]:
        """The codes, (n, tables), of vectors (n, dim); (tables,) for one vector.

        The first digit counts 1, the next 2 · width, and so on; +e_j is 2 j, −e_j is 2 j + 1.
        Raises VectorError for NaN, inf, another shape or dtype.
        """
        array, single = as_vectors(vectors, self.dim)
        if not np.isfinite(array).all():
            raise VectorError("a vector holds NaN or inf; expected finite numbers: drop or mend it")
        codes = self._core.codes(array)
        return codes[0] if single else codes

    def collision_probability(self, angle: Any) -> Any:
        """How likely two vectors at this angle (radians, a number or an array) are to share one table's code.

        Computed for a matrix of Gaussian numbers in place of the rotation, as in the paper's proofs (§3). A rotation
        keeps the angle exactly, so far vectors collide less: at width 16 by up to 0.02, at 100 by up to 0.003.
        """
        angles = np.asarray(angle, np.float64)
        each = [
            _same_vertex(self.width, one) ** (self.digits - 1) * _same_vertex(self.last_width, one)
            for one in angles.ravel().tolist()
        ]
        return np.reshape(each, angles.shape)[()]


def _same_vertex(width: int, angle: float) -> float:
    """With X and Y Gaussian and correlated by ρ = cos(angle): 2 d E[P(|X'| <= X and |Y'| <= Y)^(d − 1); X, Y > 0]."""
    along, across = math.cos(angle), max(abs(math.sin(angle)), 1e-9)
    x, x_weights = _nodes(64, 0.0, 7.0)
    middle = along * x[:, None]
    y, y_weights = _nodes(64, np.maximum(middle - 7 * across, 0.0), np.maximum(middle + 7 * across, 0.0))
    t, t_weights = _nodes(160, -x[:, None, None], x[:, None, None])  # X'; Y' is Gaussian around ρ X'
    inside = _normal((y[:, :, None] - along * t) / across) - _normal((-y[:, :, None] - along * t) / across)
    both = np.clip((_density(t) * t_weights * inside).sum(axis=2), 0.0, 1.0)
    weights = (_density(x) * x_weights)[:, None] * _density((y - middle) / across) / across * y_weights
    return min(1.0, float(2 * width * (weights * both ** (width - 1)).sum()))


def _nodes(count: int, low: Any, high: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes and weights between numbers, or between arrays whose last axis is 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return low + (nodes + 1) * (high - low) / 2, weights * (high - low) / 2


def _density(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _normal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution, from a table; its error is below 1e-6."""
    return np.interp(x, *_normal_table())


@cache
def _normal_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at = np.linspace(-8.0, 8.0, 8001)
    return at, np.array([math.erfc(-one / math.sqrt(2)) / 2 for one in at.tolist()])
