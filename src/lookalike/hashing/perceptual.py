"""Perceptual hashes: short bit codes of whole pictures, near by Hamming distance where the pictures look the same.

Unlike the hash families beside it, these draw nothing at random and take pixels, not vectors. Each looks at the whole
picture, squeezed to a square of any side from `LEAST_SIDE` on. Of pictures that have nothing to do with each other
about half the bits differ (of `colorhash` fewer); a plain picture is a hash like any other, with no bit set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError

Grey = NDArray[np.uint8]
Packed = NDArray[np.uint8]

SIZES = (64, 256)
"""How many bits a hash may have."""

LEAST_SIDE = 32
"""Of the square that is hashed; more than 64 pixels tell these hashes nothing."""

_NOISE = 0.5  # levels of grey: what differs by less is no difference, or plain pictures would hash their noise
_RIPPLE = 0.05  # the same for a frequency, which all pixels make together


def phash(grey: Grey, bits: int = 256) -> Packed:
    """Signs of the lowest frequencies of the picture's cosine transform.

    C. Zauner, *Implementation and benchmarking of perceptual image hash functions*, 2010, §3.2.1: of the DCT-II of a
    small grey picture the low coefficients, each compared with their median. Here they are those of the lowest
    frequencies without the mean, in the order of JPEG's zigzag, and none is left out.

    Args:
        grey: (n, side, side) uint8, the whole picture squeezed into a square of `LEAST_SIDE` pixels or more.
        bits: 64 or 256.

    Returns:
        (n, bits / 8) uint8, the first bit highest.

    Raises:
        ArgumentError: another dtype, shape or number of bits.
    """
    side = _side(grey, bits, 3)
    basis = _cosines(side)
    rows, columns = _zigzag(bits)
    spectrum = basis @ grey.astype(np.float32) @ basis.T
    low = spectrum[:, rows, columns]
    return _packed(low > np.median(low, axis=1, keepdims=True) + _RIPPLE)


def dhash(grey: Grey, bits: int = 256) -> Packed:
    """Whether the picture gets lighter from each place to the one on its right; as `phash`.

    N. Krawetz, *Kind of like that*, hackerfactor.com, 2013.
    """
    side, across = _side(grey, bits, 3), _across(bits)
    small = _averaged(grey, across, across + 1, side)
    return _packed((np.diff(small, axis=2) > _NOISE).reshape(len(grey), bits))


def ahash(grey: Grey, bits: int = 256) -> Packed:
    """Whether each place is lighter than the whole picture's mean; as `phash`.

    N. Krawetz, *Looks like it*, hackerfactor.com, 2011.
    """
    side, across = _side(grey, bits, 3), _across(bits)
    small = _averaged(grey, across, across, side).reshape(len(grey), bits)
    return _packed(small > small.mean(axis=1, keepdims=True) + _NOISE)


def whash(grey: Grey, bits: int = 256) -> Packed:
    """Signs of the coarsest Haar wavelets: which half is lighter, of the picture and of its parts; as `phash`.

    A. Haar, *Zur Theorie der orthogonalen Funktionensysteme*, 1910; that few coarse coefficients, with their signs
    alone, tell pictures apart: C. Jacobs, A. Finkelstein, D. Salesin, *Fast multiresolution image querying*, SIGGRAPH
    1995. The mean has no sign, and its bit is never set.
    """
    side, across = _side(grey, bits, 3), _across(bits)
    means = _averaged(grey, across, across, side)
    signs = np.zeros((len(grey), across, across), bool)
    while across > 1:
        upper, lower = means[:, 0::2], means[:, 1::2]
        high, low = upper + lower, upper - lower
        across //= 2
        signs[:, :across, across : 2 * across] = high[:, :, 0::2] - high[:, :, 1::2] > 2 * _NOISE
        signs[:, across : 2 * across, :across] = low[:, :, 0::2] + low[:, :, 1::2] > 2 * _NOISE
        signs[:, across : 2 * across, across : 2 * across] = low[:, :, 0::2] - low[:, :, 1::2] > 2 * _NOISE
        means = ((high[:, :, 0::2] + high[:, :, 1::2]) / 4).astype(np.float32)
    return _packed(signs.reshape(len(grey), bits))


def colorhash(rgb: NDArray[np.uint8], bits: int = 256) -> Packed:
    """How much of the picture has which colour, wherever it is: the same of a mirrored or turned picture.

    After J. Buchner's `colorhash` (the package ImageHash, 2020): the shares of blacks and greys by lightness, and of
    each hue, faint and bright. A share is written as so many set bits, which makes Hamming distance that of shares.

    Args:
        rgb: (n, side, side, 3) uint8 RGB.
        bits, returns, raises: as for `phash`.
    """
    _side(rgb, bits, 4)
    steps = bits // _COLOURS
    which = _colours(rgb).reshape(len(rgb), rgb.shape[1] ** 2)
    shares = (
        np.stack([np.bincount(each, minlength=_COLOURS) for each in which]) if len(rgb) else np.empty((0, _COLOURS))
    )
    shares = shares / which.shape[1]
    floors = 2.0 ** -np.linspace(1, 7, steps) if steps > 2 else np.array([1 / 4, 1 / 32])
    return _packed((shares[:, :, np.newaxis] > floors).reshape(len(rgb), bits))


HASHES: Mapping[str, Callable[[NDArray[np.uint8], int], Packed]] = {
    "phash": phash,
    "dhash": dhash,
    "ahash": ahash,
    "whash": whash,
    "colorhash": colorhash,
}
"""By name; all but `colorhash` take grey pictures."""


def to_grey(rgb: NDArray[np.uint8]) -> Grey:
    """The lightness (ITU-R BT.601) of RGB pictures: (..., 3) uint8 to (...) uint8, as Pillow's mode L."""
    weighed = rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32) + 0x8000
    grey: Grey = (weighed >> 16).astype(np.uint8)
    return grey


def hamming(one: Packed, other: Packed) -> NDArray[np.int64]:
    """How many bits differ: packed codes (..., bytes), which broadcast against each other."""
    differ: NDArray[np.int64] = _ONES[one ^ other].sum(axis=-1, dtype=np.int64)
    return differ


_ONES = np.array([number.bit_count() for number in range(256)], np.uint8)

_COLOURS = 32  # 8 without a hue, then 12 hues, each faint or bright
_GREYS, _HUES = 8, 12


def _side(pictures: NDArray[np.uint8], bits: int, axes: int) -> int:
    """The side of the squares, once all is as it must be."""
    if bits not in SIZES:
        raise ArgumentError(f"expected {' or '.join(map(str, SIZES))} bits for a perceptual hash, received {bits}")
    shape = pictures.shape
    rest = shape[3:] == ((3,) if axes == 4 else ())
    if pictures.dtype != np.uint8 or len(shape) != axes or shape[1] != shape[2] or shape[1] < LEAST_SIDE or not rest:
        colours = ", 3" if axes == 4 else ""
        raise ArgumentError(
            f"expected uint8 squares of shape (n, side, side{colours}) with a side of {LEAST_SIDE} or more, received "
            f"{pictures.dtype} of shape {shape}; squeeze the whole picture into such a square"
        )
    return int(shape[1])


def _across(bits: int) -> int:
    """Places along either side of the square that has a bit for each."""
    return 8 if bits == 64 else 16


def _packed(bits: NDArray[np.bool_]) -> Packed:
    return np.packbits(bits, axis=-1)


def _averaged(grey: Grey, rows: int, columns: int, side: int) -> NDArray[np.float32]:
    """The mean levels of (rows, columns) parts of equal size."""
    return _parts(rows, side) @ grey.astype(np.float32) @ _parts(columns, side).T


@cache
def _parts(count: int, side: int) -> NDArray[np.float32]:
    """(count, side): the mean over each of `count` parts of a line; a pixel on a border counts for both in part."""
    edges = np.linspace(0, side, count + 1)
    pixels = np.arange(side)
    begin, end = edges[:-1, np.newaxis], edges[1:, np.newaxis]
    covered = np.clip(np.minimum(end, pixels + 1) - np.maximum(begin, pixels), 0, None)
    weights: NDArray[np.float32] = (covered * count / side).astype(np.float32)
    return weights


@cache
def _cosines(side: int) -> NDArray[np.float32]:
    """(`LEAST_SIDE`, side): the lowest frequencies of the DCT-II, scaled so that they do not depend on the side."""
    frequency, place = np.arange(LEAST_SIDE)[:, np.newaxis], np.arange(side)
    waves: NDArray[np.float32] = (np.cos(np.pi * (2 * place + 1) * frequency / (2 * side)) / side).astype(np.float32)
    return waves


@cache
def _zigzag(bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows and columns of the lowest frequencies but the mean, as ITU-T T.81 (JPEG), figure A.6, orders them."""
    places = sorted(
        ((row, column) for row in range(LEAST_SIDE) for column in range(LEAST_SIDE)),
        key=lambda place: (sum(place), place[sum(place) % 2]),
    )
    rows, columns = np.array(places[1 : bits + 1]).T
    return rows, columns


def _colours(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Which of the colours each pixel is."""
    levels = rgb.astype(np.int16)
    most, least = levels.max(axis=-1), levels.min(axis=-1)
    span = np.int16(most - least)
    red, green, blue = (levels[..., channel].astype(np.float32) for channel in range(3))
    over = np.maximum(span, 1).astype(np.float32)
    hue = np.where(
        most == levels[..., 0],
        (green - blue) / over,
        np.where(most == levels[..., 1], 2 + (blue - red) / over, 4 + (red - green) / over),
    )  # in sixths of a turn, from -1 on
    number = np.floor(hue * (_HUES / 6) + 0.5).astype(np.intp) % _HUES
    bright = span * 2 > most
    plain = (span * 6 < most) | (most < 32)
    colours: NDArray[np.intp] = np.where(plain, most >> 5, _GREYS + 2 * number + bright)
    return colours
