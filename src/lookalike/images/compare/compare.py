"""Whether one of two whole pictures is a copy of the other, and what was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from lookalike.images.compare.align import Box, Frame, frames, gray, likeness, turned, unturned
from lookalike.images.compare.photometry import Recolouring, apart, are_untouched, recolouring, samples
from lookalike.images.compare.places import Settled, settle
from lookalike.images.compare.refine import refine
from lookalike.images.compare.resample import FILTERS, Way, expected
from lookalike.images.compare.residual import (
    Excess,
    Slack,
    exact_excess,
    jpeg_excess,
    loss_of,
    other_excess,
    recoloured_slack,
)
from lookalike.images.compare.verdict import KINDS, Change, Region, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lookalike.images.compare.whole import Encoding, Whole

    Pixels = NDArray[np.uint8]

_GLANCE = 128  # longer edge of the pictures at the first look at an aligned pair
_RELATED = 0.8  # correlation at that look; copies that one place of was edited have more
_KEPT = 0.85  # of the width and the height that a cropped picture has: "about a tenth" is lost
_WINDOW = 320  # pixels, a side, in which the filter that resized is chosen
_RECOLOURED = 0.01  # of the blocks, at least, show that colours were changed
_EDITED = 16.0  # levels: what differs by more tells of an edit, not of the filter
_SCATTERED, _SCATTERED_RESIZED = 0.06, 0.1  # shares of blocks: the second for filters that are known about
_MIRRORED, _ROTATED = (1, 5, 6, 7), (2, 3, 4, 6, 7)  # turns


class _Aligned(NamedTuple):
    """How two pictures lie: what the copy shows, and the box of the original, upright like it, that it shows."""

    original: Image.Image
    box: Box
    copy: Pixels
    offset: tuple[int, int]
    encoding: Encoding
    frame: Frame
    direct: bool
    loss: tuple[NDArray[np.float32], NDArray[np.float32]]


class _Found(NamedTuple):
    rank: int
    verdict: Verdict
    place: Box | None
    frame: Frame | None
    over: float


_NOTHING = _Found(0, Verdict("different"), None, None, 0.0)


def compare(one: Whole, other: Whole) -> Verdict:
    """How two pictures are related, whichever of them is the copy; "different" also where that cannot be told.

    The order of the two changes only in which of them a region lies.
    """
    if one.sha256 == other.sha256:
        return Verdict("same pixels")
    found = _related(one, other)
    if found.kind != "different" and one.over_black is not None and other.over_black is not None:
        # white on transparent ground is nothing over white: what is a copy is one over both
        over_black = _related(one._replace(pixels=one.over_black), other._replace(pixels=other.over_black))
        return max(found, over_black, key=lambda verdict: KINDS.index(verdict.kind))
    return found


def _related(one: Whole, other: Whole) -> Verdict:
    small, large = sorted((one, other), key=_copy_first)
    found = _judged(large, small)
    if found.rank < 2 and sorted(large.pixels.shape) == sorted(small.pixels.shape):
        swapped = _judged(small, large)
        if swapped.rank > found.rank:
            found, small, large = swapped, large, small
    if found.place is None or found.frame is None:
        return found.verdict
    return found.verdict._replace(region=_region(found.place, found.frame, small, large, in_copy=other is small))


def _copy_first(picture: Whole) -> tuple[int, int, bytes]:
    """The smaller one is likelier the copy; of one size that which lost more."""
    encoding = picture.encoding
    return picture.width * picture.height, -sum(encoding.luma or (int(encoding.lossy),)), picture.sha256


def _judged(large: Whole, small: Whole) -> _Found:
    """With the large picture as the original."""
    picture, copy = Image.fromarray(large.pixels), Image.fromarray(small.pixels)
    grays = picture.convert("L"), copy.convert("L")
    best = _NOTHING
    for frame in frames(*grays):
        if frame.cropped and best.rank:
            break  # a place that was edited in whole pictures explains more than a crop would
        aligned = _align(frame, picture, grays, large.encoding, small)
        if aligned is None:
            continue
        found = _compared(aligned)
        if found.rank > best.rank:
            best = found
        if best.rank == 2:
            break
    return best


def _align(
    frame: Frame, picture: Image.Image, grays: tuple[Image.Image, Image.Image], packed: Encoding, small: Whole
) -> _Aligned | None:
    """The frame made exact; None where its parts are not even alike at a glance."""
    upright = turned(grays[0], frame.turn)
    box, part = frame.large, frame.small
    if frame.cropped:
        if part.right - part.left == grays[1].width and part.bottom - part.top == grays[1].height:
            box = refine(upright, grays[1], box)
        else:
            part = refine(grays[1], upright, part)
            box, part = _whole_pixels(upright.size, part)
        frame = frame._replace(large=box, small=part)
        if _is_whole(upright.size, box) and _is_whole(grays[1].size, part):
            return None  # which was tried as such
        if not _keeps_enough(upright.size, box) or not _keeps_enough(grays[1].size, part):
            return None
    scale = min(1.0, _GLANCE / max(part.right - part.left, part.bottom - part.top))
    size = max(1, round((part.right - part.left) * scale)), max(1, round((part.bottom - part.top) * scale))
    shown = [
        gray(image.resize(size, Image.Resampling.BOX, where, reducing_gap=3.0))
        for image, where in ((upright, box), (grays[1], part))
    ]
    if likeness(*shown) < _RELATED:
        return None
    left, top, right, bottom = (int(edge) for edge in part)
    copy = small.pixels[top:bottom, left:right]
    across, down = small.encoding.corner
    encoding = small.encoding._replace(corner=((across - left) % 8, (down - top) % 8))
    if small.width * small.height != small.pixels.shape[0] * small.pixels.shape[1]:
        encoding = encoding._replace(luma=None, chroma=None)  # averaged: its tables no longer tell
    direct = box == Box(*map(round, box)) and (box.right - box.left, box.bottom - box.top) == copy.shape[1::-1]
    loss = loss_of(packed, (box.right - box.left) / copy.shape[1])
    return _Aligned(turned(picture, frame.turn), box, copy, (left, top), encoding, frame, direct, loss)


def _whole_pixels(large: tuple[int, int], part: Box) -> tuple[Box, Box]:
    """A part of the small picture cut to whole pixels, and what the large one, which shows the part, shows of it."""
    width, height = part.right - part.left, part.bottom - part.top
    inner = Box(*(float(round(edge)) for edge in part))
    across, down = large[0] / width, large[1] / height
    box = Box(
        max(0.0, (inner.left - part.left) * across),
        max(0.0, (inner.top - part.top) * down),
        min(float(large[0]), (inner.right - part.left) * across),
        min(float(large[1]), (inner.bottom - part.top) * down),
    )
    return box, inner


def _is_whole(size: tuple[int, int], box: Box) -> bool:
    return size[0] - (box.right - box.left) < 0.5 and size[1] - (box.bottom - box.top) < 0.5


def _keeps_enough(size: tuple[int, int], box: Box) -> bool:
    return box.right - box.left >= _KEPT * size[0] and box.bottom - box.top >= _KEPT * size[1]


def _compared(aligned: _Aligned) -> _Found:
    """At the copy's own resolution, with its colours as they are and, where these differ, undone."""
    resample = None if aligned.direct else Image.Resampling.LANCZOS
    size = aligned.copy.shape[1], aligned.copy.shape[0]
    plain = samples(expected(aligned.original, aligned.box, size, Way(resample)), aligned.copy)
    best, off = _NOTHING, apart(plain)
    if are_untouched(plain):
        best = _tried(aligned, None)
    is_small = best.rank == 1 and best.over < _RECOLOURED  # a digit that curves of colours would half explain
    if best.rank < 2 and off > 0.5 and not is_small:
        change = recolouring(plain)
        if change is not None:
            found = _tried(aligned, change)
            best = max(best, found, key=lambda item: item.rank)
    return best


def _tried(aligned: _Aligned, change: Recolouring | None) -> _Found:
    size = aligned.copy.shape[1], aligned.copy.shape[0]
    way = _best_way(aligned, change)
    shown = expected(aligned.original, aligned.box, size, way)
    settled = settle(
        _excess(shown, aligned.copy, aligned, way), size, _SCATTERED if aligned.direct else _SCATTERED_RESIZED
    )
    return _answer(settled, aligned, change)


def _answer(settled: Settled, aligned: _Aligned, change: Recolouring | None) -> _Found:
    if settled.answer == "different":
        return _Found(0, Verdict("different"), None, None, settled.over)
    changes: list[Change] = []
    if aligned.frame.turn in _MIRRORED:
        changes.append("mirrored")
    if aligned.frame.turn in _ROTATED:
        changes.append("rotated")
    if aligned.frame.cropped:
        changes.append("cropped")
    if change is not None and not change.slight:
        changes.append("recoloured")
    if settled.place is not None:
        left, top = aligned.offset
        place = Box(*(edge + by for edge, by in zip(settled.place, (left, top, left, top), strict=True)))
        return _Found(1, Verdict("edited", tuple(changes)), place, aligned.frame, settled.over)
    kind = Verdict("altered", tuple(changes)) if changes else Verdict("resized or recompressed")
    return _Found(2, kind, None, None, settled.over)


def _excess(shown: Pixels, copy: Pixels, aligned: _Aligned, way: Way) -> Excess:
    encoding = aligned.encoding
    slack = Slack(detail=0.0 if aligned.direct else 0.04, luma=aligned.loss[0], chroma=aligned.loss[1])
    if way.recolouring:
        slack = recoloured_slack(slack, way.recolouring.gain)
    if encoding.luma is not None:
        return jpeg_excess(shown, copy, encoding, slack)
    if aligned.direct and not encoding.lossy and not way.recolouring and not aligned.loss[0].any():
        return exact_excess(shown, copy)
    return other_excess(shown, copy, lossy=encoding.lossy, slack=slack)


def _best_way(aligned: _Aligned, change: Recolouring | None) -> Way:
    """The filter, and the order of resizing and recolouring, that explain most of the liveliest part of the copy."""
    if aligned.direct:
        return Way(None, recolouring=change)
    height, width = aligned.copy.shape[:2]
    scale = (aligned.box.right - aligned.box.left) / width
    ways = [
        Way(resample, halved, change, first)
        for resample in FILTERS
        for halved in ((False, True) if scale >= 4 else (False,))
        for first in ((False, True) if change else (False,))
    ]
    window = _liveliest(aligned)
    left, top, right, bottom = (int(edge) for edge in window)
    part = aligned.copy[top:bottom, left:right]
    across, down = (aligned.box.right - aligned.box.left) / width, (aligned.box.bottom - aligned.box.top) / height
    box = Box(
        aligned.box.left + left * across,
        aligned.box.top + top * down,
        min(aligned.box.left + right * across, aligned.original.width),
        min(aligned.box.top + bottom * down, aligned.original.height),
    )
    scores = []
    for way in ways:
        shown = expected(aligned.original, box, (right - left, bottom - top), way)
        if aligned.encoding.luma is not None:
            corner = (aligned.encoding.corner[0] - left) % 8, (aligned.encoding.corner[1] - top) % 8
            slack = recoloured_slack(Slack(), change.gain) if change else Slack()
            excess = jpeg_excess(shown, part, aligned.encoding._replace(corner=corner), slack)
            scores.append(float(np.minimum(excess.beyond, 3).mean()))
        else:
            off = np.minimum(np.abs(shown.astype(np.float32) - part), _EDITED)
            scores.append(float(np.square(off).mean()))
    return ways[int(np.argmin(scores))]


def _liveliest(aligned: _Aligned) -> Box:
    """The place of a window in the copy that shows most detail, on the grid of its blocks."""
    height, width = aligned.copy.shape[:2]
    best, where = -1.0, (0, 0)
    for top in _starts(height, aligned.encoding.corner[1]):
        for left in _starts(width, aligned.encoding.corner[0]):
            window = aligned.copy[top : top + _WINDOW, left : left + _WINDOW, 1].astype(np.float32)
            lively = float(np.abs(np.diff(window, axis=1)).sum() + np.abs(np.diff(window, axis=0)).sum())
            if lively > best:
                best, where = lively, (left, top)
    left, top = where
    return Box(left, top, min(left + _WINDOW, width), min(top + _WINDOW, height))


def _starts(length: int, corner: int) -> list[int]:
    if length <= _WINDOW:
        return [0]
    return sorted({corner + (length - _WINDOW - corner) * i // 3 // 16 * 16 for i in range(4)})


def _region(place: Box, frame: Frame, copy: Whole, original: Whole, *, in_copy: bool) -> Region:
    """The place, in pixels of the copy, as shares of the picture that is asked for, kept within it."""
    height, width = copy.pixels.shape[:2]
    if in_copy:
        return _clipped(place, (width, height))
    large, small = frame.large, frame.small
    across = (large.right - large.left) / (small.right - small.left)
    down = (large.bottom - large.top) / (small.bottom - small.top)
    moved = Box(
        large.left + (place.left - small.left) * across,
        large.top + (place.top - small.top) * down,
        large.left + (place.right - small.left) * across,
        large.top + (place.bottom - small.top) * down,
    )
    height, width = original.pixels.shape[:2]
    return _clipped(unturned(moved, (width, height), frame.turn), (width, height))


def _clipped(box: Box, size: tuple[int, int]) -> Region:
    edges = [edge / size[i % 2] for i, edge in enumerate(box)]
    return Region(*(min(max(edge, 0.0), 1.0) for edge in edges))
