"""More vectors than there are: synthetic, drawn from a mixture of Gaussians fitted to the real ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.bench.truth import Vectors

SAMPLE, ROUNDS, BLOCK = 100_000, 5, 50_000


def draw(base: Vectors, count: int, components: int, seed: int = 0) -> Vectors:
    """`count` vectors, in random order, between the least and the largest value of `base`.

    k-means (Lloyd 1982) parts `base` into the components; each is a Gaussian with the mean and the full covariance of
    its members, drawn as often as they are many.
    """
    random = np.random.default_rng(seed)
    labels = _parts(base, components, random)
    sizes = np.bincount(labels, minlength=components)
    sizes[sizes < 2] = 0  # they have no covariance
    chosen = random.choice(components, count, p=sizes / sizes.sum())
    drawn = np.empty((count, base.shape[1]), np.float32)
    for component in np.flatnonzero(sizes):
        members, rows = base[labels == component], np.flatnonzero(chosen == component)
        mean, covariance = members.mean(axis=0, dtype=np.float64), np.cov(members.T.astype(np.float64))
        drawn[rows] = random.multivariate_normal(mean, covariance, len(rows), check_valid="ignore", method="eigh")
    return np.clip(drawn, base.min(), base.max(), out=drawn)


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
