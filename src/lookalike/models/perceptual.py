"""Perceptual hashes as models: what needs no network, and tells copies of a picture rather than kinds of things."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import LookalikeError
from lookalike.fitting import Input
from lookalike.hashing.perceptual import HASHES, to_grey
from lookalike.models.pixels import require_pictures
from lookalike.models.spec import Spec

_SIDE = 64
_VERSION = 1  # of how the bits are computed


class PerceptualHash:
    """A picture's vector has a dimension for each bit of its hash: 1 where it is set, else −1.

    So a vector is never zero, and cosine distance is Hamming distance on another scale: 2 · (bits that differ) / bits.
    """

    input = Input(_SIDE, "squeeze")

    def __init__(self, spec: Spec) -> None:
        """The hash that a name says."""
        self.name = str(spec)
        self._hash, _, bits = spec.name.partition(":")
        self.dim = int(bits)

    @property
    def hash(self) -> str:
        """Of all that a vector depends on."""
        return hashlib.sha256(f"{self._hash} {self.dim} {_VERSION} {self.input}".encode()).hexdigest()

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors of `batch`: (n, 64, 64, 3) uint8 RGB in, (n, bits) float32 out, for any n >= 0.

        Raises:
            ArgumentError: the batch has another dtype or shape.
        """
        require_pictures(batch, _SIDE)
        packed = HASHES[self._hash](batch if self._hash == "colorhash" else to_grey(batch), self.dim)
        signs: NDArray[np.float32] = np.unpackbits(packed, axis=-1).astype(np.float32) * 2 - 1
        return signs


def bits_of(name: str) -> int | None:
    """How many bits the perceptual hash of that name has; None for any other model."""
    try:
        spec = Spec.parse(name)
    except LookalikeError:  # one that someone registered
        return None
    return int(spec.name.partition(":")[2]) if spec.kind == "hash" else None
