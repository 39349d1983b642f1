"""The numbers that a network takes of a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError
from lookalike.fitting import Input

Triple = tuple[float, float, float]

IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Pixels:
    """How the levels of a picture, 0 to 255, become numbers: scaled to 0 to `range`, less `mean`, by `std`.

    Attributes:
        mean, std: of red, green and blue, whatever the order.
        bgr: blue comes first, and red last.
    """

    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    range: float = 1.0
    bgr: bool = False

    def numbers(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, side, side, 3) RGB to (n, 3, side, side), to the last bit as torchvision's ToTensor and Normalize."""
        levels = np.arange(256, dtype=np.float32)[:, np.newaxis] / np.float32(255 / self.range)
        of_level = (levels - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        made = np.empty((len(batch), 3, *batch.shape[1:3]), np.float32)
        for place, channel in enumerate((2, 1, 0) if self.bgr else (0, 1, 2)):
            made[:, place] = of_level[:, channel][batch[..., channel]]
        return made


def preparation(fit: Input, pixels: Pixels) -> str:
    """All that is done to a picture before it is embedded, for a hash."""
    numbers = [float(number) for number in (*pixels.mean, *pixels.std, pixels.range)]
    return f"{fit.side} {fit.fit} {fit.shorter} {fit.filter} {fit.exact} {numbers} {pixels.bgr}"


def require_pictures(batch: NDArray[np.uint8], side: int) -> None:
    """ArgumentError where `batch` is not uint8 of the shape (n, side, side, 3)."""
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != (side, side, 3):
        raise ArgumentError(
            f"expected uint8 pictures of shape (n, {side}, {side}, 3), received {batch.dtype} of shape "
            f"{batch.shape}; decode the pictures to RGB and fit them to {side} pixels first"
        )
