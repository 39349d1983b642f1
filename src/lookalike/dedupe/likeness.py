"""Whether two pictures can be copies of each other, as far as their thumbnails tell: most pairs are settled by that.

What a thumbnail shows is compared in all eight ways in which a picture can be turned and mirrored. Both of what follows
are made not to notice that a picture was made lighter, darker, or of more contrast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lookalike.images.thumb import SIDE

TURNS = 8
DIM = 63
"""Of the features: the cosines of 8 × 8 frequencies but for the mean."""
_ALIKE = 0.5  # copies of the same frame correlate by more
_ALIKE_CUT = 0.7  # and those that were cropped, once what was cut off is taken away
_SHARE = 0.35  # of what is shown is as it was, where something was put over a part
_LEVELS = 16  # by which what is as it was may differ
_CUTS = (0.0, 0.05, 0.1)  # what may be cut off either end, in shares

_KEPT = 8  # frequencies in either direction
_FLAT = 1.0  # levels: a thumbnail that varies by less shows nothing
_BLOCK = 2048
_CUT_BLOCK = 128  # pairs, of each of which 81 parts are made

Thumbs = NDArray[np.uint8]
Floats = NDArray[np.float32]


def lightness(thumbs: Thumbs) -> NDArray[np.uint8]:
    """Of thumbnails (n, THUMB_BYTES), their lightness (n, SIDE, SIDE)."""
    return thumbs[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE)


def is_flat(light: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of these show nothing by which they could be found."""
    return np.asarray(light.std(axis=(1, 2), dtype=np.float32) < _FLAT)


def features(light: NDArray[np.uint8]) -> Floats:
    """Unit vectors (n, DIM) of low frequencies, whose cosine distance is small for copies.

    As in perceptual hashing (C. Zauner, 2010), but not reduced to bits; each is weighted by its frequency, since those
    of pictures fall with it (D. Field, 1987).
    """
    position, frequency = np.arange(SIDE), np.arange(_KEPT)[:, np.newaxis]
    transform = np.cos(np.pi / SIDE * (position + 0.5) * frequency).astype(np.float32)
    weight = np.hypot(frequency, frequency.T).astype(np.float32)
    found = np.empty((len(light), DIM), np.float32)
    for begin in range(0, len(light), _BLOCK):
        part = light[begin : begin + _BLOCK].astype(np.float32)
        spectrum = (transform @ part @ transform.T * weight).reshape(-1, _KEPT**2)[:, 1:]
        length = np.linalg.norm(spectrum, axis=1, keepdims=True)
        found[begin : begin + _BLOCK] = spectrum / np.maximum(length, np.finfo(np.float32).tiny)
    return found


def turned_features(vectors: Floats, turn: int) -> Floats:
    """`features` of the pictures turned: bit 0 of `turn` mirrors them, bit 1 upends, bit 2 swaps rows and columns."""
    whole = _square(vectors)
    odd = np.where(np.arange(_KEPT) % 2, np.float32(-1), np.float32(1))  # a cosine of odd frequency changes its sign
    if turn & 1:
        whole = whole * odd
    if turn & 2:
        whole = whole * odd[:, np.newaxis]
    if turn & 4:
        whole = whole.swapaxes(1, 2)
    return _flattened(whole)


def unturned_features(vectors: Floats) -> Floats:
    """The same for all turns of a picture, and no further apart for two pictures than `features` of any of their turns.

    A turn changes signs and swaps rows and columns: what stays is the size of each number, and of each two that are
    swapped which is the larger. Neither step moves two vectors apart.
    """
    size = np.abs(_square(vectors))
    swapped = size.swapaxes(1, 2)
    upper = np.triu(np.ones((_KEPT, _KEPT), np.bool_))
    return _flattened(np.where(upper, np.maximum(size, swapped), np.minimum(size, swapped)))


def _square(vectors: Floats) -> Floats:
    whole = np.concatenate([np.zeros((len(vectors), 1), np.float32), vectors], axis=1)
    return np.asarray(whole.reshape(-1, _KEPT, _KEPT))


def _flattened(square: Floats) -> Floats:
    return np.ascontiguousarray(square.reshape(-1, _KEPT**2)[:, 1:])


def can_be_copies(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pairs (n, SIDE, SIDE) may be copies, as far as is seen; both flat ones may."""
    both_flat = is_flat(one) & is_flat(other)
    found = np.empty(len(one), np.bool_)
    for begin in range(0, len(one), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        found[part] = (
            both_flat[part] | (likeness(one[part], other[part]) >= _ALIKE) | _mostly_same(one[part], other[part])
        )
    rest = np.flatnonzero(~found)
    for begin in range(0, len(rest), _CUT_BLOCK):
        some = rest[begin : begin + _CUT_BLOCK]
        first, second = _halved(one[some]), _halved(other[some])
        found[some] = np.maximum(_likeness_cut(first, second), _likeness_cut(second, first)) >= _ALIKE_CUT
    return found


def likeness(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Floats:
    """For each pair (n, SIDE, SIDE) the highest correlation in any of the turns, from -1 to 1."""
    first, second = _standard(one), _standard(other)
    return np.asarray(np.max([np.einsum("nij,nij->n", first, turned) for turned in _turned(second)], axis=0))


def _turned(light: Floats) -> list[Floats]:
    mirrored = [light[..., ::up, ::across] for up in (1, -1) for across in (1, -1)]
    return mirrored + [each.swapaxes(-1, -2) for each in mirrored]


def _mostly_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether much of what is not the ground of either is the same in both: something else was put over the rest."""
    ground = np.median(one, axis=(1, 2), keepdims=True)
    shown = (np.abs(one - ground) > _LEVELS) | (np.abs(other - ground) > _LEVELS)
    same = shown & (np.abs(one.astype(np.int16) - other) <= _LEVELS)
    return np.asarray(same.sum(axis=(1, 2)) >= np.maximum(1, _SHARE * shown.sum(axis=(1, 2))))


def _halved(light: NDArray[np.uint8]) -> Floats:
    return np.asarray(light.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4)), np.float32)


def _likeness_cut(whole: Floats, cut: Floats) -> Floats:
    """For each pair, halved, the highest correlation of a part of the first with the second, in any of the turns."""
    rows = whole[:, np.newaxis] @ _WINDOWS.swapaxes(1, 2)
    parts = _WINDOWS[:, np.newaxis] @ rows[:, np.newaxis]  # (n, windows, windows, side, side)
    turned = np.stack(_turned(_standard(cut)), axis=1).reshape(len(cut), TURNS, -1)
    standard = _standard(parts.reshape(-1, *cut.shape[1:])).reshape(len(whole), -1, turned.shape[-1])
    return np.asarray((standard @ turned.swapaxes(1, 2)).max(axis=(1, 2)))


def _windows(side: int) -> Floats:
    """Matrices (n, side, side) that take what is left of a row when its ends are cut off, and stretch it again."""
    matrices = []
    for first in _CUTS:
        for last in _CUTS:
            edges = side * (first + (1 - first - last) * np.arange(side + 1) / side)
            covered = np.minimum(edges[1:, None], np.arange(1, side + 1)) - np.maximum(
                edges[:-1, None], np.arange(side)
            )
            matrices.append(np.maximum(covered, 0) / np.diff(edges)[:, None])
    return np.array(matrices, np.float32)


_WINDOWS = _windows(SIDE // 2)


def _standard(light: NDArray[np.uint8] | Floats) -> Floats:
    """With mean 0 and length 1."""
    whole = light.astype(np.float32)
    whole -= whole.mean(axis=(1, 2), keepdims=True)
    length = np.sqrt(np.einsum("nij,nij->n", whole, whole))[:, np.newaxis, np.newaxis]
    return np.asarray(whole / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
