"""Models that PyTorch computes: the packages of the extra `torch` are imported here alone, and late.

network.py      a network on its device: what loads it when it is first needed, and embeds
needs.py        the packages and the device
weights.py      files of weights; downloads.py fetches those that have names
vgg.py  torchvision.py  timm.py  clip.py      one kind of network each
"""

from __future__ import annotations

from functools import partial

from lookalike.models.networks import clip, timm, torchvision, vgg
from lookalike.models.networks.needs import require_device
from lookalike.models.networks.network import NetworkModel, TextNetworkModel
from lookalike.models.spec import Spec

_LOAD = {"vgg16": vgg.load, "torchvision": torchvision.load, "timm": timm.load, "clip": clip.load}


def network_model(spec: Spec, device: str) -> NetworkModel:
    """The model of one of these kinds; loaded when it is first needed.

    Raises:
        ArgumentError: `device` is the name of none.
    """
    require_device(device)
    made = TextNetworkModel if spec.kind == "clip" else NetworkModel
    return made(f"{spec}", device, partial(_LOAD[spec.kind], spec))
