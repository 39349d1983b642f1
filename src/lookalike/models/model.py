"""What a model is, and the models known by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ArgumentError
from lookalike.fitting import Input
from lookalike.models.notify import Notify
from lookalike.models.spec import Spec

DEFAULT = "efficientnet-lite0"


class Model(Protocol):
    """Turns pictures into vectors; anything with these attributes is one.

    One that must read its weights to know more than its name has an attribute `lazy`, which is true: a collection asks
    it for nothing else before something is to be embedded.

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


class TextModel(Model, Protocol):
    """A model that knows texts, too."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of `texts`, (n, dim) float32, near by cosine to those of the pictures that they describe."""
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


def get_model(
    name: str = DEFAULT, *, device: str = "cpu", notify: Notify | None = None, hash: str | None = None
) -> Model:
    """The model called `name`; the same object each time, until a file that it names is another one.

    Cheap: weights are read when something is first embedded, or the hash, `dim` or `input` is asked for. Then they may
    be missing, damaged or of another network, which is a ModelError; or what computes them is, a MissingExtraError.

        vectors = get_model().embed(pictures)
        vectors = get_model("vgg16:fc7?weights=vgg16.safetensors", device="cuda").embed(pictures)

    Args:
        name: docs/models.md has them all; a relative path in it is one from here, and now.
        device: cpu, cuda, cuda:N or mps; for models of PyTorch alone. Never another than this is used.
        notify: is told, in one sentence, of weights before they are fetched; by default a warning is logged.
        hash: that of an earlier version of the default model, as an index remembers it; of any other model, or where
            no version has that hash, it is today's.

    Raises:
        ModelError: no model has that name; the message lists those known.
        ArgumentError: an option in the name that there is not; a device that there is not, or not for this model.
    """
    if name in _factories or name in _models:
        _require_processor(name, device)
        for make in _earlier.get(name, ()) if hash is not None else ():
            if make().hash == hash:
                name = f"{name} {hash}"
                _models.setdefault(name, make())
        if name not in _models:
            _models[name] = _factories[name]()
        return _models[name]
    spec = Spec.parse(name, sorted(_factories))
    key, signature = f"{spec} on {device}", _signature(spec.file)
    if key not in _by_spec or _by_spec[key][0] != signature:
        _by_spec[key] = signature, _made(spec, device)
    model = _by_spec[key][1]
    if notify is not None and hasattr(model, "notify"):
        model.notify = notify
    return model


def could_be(name: str, other: str) -> bool:
    """Whether the models of two names may be one, as where a file was moved; neither is loaded."""
    if name == other:
        return True
    if {name, other} & _factories.keys():
        return False
    one, another = Spec.parse(name), Spec.parse(other)
    return (one.kind, one.network) == (another.kind, another.network)


def _made(spec: Spec, device: str) -> Model:
    if spec.kind == "onnx":
        from lookalike.models.onnx_file import OnnxFile

        _require_processor(f"{spec}", device)
        return OnnxFile(spec)
    if spec.kind == "hash":
        from lookalike.models.perceptual import PerceptualHash

        _require_processor(f"{spec}", device)
        return PerceptualHash(spec)
    from lookalike.models.networks import network_model

    return network_model(spec, device)


def _require_processor(name: str, device: str) -> None:
    if device != "cpu":
        raise ArgumentError(
            f"expected the device cpu for {name}, which runs on the processor alone, received {device!r}"
        )


def _signature(file: str | None) -> str:
    """Changes with what is in a file."""
    try:
        found = os.stat(file) if file else None
    except OSError:  # said when it is read
        found = None
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}" if found else ""


def _efficientnet_lite0() -> Model:
    from lookalike.models.onnx import efficientnet_lite0

    return efficientnet_lite0()


def _efficientnet_lite0_seamless() -> Model:
    from lookalike.models.onnx import efficientnet_lite0

    return efficientnet_lite0("seamless")


_factories: dict[str, Callable[[], Model]] = {DEFAULT: _efficientnet_lite0}
_earlier: dict[str, tuple[Callable[[], Model], ...]] = {DEFAULT: (_efficientnet_lite0_seamless,)}
_models: dict[str, Model] = {}
_by_spec: dict[str, tuple[str, Model]] = {}
"""With what told their files from others when they were made."""
