"""What was done to the colours of a whole picture: found from smooth places, kept to what people and programs do.

A recoloured copy has the levels  curve(gray + saturation * (colour - gray)),  with one curve for all channels
(brightness, contrast, gamma) or one for each (warmer, cooler; with no saturation: gray, sepia). Nothing more general is
tried: a free map of colours would turn one flag of a series into another. A map with more parameters needs more colours
that bear it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Pixels = NDArray[np.uint8]

GRAY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow and CSS's sepia weigh colours
_SAMPLES = 1200
_CLIPPED = 2.5  # levels: what comes nearer to black or white may have been cut off there
_GROUND = 16.0  # levels: ringing leaves a black or white ground nearer
_SATURATIONS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5)
_UNTOUCHED = 40.0  # levels that averages of squares may differ by while colours were left alone: small, packed hard
_UNCOVERED = 0.75  # of the squares keep to it: on the others, a sticker may lie
_MOST = 0.9  # of the samples, by weight
_CLOSE = 6.0  # levels that these keep to: recompression leaves averages of blocks nearer
_WORTH = 0.7  # of the difference that a change must leave at most, or else it explains nothing
_STEEPEST, _FLATTEST = 6.0, 0.15  # of a curve from its darkest to its brightest level: beyond it little can be told
_ROUGH = 6.0  # levels that colours within a square vary by, on average, where its weight is half
_SLIGHT, _SLIGHT_SATURATION = 4.0, 0.06  # levels, and a share: half of the least that programs' controls change
_FEWEST, _TOLD = 6, 0.02  # samples that make a curve, and their share of the weight
_CELL = 16  # levels a side: colours in one such cube count as one


class Recolouring(NamedTuple):
    """A change of colours.

    Attributes:
        saturation: 1 leaves colours as they are, 0 makes them gray.
        curves: float32, (3, 256): the new level of red, green and blue for each old one.
    """

    saturation: float
    curves: Floats

    @property
    def slight(self) -> bool:
        """Whether nobody would see it: encoders round colours, and some shift them by a level or two."""
        shift = np.abs(self.curves[:, 16:240] - np.arange(16, 240)).max()
        return abs(self.saturation - 1) <= _SLIGHT_SATURATION and float(shift) <= _SLIGHT

    @property
    def gain(self) -> float:
        """How many times a difference of levels became as large, or 1: as a rule, for a root is steep at black."""
        slopes = np.diff(self.curves, axis=1)
        return max(1.0, float(np.median(slopes, axis=1).max()) * max(1.0, self.saturation))

    def apply(self, pixels: Pixels) -> Pixels:
        mixed = pixels
        if self.saturation != 1:
            wide = pixels.astype(np.float32)
            gray = (wide @ GRAY)[..., None]
            mixed = np.clip(gray + self.saturation * (wide - gray) + 0.5, 0, 255).astype(np.uint8)
        tables = np.clip(self.curves + 0.5, 0, 255).astype(np.uint8)
        return np.stack([tables[channel][mixed[..., channel]] for channel in range(3)], axis=-1)


class _Family(NamedTuple):
    """A kind of change: whether each channel has a curve of its own, whether curves may bend, which saturations are
    tried, and how many different colours must bear it out."""

    own_curves: bool
    bent: bool
    saturations: tuple[float, ...]
    colours: int


_FAMILIES = (
    _Family(False, False, (1.0,), 1),  # thin lines on one ground are mixed with it, and such averages keep to it, too
    _Family(False, False, _SATURATIONS, 2),
    _Family(False, True, (1.0,), 3),
    _Family(True, False, (0.0,), 2),
    _Family(True, False, (1.0,), 4),
    _Family(False, True, _SATURATIONS, 4),
    _Family(True, True, (0.0,), 4),
    _Family(True, True, (1.0,), 8),
    _Family(True, True, _SATURATIONS, 10),
)


class Samples(NamedTuple):
    """Averages of the same small squares of two aligned pictures, and how smooth each square is.

    Attributes:
        old, new: float32, (n, 3).
        weight: float32, (n,): less where the old square has several colours, for their average follows no curve; and
            the same for each colour, however much of the picture has it: a white page would outweigh what is on it.
        smooth: bool, (n,): of squares of one colour.
        clipped: bool, (n, 3): some of the new square is black or white in this channel, and may have been cut off.
        cut: bool, (n, 3): the same where it had not been nearly as black or white before, so that it was cut off.
    """

    old: Floats
    new: Floats
    weight: Floats
    smooth: NDArray[np.bool_]
    clipped: NDArray[np.bool_]
    cut: NDArray[np.bool_]


def samples(old: Pixels, new: Pixels) -> Samples:
    """Of two pictures of one size."""
    height, width = old.shape[:2]
    side = max(1, min(8, int(np.sqrt(height * width / _SAMPLES))))
    rows, columns = height // side, width // side
    skip = max(1, int(np.sqrt(rows * columns / _SAMPLES)))

    def squares(pixels: Pixels) -> Floats:
        cut = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)[::skip, :, ::skip]
        return np.asarray(cut.swapaxes(1, 2).reshape(-1, side * side, 3), dtype=np.float32)

    before, after = squares(old), squares(new)
    mean = before.mean(axis=1)
    even = 1 / (1 + np.square(before.std(axis=1).max(axis=1) / _ROUGH))
    _, cell, count = np.unique(_cells(mean), return_inverse=True, return_counts=True)
    weight = np.asarray(even / count[cell], dtype=np.float32)
    dark, bright = after < _CLIPPED, after > 255 - _CLIPPED
    cut = (dark & (before > _GROUND)) | (bright & (before < 255 - _GROUND))
    clipped, cut = (np.logical_or.reduce(pixels, axis=1) for pixels in (dark | bright, cut))
    return Samples(mean, after.mean(axis=1), weight, even > 0.5, clipped, cut)


def _cells(colours: Floats) -> NDArray[np.int32]:
    return np.asarray((colours // _CELL).astype(np.int32) @ np.array([1, 32, 1024], dtype=np.int32))


def apart(found: Samples) -> float:
    """What most samples differ by at most, in levels."""
    return _weighted_quantile(np.abs(found.old - found.new).max(axis=1), found.weight, _MOST)


def are_untouched(found: Samples) -> bool:
    """Whether most of the picture, whatever its colours, may have been left as it was."""
    return float(np.quantile(np.abs(found.old - found.new).max(axis=1), _UNCOVERED)) <= _UNTOUCHED


def recolouring(found: Samples) -> Recolouring | None:
    """The simplest change that turns the old colours into the new; None where none does, or does little."""
    best: Recolouring | None = None
    untouched = apart(found)
    least = np.inf
    colours = _colours(found)
    for family in _FAMILIES:
        if colours < family.colours:
            continue
        change, error = _fit(found, family)
        if change is not None and error < 0.8 * least - 0.05:
            best, least = change, error
        if least < 0.3:
            break
    return best if least <= min(_CLOSE, _WORTH * untouched) else None


def _colours(found: Samples) -> int:
    return len(np.unique(_cells(found.old[found.smooth])))


def _fit(found: Samples, family: _Family) -> tuple[Recolouring | None, float]:
    """The best of a family and its error: what most samples keep to, in levels."""
    tried = [_fit_curves(found, family, saturation) for saturation in family.saturations]
    best = min(range(len(tried)), key=lambda i: tried[i][1])
    change, error = tried[best]
    if len(family.saturations) > 1:
        low, high = family.saturations[max(best - 1, 0)], family.saturations[min(best + 1, len(tried) - 1)]
        for _ in range(3):
            for saturation in np.linspace(low, high, 7):
                other, found_error = _fit_curves(found, family, float(saturation))
                if found_error < error:
                    change, error = other, found_error
            centre = change.saturation if change else (low + high) / 2
            low, high = centre - (high - low) / 5, centre + (high - low) / 5
    return change, error


def _fit_curves(found: Samples, family: _Family, saturation: float) -> tuple[Recolouring | None, float]:
    gray = (found.old @ GRAY)[:, None]
    mixed = np.clip(gray + saturation * (found.old - gray), 0, 255)
    curves = np.empty((3, 256), dtype=np.float32)
    groups = [[0], [1], [2]] if family.own_curves else [[0, 1, 2]]
    outside = _outside(found)
    for channels in groups:
        old, new = mixed[:, channels].ravel(), found.new[:, channels].ravel()
        weight = np.repeat(found.weight, len(channels))
        curve = _curve(old, new, weight, ~outside[:, channels].ravel(), bent=family.bent)
        if curve is None:
            return None, np.inf
        curves[channels] = curve
    levels = np.arange(256)
    expected = np.stack([np.interp(mixed[:, channel], levels, curves[channel]) for channel in range(3)], axis=1)
    # the average of levels some of which were cut off is not the curve of the average
    error = np.where(outside, 0, np.abs(np.clip(expected, 0, 255) - found.new)).max(axis=1)
    telling = ~outside.all(axis=1)
    return Recolouring(saturation, curves), _weighted_quantile(error[telling], found.weight[telling], _MOST)


def _outside(found: Samples) -> NDArray[np.bool_]:
    """What says nothing of a curve: (n, 3). On a ground of black or white nearly all of it may have been cut off."""
    whole = found.weight[~found.clipped.any(axis=1)].sum()
    return found.clipped if whole > _TOLD * found.weight.sum() else found.cut


def _weighted_quantile(values: NDArray[np.floating], weights: Floats, share: float) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order[min(int(np.searchsorted(total, share * total[-1])), len(order) - 1)]])


def _basis(levels: NDArray[np.floating] | NDArray[np.integer], bent: bool) -> NDArray[np.float64]:
    """A straight line, or with a root and a square beside it: any gamma from 0.5 to 2 within a level."""
    x = np.asarray(levels, dtype=np.float64) / 255
    columns = [np.ones_like(x), x, np.sqrt(x), x * x] if bent else [np.ones_like(x), x]
    return np.stack(columns, axis=-1)


def _curve(
    old: NDArray[np.floating], new: Floats, weight: Floats, inside: NDArray[np.bool_], *, bent: bool
) -> NDArray[np.float64] | None:
    """The new level of each old one, rising; None where no curve of this kind can be told."""
    if inside.sum() < _FEWEST or weight[inside].sum() < _TOLD * weight.sum():
        return None
    design, target, base = _basis(old[inside], bent), new[inside].astype(np.float64), weight[inside].astype(np.float64)
    robust, solved = base, np.zeros(design.shape[1])
    for _ in range(4):
        normal = design.T @ (design * robust[:, None])
        solved = np.linalg.solve(normal + 1e-6 * np.eye(len(normal)) * base.sum(), design.T @ (target * robust))
        error = np.abs(design @ solved - target)
        robust = base * np.minimum(1.0, 2.0 / np.maximum(error, 1e-6))
    curve = _basis(np.arange(256), bent) @ solved
    low, high = int(old[inside].min()), int(old[inside].max())
    slope = (curve[high] - curve[low]) / max(high - low, 1)
    if high - low < 8 or not _FLATTEST <= slope <= _STEEPEST:
        return None
    curve[:low] = curve[low] - slope * (low - np.arange(low))
    curve[high + 1 :] = curve[high] + slope * np.arange(1, 256 - high)
    return np.maximum.accumulate(curve)
