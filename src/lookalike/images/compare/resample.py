"""The larger picture as the smaller one should show it: cut, resized, recoloured, and by which filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from lookalike.images.compare.align import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.images.compare.photometry import Recolouring

    Pixels = NDArray[np.uint8]

FILTERS = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BICUBIC,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.HAMMING,
)
"""What programs resize with, in one form or another."""


class Way(NamedTuple):
    """How the copy came about.

    Attributes:
        resample: the filter; None where the pixels are those of the larger picture.
        halved: whether whole numbers of pixels were averaged first, to no less than twice the size, as thumbnails are.
        recolouring: of colours; None where they stayed.
        recoloured_first: before resizing, or else after.
    """

    resample: Image.Resampling | None
    halved: bool = False
    recolouring: Recolouring | None = None
    recoloured_first: bool = False


def expected(large: Image.Image, box: Box, size: tuple[int, int], way: Way) -> Pixels:
    """The box of the large picture, in mode RGB and turned already, at this size."""
    colour = way.recolouring
    if way.resample is None:
        pixels = np.asarray(large.crop((int(box.left), int(box.top), int(box.right), int(box.bottom))))
        return pixels if colour is None else colour.apply(pixels)
    if colour is not None and way.recoloured_first:
        around = _around(large, box)
        part = Image.fromarray(colour.apply(np.asarray(large.crop(around))))
        box = Box(box.left - around[0], box.top - around[1], box.right - around[0], box.bottom - around[1])
        return np.asarray(part.resize(size, way.resample, box, reducing_gap=2.0 if way.halved else None))
    pixels = np.asarray(large.resize(size, way.resample, box, reducing_gap=2.0 if way.halved else None))
    return pixels if colour is None else colour.apply(pixels)


def _around(large: Image.Image, box: Box) -> tuple[int, int, int, int]:
    """A part of the picture that holds all that a filter looks at."""
    return (
        max(0, int(box.left) - 64),
        max(0, int(box.top) - 64),
        min(large.width, int(box.right) + 65),
        min(large.height, int(box.bottom) + 65),
    )
