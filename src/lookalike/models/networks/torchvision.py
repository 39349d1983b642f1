"""Classifiers of torchvision, up to what their last layer takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lookalike.errors import ModelError
from lookalike.fitting import Input
from lookalike.models.networks import weights
from lookalike.models.networks.downloads import from_url
from lookalike.models.networks.needs import require_extra
from lookalike.models.networks.network import Network
from lookalike.models.notify import Notify
from lookalike.models.pixels import Pixels
from lookalike.models.spec import Spec, unknown

_AS_TRAINED = {
    # what torchvision's own loading of trained weights sets, too
    "googlenet": {"transform_input": True, "aux_logits": False, "init_weights": False},
    "inception_v3": {"transform_input": True, "aux_logits": False, "init_weights": False},
}
_ONLY_IN_TRAINING = ("aux1.", "aux2.", "AuxLogits.")
_OLD_DENSENET = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")


def load(spec: Spec, notify: Notify) -> Network:
    """`NAME` or `NAME/TAG`, as `resnet50/IMAGENET1K_V2`: its vector is what the last layer, a Linear, takes.

    The last layer is the last one in the network that has weights. The tag says which weights are fetched, and how a
    picture is prepared; without one it is torchvision's DEFAULT.

    Raises:
        MissingExtraError, ModelError: as `NetworkModel.embed`; or the last layer is no Linear.
    """
    require_extra("torch", "torchvision", "safetensors")
    name, _, tag = spec.name.partition("/")
    fit, pixels = _preprocessing(name, tag)
    path = spec.get("weights") or fetch(name, tag, f"{spec}", notify)
    module = _module(name, tag)
    last = _without_last(module, f"{spec}")
    given = {
        _OLD_DENSENET.sub(r"\1\2", key): tensor
        for key, tensor in weights.read(path).items()
        if not key.startswith((*_ONLY_IN_TRAINING, f"{last}."))
    }
    weights.fill(module, given, path, f"{spec}")
    return Network(module, module, fit, pixels, f"torchvision:{name} before {last}", path)


def _preprocessing(name: str, tag: str) -> tuple[Input, Pixels]:
    """How torchvision prepares a picture for the weights `tag` of a model."""
    preset = _weights(name, tag).transforms()
    (size,), (shorter,), filter = preset.crop_size, preset.resize_size, preset.interpolation.value
    if not (preset.antialias and filter in ("bicubic", "bilinear")):
        raise ModelError(
            f"expected a bicubic or bilinear, antialiased resize for {name}, received {filter}; use another"
        )
    return Input(size, "crop", shorter, filter, exact=True), Pixels(tuple(preset.mean), tuple(preset.std))


def fetch(name: str, tag: str, model: str, notify: Notify) -> str:
    """The path of torchvision's weights, fetched where they are not in the cache; ModelError where they cannot be."""
    found = _weights(name, tag)
    return from_url(found.url, round(found.meta["_file_size"] * 2**20), model, notify)


def _weights(name: str, tag: str) -> Any:
    from torchvision import models

    names = models.list_models(module=models)
    if name not in names:
        raise unknown(name, names, "classifier of torchvision")
    tags = models.get_model_weights(name)
    if tag and tag not in tags.__members__:
        raise unknown(tag, list(tags.__members__), f"name of weights of {name}")
    return tags[tag] if tag else tags.DEFAULT


def _module(name: str, tag: str) -> Any:
    import torch
    from torchvision import models

    found = _weights(name, tag)
    arguments: Mapping[str, Any] = _AS_TRAINED.get(name, {})
    if name.startswith("vit_"):
        arguments = {"image_size": found.meta["min_size"][0]}
    with torch.random.fork_rng(devices=[]):
        return models.get_model(name, weights=None, **arguments)


def _without_last(module: Any, model: str) -> str:
    """Take the last layer away; its name."""
    from torch import nn

    with_weights = [(name, layer) for name, layer in module.named_modules() if [*layer.parameters(recurse=False)]]
    name: str
    name, layer = with_weights[-1]
    if not isinstance(layer, nn.Linear):
        raise ModelError(
            f"expected a classifier whose last layer is a Linear, received {model}, with the {type(layer).__name__} "
            f"{name}; name another model"
        )
    within, _, place = name.rpartition(".")
    setattr(module.get_submodule(within), place, nn.Identity())
    return name
