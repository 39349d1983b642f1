"""The name of a model, and what it says.

    NAME[?OPTION[&OPTION]...]        vgg16:fc7?bgr&weights=/home/me/vgg.safetensors
                                     /home/me/features.onnx?side=224&mean=0.5&std=0.5

In a path or a value, `%`, `?`, `&` and what cannot be shown are written %25, %3F, %26, %0A; all else as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast
from urllib.parse import quote, unquote_to_bytes

from lookalike.errors import ArgumentError, ModelError
from lookalike.hashing.perceptual import HASHES, SIZES
from lookalike.names import is_possible

Kind = Literal["vgg16", "torchvision", "timm", "clip", "onnx", "hash"]

LAYERS = ("conv5_3", "conv5_3-flat", "fc7")
"""Of VGG16; the first is the one meant by `vgg16` alone."""

FORMS = (
    "vgg16",
    *(f"vgg16:{layer}" for layer in LAYERS[1:]),
    "torchvision:NAME",
    "timm:NAME",
    "clip:NAME",
    *HASHES,
    "FILE.onnx",
)
"""What names look like, beside those that are registered."""

_OPTIONS: dict[Kind, tuple[str, ...]] = {
    "vgg16": ("bgr", "weights"),
    "torchvision": ("weights",),
    "timm": ("weights",),
    "clip": ("weights",),
    "onnx": ("output", "layout", "side", "fit", "shorter", "filter", "range", "mean", "std", "bgr"),
    "hash": (),
}
_FLAGS = ("bgr",)  # options without a value


@dataclass(frozen=True)
class Spec:
    """Which model, and how it is used: all that its vectors depend on, but for what is in its files.

    Attributes:
        name: the layer of VGG16, a name of torchvision, timm or open_clip, the absolute path of an ONNX file, or a
            perceptual hash with its bits, as "phash:256".
        options: names and values, in one order for each kind; `weights` is an absolute path, a flag has no value.
    """

    kind: Kind
    name: str
    options: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def parse(text: str, registered: Iterable[str] = ()) -> Spec:
        """What a name says; paths in it are made absolute here, `~` in them is not expanded.

            >>> Spec.parse("vgg16:conv5_3?weights=/home/me/100%25.pth")
            Spec(kind='vgg16', name='conv5_3', options=(('weights', '/home/me/100%.pth'),))

        Raises:
            ModelError: no kind of model is called so, or VGG16 has no such layer; the `registered` are named, too.
            ArgumentError: an option that the kind has not, that is given twice, or that lacks its value.
        """
        head, _, tail = text.partition("?")
        kind, name = _kind_and_name(head, (*registered, *FORMS))
        options: dict[str, str] = {}
        for part in tail.split("&") if tail else ():
            option, _, value = part.partition("=")
            if option not in _OPTIONS[kind] or option in options or bool(value) == (option in _FLAGS):
                known = ", ".join(known if known in _FLAGS else f"{known}=..." for known in _OPTIONS[kind]) or "nothing"
                raise ArgumentError(
                    f"expected after the ? of a model of this kind, each at most once: {known}, received {part!r} in "
                    f"{text!r}; in a path % is written %25, ? is %3F and & is %26"
                )
            options[option] = _path(_plain(value)) if option == "weights" else _plain(value)
        return Spec(kind, name, tuple((option, options[option]) for option in _OPTIONS[kind] if option in options))

    def __str__(self) -> str:
        head = _escaped(self.name) if self.kind == "onnx" else f"{self.kind}:{_escaped(self.name)}"
        if (self.kind, self.name) == ("vgg16", LAYERS[0]):
            head = "vgg16"
        if self.kind == "hash":
            head = self.name.removesuffix(f":{SIZES[-1]}")
        parts = (option if option in _FLAGS else f"{option}={_escaped(value)}" for option, value in self.options)
        return "?".join(filter(None, (head, "&".join(parts))))

    @property
    def network(self) -> str:
        """The network without its weights: of timm's names the part before the tag, of an ONNX file nothing."""
        if self.kind == "hash":
            return self.name
        ends = {"torchvision": "/", "clip": "/", "timm": "."}
        return "" if self.kind == "onnx" else self.name.partition(ends.get(self.kind, "/"))[0]

    def get(self, option: str) -> str | None:
        """Its value; of a flag an empty one, and None where it is not given."""
        return dict(self.options).get(option)

    @property
    def file(self) -> str | None:
        """The file that its weights are in, where it names one."""
        return self.name if self.kind == "onnx" else self.get("weights")


def name_of(model: str, weights: str | None = None, bgr: bool = False) -> str:
    """The name of a model as someone types it: `weights`, and `model` where it is a file, are paths as they are.

    Raises:
        ModelError, ArgumentError: as `Spec.parse`.
    """
    name = _escaped(model) if model.lower().endswith(".onnx") and os.path.isfile(model) else model
    added = [*(["bgr"] if bgr else []), *([f"weights={_escaped(weights)}"] if weights is not None else [])]
    return str(Spec.parse(f"{name}{'&' if '?' in name else '?'}{'&'.join(added)}")) if added else name


def unknown(name: str, known: Sequence[str], what: str = "model") -> ModelError:
    """The error for a name that is none, with the nearest of those known; with all of them, where they are few."""
    listed = f" ({', '.join(known)})" if len(known) <= 20 else ""
    near = get_close_matches(name, known, n=3)
    advice = f"did you mean {' or '.join(near)}?" if near else "name one of them"
    return ModelError(f"expected a known {what}{listed}, received {name!r}; {advice}")


def _kind_and_name(head: str, known: Sequence[str]) -> tuple[Kind, str]:
    prefix, _, name = head.partition(":")
    if prefix == "vgg16":
        layer = name or LAYERS[0]
        if layer not in LAYERS:
            raise unknown(layer, LAYERS, "layer of vgg16")
        return "vgg16", layer
    if prefix in HASHES:
        sizes = [str(size) for size in SIZES]
        if (size := name or sizes[-1]) not in sizes:
            raise unknown(size, sizes, f"number of bits of {prefix}")
        return "hash", f"{prefix}:{size}"
    if prefix in ("torchvision", "timm", "clip") and name:
        return cast(Kind, prefix), _plain(name)
    if head.lower().endswith(".onnx"):
        return "onnx", _path(_plain(head))
    raise unknown(head, known)


def _path(given: str) -> str:
    if not is_possible(given):
        raise ArgumentError(f"expected the path of a file, received {given!r}, as no file can be called; name another")
    return os.path.abspath(given)


def _plain(value: str) -> str:
    return os.fsdecode(unquote_to_bytes(os.fsencode(value)))


def _escaped(value: str) -> str:
    return "".join(
        quote(os.fsencode(character), safe="") if character in "%?&" or not character.isprintable() else character
        for character in value
    )
