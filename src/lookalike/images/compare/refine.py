"""A guessed frame made exact: Gauss-Newton steps on where the cropped picture's edges lie (Lucas and Kanade, 1981)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lookalike.images.compare.align import Box, gray

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Gray = NDArray[np.float32]

_SIDES = (64, 160, 400, 1000)  # longer edge of what is compared, coarse to fine: each starts within a pixel or two
_STEPS = 6
_STILL = 0.01  # pixels of a step that changes nothing any more
_MARGIN = 2  # of a scene's resolution above that of what is compared
_WHOLE_PIXEL = 0.2  # of the scene: edges found as near as this to whole pixels are on them
_FURTHEST = 3.0  # pixels that one step moves an edge: beyond it the linear model says nothing


def refine(scene: Image.Image, part: Image.Image, box: Box) -> Box:
    """Where in the scene the part lies, both in mode L, near where it was guessed; within a hundredth of its pixels.

    A cropped picture was cut at whole pixels: where the scene is what it was cut from, the edges are whole numbers.
    """
    previous = 0
    for side in _SIDES:
        scale = min(1.0, side / max(part.size))
        size = max(1, round(part.width * scale)), max(1, round(part.height * scale))
        if max(size) == previous:
            break
        previous = max(size)
        target = gray(part if size == part.size else part.resize(size, Image.Resampling.BOX, reducing_gap=3.0))
        box = _steps(scene, target, box)
    edges = [round(edge) for edge in box]
    if (box.right - box.left) / part.width > 0.95 and all(
        abs(edge - whole) < _WHOLE_PIXEL for edge, whole in zip(box, edges, strict=True)
    ):
        return Box(*map(float, edges))
    return box


def _steps(scene: Image.Image, target: Gray, box: Box) -> Box:
    width = target.shape[1]
    shrink = int((box.right - box.left) / (_MARGIN * width))
    if shrink > 1:
        near = scene.reduce(shrink)
        extent = scene.width / shrink, scene.height / shrink
        moved = _walk(near, extent, target, Box(*(edge / shrink for edge in box)))
        return Box(*(edge * shrink for edge in moved))
    return _walk(scene, scene.size, target, box)


def _walk(scene: Image.Image, extent: tuple[float, float], target: Gray, box: Box) -> Box:
    height, width = target.shape
    u = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
    v = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    for _ in range(_STEPS):
        shown = gray(scene.resize((width, height), Image.Resampling.BICUBIC, box))
        shown, residual = _levelled(shown, target)
        down, across = np.gradient(shown) if min(shown.shape) > 1 else (shown * 0, shown * 0)
        spread = 1.5 * float(np.median(np.abs(residual))) + 1.0
        weight = np.minimum(1.0, spread / np.maximum(np.abs(residual), 1e-6))  # Huber: an edit does not pull
        columns = [across * (1 - u), down * (1 - v), across * u, down * v]
        normal = np.array([[float((a * b * weight).sum()) for b in columns] for a in columns])
        right = np.array([float((a * residual * weight).sum()) for a in columns])
        normal += np.eye(4) * (1e-3 * float(np.trace(normal)) / 4 + 1e-6)
        step = np.clip(np.linalg.solve(normal, right), -_FURTHEST, _FURTHEST)
        across_scale, down_scale = (box.right - box.left) / width, (box.bottom - box.top) / height
        moved = [
            edge + float(by) * (across_scale if i % 2 == 0 else down_scale)
            for i, (edge, by) in enumerate(zip(box, step, strict=True))
        ]
        box = _within(moved, extent)
        if float(np.abs(step).max()) < _STILL:
            break
    return box


def _within(edges: list[float], extent: tuple[float, float]) -> Box:
    left, top, right, bottom = edges
    left, top = min(max(left, 0.0), extent[0] - 1), min(max(top, 0.0), extent[1] - 1)
    return Box(
        max(left, 0.0), max(top, 0.0), min(max(right, left + 1), extent[0]), min(max(bottom, top + 1), extent[1])
    )


def _levelled(shown: Gray, target: Gray) -> tuple[Gray, Gray]:
    """What is shown with the target's brightness and contrast, and what the target has beyond it."""
    a, b = shown - shown.mean(), target - target.mean()
    gain = float((a * b).sum()) / max(float(np.square(a).sum()), 1e-6)
    levelled = a * gain
    return levelled, b - levelled
