"""What a model is, and the models known by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, ModelError
from lookalike.fitting import Input

DEFAULT = "efficientnet-lite0"


class Model(Protocol):
    """Turns pictures into vectors; anything with these attributes is one.

    Attributes:
        name: what `get_model` knows it by.
        hash: changes whenever the same picture would get another vector; an index
            remembers it with the name, and refuses queries of any other.
        dim: dimensions of a vector.
        input: the pictures that it takes.
    """

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def input(self) -> Input: ...

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors of `batch`: (n, side, side, 3) uint8 RGB in, (n, dim) float32 out, for any n >= 0."""
        ...


def register(name: str, factory: Callable[[], Model]) -> None:
    """Make a model known to `get_model` by `name`; `factory` runs when it is first asked for.

        lookalike.models.register("mine", MyModel)

    Raises:
        ArgumentError: the name is taken.
    """
    if name in _factories:
        raise ArgumentError(f"expected a new model name, received {name!r}, which is taken; choose another")
    _factories[name] = factory


def get_model(name: str = DEFAULT) -> Model:
    """The model called `name`; the same object each time.

    Cheap: the default model reads its weights when it first embeds.

        vectors = get_model().embed(pictures)

    Raises:
        ModelError: no model has that name; the message lists those known.
    """
    if name not in _models:
        if name not in _factories:
            known = ", ".join(sorted(_factories))
            raise ModelError(f"expected a known model ({known}), received {name!r}; choose one or register it")
        _models[name] = _factories[name]()
    return _models[name]


def _efficientnet_lite0() -> Model:
    from lookalike.models.onnx import efficientnet_lite0

    return efficientnet_lite0()


_factories: dict[str, Callable[[], Model]] = {DEFAULT: _efficientnet_lite0}
_models: dict[str, Model] = {}
