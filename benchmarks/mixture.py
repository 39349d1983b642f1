"""More vectors than there are: synthetic, drawn from a mixture of Gaussians fitted to the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.bench.truth import Vectors

SAMPLE, ROUNDS, BLOCK = 100_000, 5, 50_000


@dataclass(frozen=True)
class Mixture:
    """Gaussians.

    Attributes:
        shares: (components,): how often each is drawn.
        means: (components, dim).
        factors: (components, dim, dim): normal values times one of these have its covariance.
        least, largest: what no value is beyond.
    """

    shares: npt.NDArray[np.float64]
    means: Vectors
    factors: Vectors
    least: float
    largest: float

    def blocks(self, count: int, seed: int | Sequence[int] = 0) -> Iterator[Vectors]:
        """`count` vectors in random order, block after block; fewer of the same seed are the first of these."""
        random = np.random.default_rng(seed)
        for begin in range(0, count, BLOCK):
            yield self._block(random)[: count - begin]

    def _block(self, random: np.random.Generator) -> Vectors:
        chosen = random.choice(len(self.shares), BLOCK, p=self.shares)
        drawn = random.standard_normal((BLOCK, self.means.shape[1]), np.float32)
        ends = np.cumsum(np.bincount(chosen, minlength=len(self.shares)))
        for component, rows in enumerate(np.split(np.argsort(chosen, kind="stable"), ends[:-1])):
            drawn[rows] = self.means[component] + drawn[rows] @ self.factors[component]
        return np.clip(drawn, self.least, self.largest, out=drawn)


def fit(base: Vectors, components: int, seed: int = 0) -> Mixture:
    """k-means (Lloyd 1982) parts `base`; each part is a component with the mean and the full covariance of its members.

    Each is drawn as often as they are many; one of a single member has no covariance and is left out.
    """
    labels = _parts(base, components, np.random.default_rng(seed))
    sizes = np.bincount(labels, minlength=components)
    kept = np.flatnonzero(sizes > 1)
    dim = base.shape[1]
    means, factors = np.empty((len(kept), dim), np.float32), np.empty((len(kept), dim, dim), np.float32)
    for component, label in enumerate(kept):
        members = base[labels == label].astype(np.float64)
        means[component] = members.mean(axis=0)
        variances, axes = np.linalg.eigh(np.cov(members.T).reshape(dim, dim))
        factors[component] = np.sqrt(np.maximum(variances, 0))[:, None] * axes.T
    return Mixture(sizes[kept] / sizes[kept].sum(), means, factors, float(base.min()), float(base.max()))


def _parts(base: Vectors, components: int, random: np.random.Generator) -> npt.NDArray[np.intp]:
    sample = base[random.permutation(len(base))[:SAMPLE]]
    centres = sample[:components].copy()
    for _ in range(ROUNDS):
        labels = _nearest(sample, centres)
        for component in np.unique(labels):
            centres[component] = sample[labels == component].mean(axis=0)
    return _nearest(base, centres)


def _nearest(vectors: Vectors, centres: Vectors) -> npt.NDArray[np.intp]:
    halves = np.einsum("ij,ij->i", centres, centres) / 2
    blocks = (vectors[begin : begin + BLOCK] for begin in range(0, len(vectors), BLOCK))
    return np.concatenate([np.argmax(block @ centres.T - halves, axis=1) for block in blocks])
