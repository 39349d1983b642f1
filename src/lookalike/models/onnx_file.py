"""Any ONNX file as a model: what it takes and gives is looked up in it, what it does not say is in the model's name."""

from __future__ import annotations

import hashlib
import math
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, ModelError
from lookalike.fitting import Filter, Fit, Input
from lookalike.models.notify import in_short
from lookalike.models.onnx import BATCH, Sessions, cores
from lookalike.models.onnx_wire import require_whole
from lookalike.models.pixels import IMAGENET_MEAN, IMAGENET_STD, Pixels, Triple, preparation, require_pictures
from lookalike.models.spec import Spec

_LAYOUTS = {"nchw": 1, "nhwc": 3}  # by the axis of the channels
_LARGEST = 1 << 31  # bytes; protobuf's limit
_OF_FLOATS = ("range", "mean", "std")


class _Node(Protocol):
    """An input or output, as onnxruntime tells it; a size that is not fixed is a name or None."""

    name: str
    type: str
    shape: list[int | str | None]


@dataclass(frozen=True)
class _Face:
    """What an ONNX file takes and gives.

    Attributes:
        batch: pictures at once, where the file fixes that.
        levels: it takes uint8.
    """

    taken: str
    given: str
    layout: str
    batch: int | None
    levels: bool
    input: Input
    pixels: Pixels

    def feed(self, part: NDArray[np.uint8]) -> NDArray[Any]:
        """What the file takes of some pictures, (n, side, side, 3) uint8 RGB."""
        numbers: NDArray[Any] = part.transpose(0, 3, 1, 2) if self.levels else self.pixels.numbers(part)
        if self.levels and self.pixels.bgr:
            numbers = numbers[:, ::-1]
        return np.ascontiguousarray(numbers if self.layout == "nchw" else numbers.transpose(0, 2, 3, 1))


class OnnxFile:
    """A model in an ONNX file that someone names; read when it is first needed.

    It takes one batch of pictures, float32 or uint8, NCHW or NHWC, of any number or a fixed one, and gives a vector for
    each. A picture's vector does not depend on the batch it is in, to within rounding. Several threads may embed at
    once, and so may a forked child.
    """

    lazy = True

    def __init__(self, spec: Spec) -> None:
        """The model that `spec` names; its options say what the file does not."""
        self.name = f"{spec}"
        self._spec = spec
        self._sha256 = ""
        self._sessions = Sessions(self._read)

    @property
    def hash(self) -> str:
        """Of all that a vector depends on: the file, what is taken of it, and what a picture becomes before."""
        face = self._face
        prepared = preparation(face.input, face.pixels)
        return hashlib.sha256(f"onnx {self._sha256} {face.given} {face.layout}\n{prepared}".encode()).hexdigest()

    @property
    def input(self) -> Input:
        return self._face.input

    @cached_property
    def dim(self) -> int:
        side = self.input.side
        dim: int = self._run(np.zeros((1, side, side, 3), np.uint8)).shape[1]
        return dim

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors of `batch`: (n, side, side, 3) uint8 RGB in, (n, dim) float32 out, for any n >= 0.

        Raises:
            ArgumentError: the batch has another dtype or shape; an option in the name does not go with the file.
            ModelError: the file is missing, damaged, takes weights from other files, or is no model of pictures.
        """
        require_pictures(batch, self.input.side)
        size = self._face.batch or BATCH
        parts = (self._run(batch[start : start + size]) for start in range(0, len(batch), size))
        return np.concatenate([np.empty((0, self.dim), np.float32), *parts])

    def _run(self, part: NDArray[np.uint8]) -> NDArray[np.float32]:
        face, count = self._face, len(part)
        if face.batch and count < face.batch:
            part = np.concatenate([part, np.zeros((face.batch - count, *part.shape[1:]), np.uint8)])
        try:
            (vectors,) = self._sessions.open(cores()).run([face.given], {face.taken: face.feed(part)})
        except ModelError:
            raise
        except Exception as error:  # onnxruntime has no one base for what it raises
            raise self._refused(f"one that fails: {in_short(error)}") from error
        if vectors.ndim == 4 and vectors.shape[2:] == (1, 1):
            vectors = vectors[:, :, 0, 0]
        if vectors.ndim != 2 or len(vectors) != len(part) or vectors.dtype.kind != "f":
            raise self._refused(f"{vectors.dtype} of shape {vectors.shape} of {len(part)} pictures as {face.given}")
        return cast("NDArray[np.float32]", vectors[:count].astype(np.float32))

    def _read(self) -> bytes:
        path = self._spec.name
        try:
            if not stat.S_ISREG(os.stat(path).st_mode) or os.path.getsize(path) > _LARGEST:
                raise self._refused("no file, or one of more than 2 GiB, which ONNX does not know")
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise ModelError(
                f"expected an ONNX file at {path}, received {error.strerror!r}; say where it is now"
            ) from error
        sha256 = hashlib.sha256(data).hexdigest()
        if self._sha256 not in ("", sha256):
            raise self._refused("another one than before")
        require_whole(data, path)
        self._sha256 = sha256
        return data

    @cached_property
    def _face(self) -> _Face:
        try:
            session = self._sessions.open(cores())
        except ModelError:
            raise
        except Exception as error:
            raise self._refused(in_short(error)) from error
        taken, given = self._taken(session), self._given(session)
        layout = self._layout(taken)
        axis = _LAYOUTS[layout]
        sides = [size for place, size in enumerate(taken.shape) if place not in (0, axis)]
        levels, batch = taken.type == "tensor(uint8)", taken.shape[0]
        batch = batch if isinstance(batch, int) and batch > 0 else None
        return _Face(taken.name, given, layout, batch, levels, self._fit(sides), self._pixels(levels))

    def _taken(self, session: Any) -> _Node:
        inputs: list[_Node] = session.get_inputs()
        taken = inputs[0] if len(inputs) == 1 else None
        if taken is None or len(taken.shape) != 4 or taken.type not in ("tensor(float)", "tensor(uint8)"):
            raise self._refused(f"one that takes {_listed(inputs)}; save the part alone that takes pictures")
        return taken

    def _given(self, session: Any) -> str:
        outputs, wanted = session.get_outputs(), self._spec.get("output")
        names: list[str] = [output.name for output in outputs]
        if wanted is None and len(outputs) == 1:
            return names[0]
        if wanted is None or wanted not in names:
            raise ModelError(
                f"expected which of its outputs is the vector of {self._spec.name}, of {_listed(outputs)}, received "
                f"{wanted!r}; write it behind the path as ?output=NAME"
            )
        return wanted

    def _layout(self, taken: _Node) -> str:
        wanted = self._spec.get("layout")
        fitting = [name for name, axis in _LAYOUTS.items() if taken.shape[axis] == 3]
        possible = [name for name, axis in _LAYOUTS.items() if not isinstance(taken.shape[axis], int)] + fitting
        if wanted is None and len(fitting) == 1:
            return fitting[0]
        if wanted is None or wanted not in possible:
            raise ModelError(
                f"expected {' or '.join(possible) or '3 channels'} as the layout of {_listed([taken])} of "
                f"{self._spec.name}, received {wanted!r}; write it behind the path as ?layout=NAME"
            )
        return wanted

    def _fit(self, sides: Sequence[int | str | None]) -> Input:
        fixed = {size for size in sides if isinstance(size, int) and size > 0}
        wanted = self._whole("side")
        side = next(iter(fixed), None) if wanted is None else wanted
        if side is None or not fixed <= {side}:
            raise ModelError(
                f"expected squares as the pictures of {self._spec.name}, whose input has the sides {sides}, received "
                f"the side {side}; write it behind the path as ?side=224"
            )
        fit, filter = self._spec.get("fit") or "crop", self._spec.get("filter") or "bicubic"
        return Input(side, cast(Fit, fit), self._whole("shorter"), cast(Filter, filter), exact=True)

    def _pixels(self, levels: bool) -> Pixels:
        ignored = [option for option in _OF_FLOATS if levels and self._spec.get(option)]
        if ignored:
            raise ArgumentError(
                f"expected no {ignored[0]} for {self._spec.name}, which takes levels of 0 to 255 as they are, received "
                f"{self._spec.get(ignored[0])}; leave it out"
            )
        (top,) = self._numbers("range", 1) or (1.0,)
        mean, std = self._numbers("mean", 3) or IMAGENET_MEAN, self._numbers("std", 3) or IMAGENET_STD
        return Pixels(cast(Triple, mean), cast(Triple, std), top, self._spec.get("bgr") is not None)

    def _whole(self, option: str) -> int | None:
        given = self._spec.get(option)
        if given is None:
            return None
        if not given.isdecimal():
            raise self._no_number(option, given)
        return int(given)

    def _numbers(self, option: str, count: int) -> tuple[float, ...] | None:
        """So many numbers, or one that stands for all."""
        given = self._spec.get(option)
        if given is None:
            return None
        try:
            numbers = tuple(float(number) for number in given.split(","))
        except ValueError:
            raise self._no_number(option, given) from None
        if (
            len(numbers) not in (1, count)
            or not all(map(math.isfinite, numbers))
            or (option != "mean" and min(numbers) <= 0)
        ):
            raise self._no_number(option, given)
        return numbers if len(numbers) == count else numbers * count

    def _no_number(self, option: str, given: str) -> ArgumentError:
        return ArgumentError(f"expected numbers as in {_EXAMPLES[option]}, received {option}={given}; correct it")

    def _refused(self, received: str) -> ModelError:
        return ModelError(f"expected an ONNX model of pictures at {self._spec.name}, received {received}")


_EXAMPLES = {
    "side": "side=224",
    "shorter": "shorter=256",
    "range": "range=255",
    "mean": "mean=0.485,0.456,0.406",
    "std": "std=0.229,0.224,0.225",
}


def _listed(nodes: Sequence[_Node]) -> str:
    return ", ".join(f"{node.name} ({node.type.removeprefix('tensor(').rstrip(')')} {node.shape})" for node in nodes)
