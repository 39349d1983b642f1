"""How a picture becomes the square of pixels that a model takes: what models ask for, and decoders do."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Literal, get_args

from lookalike.errors import ArgumentError

Fit = Literal["squeeze", "crop", "pad", "seamless", "squares"]
"""How a picture becomes a square: squeezed, its middle cropped out, padded with white, or padded only where its
long edges are white already, and cropped elsewhere. With "squares" it is the last, without the black bars of a
letterboxed picture, and a long one becomes several squares along its length, whose vectors are averaged."""

Filter = Literal["bicubic", "bilinear"]

LARGEST_SIDE = 1 << 15
"""In pixels."""

LONG = 1.6
"""From this ratio of its sides on a picture is long."""
MOST_SQUARES = 6
_OVERLAP = 0.5  # how many more squares a long picture has than would cover it, at least


def count_squares(width: float, height: float) -> int:
    """How many squares a picture of this size becomes by "squares": so many that those of a long one overlap."""
    ratio = max(width, height) / min(width, height)
    return 1 if ratio < LONG else min(max(3, math.ceil(ratio + _OVERLAP)), MOST_SQUARES)


@dataclass(frozen=True)
class Input:
    """The pictures that a model takes: RGB squares of `side` pixels, one or by "squares" several, made by `fit`.

    Attributes:
        shorter: with "crop": the shorter edge is first scaled to so many pixels, and the square cut out of that, as
            torchvision's Resize and CenterCrop do; None is `side`.
        filter: of the resize, which always averages over what a smaller pixel stands for.
        exact: every pixel is decoded and takes part in one resize, as by Pillow's `resize` alone; otherwise a large
            picture is shrunk on the way, which is faster and differs by a level or two.

    Raises:
        ArgumentError: a side that is not from 1 to 32768, an unknown fit or filter, or a `shorter` that is less
            than the side, or goes with another fit.
    """

    side: int
    fit: Fit
    shorter: int | None = None
    filter: Filter = "bicubic"
    exact: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.side <= LARGEST_SIDE:
            raise ArgumentError(f"expected a side of 1 to {LARGEST_SIDE} pixels, received {self.side}")
        if self.fit not in get_args(Fit):
            raise ArgumentError(f"expected a fit of {', '.join(get_args(Fit))}, received {self.fit!r}")
        if self.filter not in get_args(Filter):
            raise ArgumentError(f"expected a filter of {', '.join(get_args(Filter))}, received {self.filter!r}")
        if self.shorter is not None and (self.fit != "crop" or not self.side <= self.shorter <= LARGEST_SIDE):
            raise ArgumentError(
                f"expected a shorter edge of {self.side} to {LARGEST_SIDE} pixels, with the fit crop, received "
                f"{self.shorter} with {self.fit}"
            )


@dataclass(frozen=True)
class Box:
    """A part of a picture as it is seen, upright: its left upper corner, and its size, in pixels.

    Raises:
        ArgumentError: a corner outside of any picture, or no pixels.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1 or max(astuple(self)) >= 1 << 31:
            raise ArgumentError(
                f"expected a part of a picture as x, y, width, height in pixels, received {astuple(self)}"
            )
