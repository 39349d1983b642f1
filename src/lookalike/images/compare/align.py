"""Where a picture lies in another: turned, mirrored, resized, cropped.

A *frame* says so: the turn that brings the larger picture upright as the smaller is, and the part of each that both
show. One of the two is always shown in full. Frames are guessed at thumbnails by normalised correlation, which neither
brightness nor contrast changes, and made exact by Gauss-Newton steps on what differs (Lucas and Kanade, 1981).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray = NDArray[np.float32]

TURNS: tuple[Image.Transpose | None, ...] = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)
"""What may have been done to the larger picture; of equally good ones the first is taken."""

_SIDEWAYS = (2, 4, 6, 7)
_SIDE = 48  # of thumbnails on which crops are looked for: a tenth of it is 5 pixels
_LEAST = 0.8  # of the width and height that a cropped picture keeps: a tenth of it lost on each side
_ALIKE = 0.55  # correlation of thumbnails below which a frame is not followed up; copies have 0.9 and more
_COVERED = 0.15  # of a picture, at most, may be covered by something else
_FOLLOWED = 2  # of the frames of each sort, at most
_TIE = 0.02  # of correlation: what recompression may change in it


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    left: float
    top: float
    right: float
    bottom: float


class Frame(NamedTuple):
    """The larger picture, once it was turned, shows within `large` what the smaller shows within `small`."""

    turn: int
    large: Box
    small: Box
    cropped: bool


def turned(image: Image.Image, turn: int) -> Image.Image:
    how = TURNS[turn]
    return image if how is None else image.transpose(how)


def unturned(box: Box, size: tuple[int, int], turn: int) -> Box:
    """Where a part of the turned picture lies in the picture of this size that was turned."""
    width, height = size
    x, y = (box.left, box.right), (box.top, box.bottom)
    if turn in _SIDEWAYS:
        x, y = y, x
    if turn in (1, 2, 3, 7):
        x = width - x[1], width - x[0]
    if turn in (3, 4, 5, 7):
        y = height - y[1], height - y[0]
    return Box(x[0], y[0], x[1], y[1])


def frames(large: Image.Image, small: Image.Image) -> list[Frame]:
    """Where two pictures in mode L may show the same, likely ones first: whole frames, then cropped ones."""
    found: list[tuple[float, Frame]] = []
    for turn in range(len(TURNS)):
        width, height = large.size[::-1] if turn in _SIDEWAYS else large.size
        if _same_shape((width, height), small.size):
            found.append((0.0, Frame(turn, Box(0, 0, width, height), Box(0, 0, *small.size), False)))
    thumbs = _thumb(large, _SIDE), _thumb(small, _SIDE)
    whole = [(_full_correlation(turned(thumbs[0], frame.turn), thumbs[1]), frame) for _, frame in found]
    return _best(whole) + _best(_crops(large.size, small.size, thumbs))


def _best(scored: list[tuple[float, Frame]]) -> list[Frame]:
    """Those nearly as good as the best; of ties the first turn."""
    scored = [item for item in scored if item[0] > _ALIKE]
    if not scored:
        return []
    most = max(score for score, _ in scored)
    close = [item for item in scored if item[0] > most - 0.1]
    close.sort(key=lambda item: (-round(item[0] / _TIE), item[1].turn))
    return [frame for _, frame in close[:_FOLLOWED]]


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one size is the other but for a scale; the smaller's width and height may be rounded up or down."""
    low = max((small - 1) / large for small, large in zip(other, one, strict=True))
    high = min((small + 1) / large for small, large in zip(other, one, strict=True))
    return low < high


def _thumb(image: Image.Image, side: int) -> Image.Image:
    """A small picture of the same shape, its longer edge `side`; smaller ones stay as they are."""
    scale = min(1.0, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image if size == image.size else image.resize(size, Image.Resampling.BOX, reducing_gap=4.0)


def gray(image: Image.Image) -> Gray:
    return np.asarray(image, dtype=np.float32)


def _full_correlation(large: Image.Image, small: Image.Image) -> float:
    if large.size != small.size:
        large = large.resize(small.size, Image.Resampling.BOX)
    return likeness(gray(large), gray(small))


def likeness(one: Gray, other: Gray) -> float:
    """The correlation, or that without the places that differ most: a sticker may lie there."""
    a, b = one - one.mean(), other - other.mean()
    off = np.abs(a * float(b.std()) - b * float(a.std()))
    kept = off <= np.quantile(off, 1 - _COVERED)
    return max(correlation(one, other), correlation(one[kept], other[kept]))


def correlation(one: Gray, other: Gray) -> float:
    """Pearson's, -1 to 1; 0 where one of them is flat."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _crops(
    large: tuple[int, int], small: tuple[int, int], thumbs: tuple[Image.Image, Image.Image]
) -> list[tuple[float, Frame]]:
    """Of each turn the best place of one within the other, whichever was cropped; sizes are those of the pictures."""
    found = []
    for turn in range(len(TURNS)):
        size = large[::-1] if turn in _SIDEWAYS else large
        thumb = turned(thumbs[0], turn)
        score, box = _place(thumb, size, thumbs[1], small)
        if score > _ALIKE:
            found.append((score, Frame(turn, box, Box(0, 0, *small), True)))
        score, box = _place(thumbs[1], small, thumb, size)
        if score > _ALIKE:
            found.append((score, Frame(turn, Box(0, 0, *size), box, True)))
    return found


def _place(
    scene: Image.Image, scene_size: tuple[int, int], part: Image.Image, part_size: tuple[int, int]
) -> tuple[float, Box]:
    """Where the part correlates best with the scene, among all scales and places that a crop may have."""
    shape = part_size[0] / scene_size[0], part_size[1] / scene_size[1]
    most, least = 1 / max(shape), _LEAST / min(shape)  # of the scale from the part's pixels to the scene's
    best, where = 0.0, Box(0, 0, *scene_size)
    if least > most:
        return best, where
    pixels = gray(scene)
    tried = set()
    for scale in np.linspace(most, least, max(2, round((1 - _LEAST) * _SIDE))):
        width = min(scene.width, max(1, round(scene.width * shape[0] * scale)))
        height = min(scene.height, max(1, round(scene.height * shape[1] * scale)))
        if (width, height) in tried:
            continue
        tried.add((width, height))
        scores = _slide(pixels, gray(part.resize((width, height), Image.Resampling.BOX)))
        at = int(scores.argmax())
        if scores.flat[at] > best:
            best = float(scores.flat[at])
            y, x = divmod(at, scores.shape[1])
            across, down = scene_size[0] / scene.width, scene_size[1] / scene.height
            where = Box(x * across, y * down, (x + width) * across, (y + height) * down)
    return best, where


def _slide(scene: Gray, part: Gray) -> Gray:
    """The correlation of the part with each place of the scene."""
    windows = np.lib.stride_tricks.sliding_window_view(scene, part.shape)
    rows = windows.reshape(windows.shape[0] * windows.shape[1], -1)
    centred = (part - part.mean()).ravel()
    spread = rows.std(axis=1) * np.sqrt(rows.shape[1] * float(np.square(centred).sum()))
    scores = np.where(spread > 0, rows @ centred / np.maximum(spread, 1e-6), 0)
    return scores.reshape(windows.shape[:2]).astype(np.float32)
