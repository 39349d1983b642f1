"""How a whole picture looks, in a kilobyte: what tells most pairs of different pictures apart without decoding them.

Works without NumPy, in a decoder child; Pillow is imported there alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE = 32
"""Rows and columns of lightness."""
COLOUR_SIDE = 8
"""Rows and columns of either difference of colour."""
THUMB_BYTES = SIDE**2 + 2 * COLOUR_SIDE**2


def thumb_of(image: Image.Image) -> bytes:
    """Of an upright picture in RGB: Y, row by row, then Cb and Cr (ITU-T T.871), each squeezed to a square.

    A pixel is a mean of all that it stands for, so that a resized or recompressed copy has nearly the same; by a filter
    that is symmetric, so that one turned or mirrored has it, too.
    """
    from PIL.Image import Resampling

    y, *colour = image.resize((SIDE, SIDE), Resampling.BILINEAR).convert("YCbCr").split()
    small = (band.resize((COLOUR_SIDE, COLOUR_SIDE), Resampling.BILINEAR) for band in colour)
    return b"".join(band.tobytes() for band in (y, *small))
