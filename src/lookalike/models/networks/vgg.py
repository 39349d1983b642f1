"""VGG16 (Simonyan & Zisserman 2014, arXiv 1409.1556), as its authors trained it in Caffe, or torchvision did anew."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from lookalike.errors import ArgumentError
from lookalike.fitting import Input
from lookalike.models.networks import torchvision, weights
from lookalike.models.networks.needs import require_extra
from lookalike.models.networks.network import Network
from lookalike.models.notify import Notify
from lookalike.models.pixels import Pixels
from lookalike.models.spec import Spec

CAFFE_INPUT = Input(224, "squeeze", exact=True)
CAFFE_PIXELS = Pixels((123.68, 116.779, 103.939), (1, 1, 1), range=255, bgr=True)

ANEW_INPUT = Input(224, "crop", 256, "bilinear", exact=True)
ANEW_PIXELS = Pixels()
_ANEW_MIB, _ANEW_SHA256 = 527.796, "397923af"  # of torchvision's IMAGENET1K_V1, as it names and describes it

_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and convolutions, before each halving
_FC = 4096


def load(spec: Spec, notify: Notify) -> Network:
    """VGG16 up to a layer: conv5_3, halved by its maxima and averaged (512) or flat (25,088), or fc7 (4,096).

    A picture is squeezed to 224 x 224 by the bicubic filter, in BGR, less 103.939, 116.779, 123.68, and not scaled.
    With the weights that torchvision trained anew, known by their SHA-256, it is prepared as torchvision does.

    Raises:
        MissingExtraError, ModelError: as `NetworkModel.embed`.
        ArgumentError: BGR for weights that are known to be arranged for RGB.
    """
    require_extra("torch", "safetensors")
    given, bgr = spec.get("weights"), spec.get("bgr") is not None
    anew = _is_anew(given) if given else spec.name == "fc7"
    if bgr and (anew or not given):
        raise ArgumentError(
            f"expected bgr with weights in Caffe's order, received {given or 'those of torchvision'}, arranged for "
            "RGB; leave it out"
        )
    path = given or _fetch(spec, notify)
    fit, pixels = (ANEW_INPUT, ANEW_PIXELS) if anew else (CAFFE_INPUT, CAFFE_PIXELS)
    module = _module(spec.name)
    known = _by_torchvisions_names(weights.read(path), module)
    if not bgr and not anew and "features.0.weight" in known:
        known["features.0.weight"] = known["features.0.weight"].flip(1)  # the pictures are BGR
    weights.fill(module, known, path, f"{spec}", assign=True)
    return Network(module, _encoder(module, spec.name), fit, pixels, f"vgg16:{spec.name}", path)


def _fetch(spec: Spec, notify: Notify) -> str:
    require_extra("torchvision")
    tag = "IMAGENET1K_V1" if spec.name == "fc7" else "IMAGENET1K_FEATURES"
    return torchvision.fetch("vgg16", tag, f"{spec}", notify)


def _is_anew(path: str) -> bool:
    if not os.path.isfile(path) or round(os.path.getsize(path) / 2**20, 3) != _ANEW_MIB:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(_ANEW_SHA256)


def _module(layer: str) -> Any:
    """The network up to a layer, by torchvision's names, without weights."""
    from torch import device, nn

    with device("meta"):
        channels, features = 3, []
        for more, count in _BLOCKS:
            for _ in range(count):
                features += [nn.Conv2d(channels, more, 3, padding=1), nn.ReLU(inplace=True)]
                channels = more
            features.append(nn.MaxPool2d(2))
        module = nn.ModuleDict({"features": nn.Sequential(*features)})
        if layer == "fc7":
            first, second = nn.Linear(channels * 7 * 7, _FC), nn.Linear(_FC, _FC)
            module["classifier"] = nn.Sequential(first, nn.ReLU(), nn.Identity(), second, nn.ReLU())
    return module


def _encoder(module: Any, layer: str) -> Any:
    if layer == "fc7":
        return lambda numbers: module["classifier"](module["features"](numbers).flatten(1))
    if layer == "conv5_3-flat":
        return lambda numbers: module["features"](numbers).flatten(1)
    return lambda numbers: module["features"](numbers).mean((2, 3))


def _by_torchvisions_names(given: Mapping[str, Any], module: Any) -> dict[str, Any]:
    """Weights by torchvision's names, from these, Caffe's, or places in a bare sequence; without later layers."""
    needed = module.state_dict()
    renamed = {_torchvisions_name(name): tensor.float() for name, tensor in given.items()}
    return {
        # a fully connected layer may be saved as a convolution
        name: tensor.flatten(1) if name.startswith("classifier.") and tensor.ndim == 4 else tensor
        for name, tensor in renamed.items()
        if name in needed or not name.startswith(("features.", "classifier."))
    }


def _torchvisions_name(name: str) -> str:
    *within, layer, kind = name.rsplit(".", 2) if "." in name else ("", name)
    if layer in _CAFFES_NAMES:
        return f"{_CAFFES_NAMES[layer]}.{kind}"
    return f"features.{name}" if layer.isdigit() and not within else name


def _caffes_names() -> dict[str, str]:
    names, place = {"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}, 0
    for block, (_, count) in enumerate(_BLOCKS, 1):
        for row in range(1, count + 1):
            names[f"conv{block}_{row}"] = f"features.{place}"
            place += 2
        place += 1
    return names


_CAFFES_NAMES = _caffes_names()
