"""From what is not explained, block by block, to an answer: nothing, something in one place, or another picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from lookalike.images.compare.align import Box
from lookalike.images.compare.residual import BLOCK, Excess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_STRONGEST = 3.0  # of what is explained: no block of a copy differs by as much
_LONE = 2.0  # of what is explained, a block whose neighbours are all explained: edits spread over several, as a rule
_OTHERS, _FAR = 0.985, 2.0  # a block is not like the others if it is beyond what these have by so much
_EVENLY = 0.12  # of the blocks may be a little beyond where none stands out
_SHOWN = 400.0  # energy of a block that shows something: 2.5 levels on average
_AROUND = 3  # blocks around a strong one belong to the same place: encoders and filters spread a change
_MOST = 0.4  # of the picture may be such places; beyond it what is left says too little
_WITNESSES = 8  # blocks that show something and agree make a copy; one without them may be anything
_FEWEST = 3  # of a picture of few blocks, an icon


_SHARED = 0.5  # of faint detail: between the noise of another exposure (0.1) and copies (0.8 and more)


class Settled(NamedTuple):
    """What a comparison comes to: a place only where there is one, in pixels of the copy.

    over: the share of blocks that are beyond what is explained, by however little.
    """

    answer: Literal["explained", "place", "different"]
    place: Box | None = None
    over: float = 0.0


def settle(excess: Excess, size: tuple[int, int], scattered: float) -> Settled:
    """Of a picture of this size; `scattered` is the share of blocks that may be a little beyond what is explained."""
    beyond, detail = excess.beyond, excess.detail
    if excess.shared < _SHARED:
        return Settled("different")
    over = beyond > 1
    limit = _limit(excess)
    strong = (beyond > max(limit, _LONE)) | ((beyond > limit) & _has_neighbour(over))
    agree = (detail > _SHOWN) & ~over
    needed = min(_WITNESSES, max(_FEWEST, beyond.size // 8))
    share = float(over.mean())
    if not strong.any():
        if share <= _EVENLY and agree.sum() >= needed:
            return Settled("explained", over=share)
        return Settled("different", over=share)
    near = _widened(strong, _AROUND)
    outside = ~near
    if near.mean() > _MOST or over[outside].mean() > scattered or agree[outside].sum() < needed:
        return Settled("different", over=share)
    return Settled("place", _box(over & near, excess.corner, size), share)


def _limit(excess: Excess) -> float:
    """How far a block of a copy goes at most: a little where filters and colours are met exactly, further where not."""
    shown = excess.beyond[excess.detail > _SHOWN]
    others = float(np.quantile(shown, _OTHERS)) if shown.size else 0.0
    return min(max(_FAR * others, excess.least), _STRONGEST)


def _has_neighbour(mask: Mask) -> Mask:
    """Of each block whether one beside it or at its corner is marked: what was changed by hand spreads over several."""
    height, width = mask.shape
    wide = np.pad(mask, 1)
    around = [wide[y : y + height, x : x + width] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.asarray(np.logical_or.reduce(around))


def _widened(mask: Mask, by: int) -> Mask:
    for axis in (0, 1):
        padding = [(by, by) if axis == other else (0, 0) for other in (0, 1)]
        wide, length = np.pad(mask, padding), mask.shape[axis]
        mask = np.logical_or.reduce([wide.take(range(i, i + length), axis=axis) for i in range(2 * by + 1)])
    return mask


def _box(mask: Mask, corner: tuple[int, int], size: tuple[int, int]) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(
        float(max(0, columns[0] * BLOCK + corner[0])),
        float(max(0, rows[0] * BLOCK + corner[1])),
        float(min(size[0], (columns[-1] + 1) * BLOCK + corner[0])),
        float(min(size[1], (rows[-1] + 1) * BLOCK + corner[1])),
    )
