"""Networks of timm, up to the pooled features."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lookalike.errors import ModelError
from lookalike.fitting import Input
from lookalike.models.networks import weights
from lookalike.models.networks.downloads import from_hub, from_url
from lookalike.models.networks.needs import require_extra
from lookalike.models.networks.network import Network
from lookalike.models.notify import Notify
from lookalike.models.pixels import Pixels
from lookalike.models.spec import Spec, unknown

_FILES = ("model.safetensors", "pytorch_model.bin")


def load(spec: Spec, notify: Notify) -> Network:
    """A name of timm, with or without the tag of its weights, without its classifier.

    Raises:
        MissingExtraError, ModelError: as `NetworkModel.embed`; or the preparation of its pictures cannot be had here.
    """
    require_extra("torch", "timm", "safetensors")
    import timm

    if not timm.is_model(spec.name):
        raise unknown(spec.name, timm.list_models(), "name of timm")
    try:
        about = timm.get_pretrained_cfg(spec.name)
    except RuntimeError as error:
        tags = timm.list_pretrained(f"{spec.name.partition('.')[0]}.*")
        raise unknown(spec.name, tags, "name of weights of timm") from error
    path = spec.get("weights") or _fetch(spec, about, notify)
    module = _filled(spec, about, weights.read(path), path)
    fit, pixels = _preprocessing(timm.data.resolve_model_data_config(module), f"{spec}")
    return Network(module, module, fit, pixels, f"timm:{about.architecture}", path)


def _fetch(spec: Spec, about: Any, notify: Notify) -> str:
    if about.hf_hub_id:
        files = [about.hf_hub_filename] if about.hf_hub_filename else _FILES
        return from_hub(about.hf_hub_id, files, f"{spec}", notify)
    if about.url:
        return from_url(about.url, None, f"{spec}", notify)
    raise ModelError(f"expected a network with weights to fetch, received {spec}; name a file of them: --weights FILE")


def _filled(spec: Spec, about: Any, given: Mapping[str, Any], path: str) -> Any:
    """The network with its weights, and without its classifier, for however many classes that is."""
    heads = about.classifier or ()
    head = heads if isinstance(heads, str) else next(iter(heads), "")
    if f"{head}.weight" in given:
        return _made(spec, given, len(given[f"{head}.weight"]), path)
    try:
        return _made(spec, given, about.num_classes, path)  # its names may be old ones
    except ModelError:
        with suppress(ModelError):
            return _made(spec, given, 0, path)  # saved without a classifier
        raise


def _made(spec: Spec, given: Mapping[str, Any], classes: int, path: str) -> Any:
    """For as many classes as the weights have: for others timm loads what fits, and leaves the rest to chance."""
    import timm
    import torch

    source = {"state_dict": dict(given), "num_classes": classes, "label_offset": 0}
    with torch.random.fork_rng(devices=[]), weights.reading(path):
        module = timm.create_model(spec.name, pretrained=True, pretrained_cfg_overlay=source, num_classes=classes)
    module.pretrained_cfg.pop("state_dict", None)  # else it would be kept twice
    module.reset_classifier(0)
    return module


def _preprocessing(about: Mapping[str, Any], model: str) -> tuple[Input, Pixels]:
    """As timm.data.create_transform prepares a picture for evaluation."""
    channels, height, width = about["input_size"]
    mode, filter, share = about["crop_mode"], about["interpolation"], about["crop_pct"]
    squeezed, cut = mode == "squash" and share == 1, mode == "center" and share <= 1
    if channels != 3 or height != width or filter not in ("bicubic", "bilinear") or not (squeezed or cut):
        raise ModelError(
            f"expected RGB squares, cut from the middle or squeezed, bicubic or bilinear, for {model}, received "
            f"{width} x {height}, {channels} channels, {mode} {share:g}, {filter}; name another model"
        )
    pixels = Pixels(tuple(about["mean"]), tuple(about["std"]))
    if squeezed:
        return Input(width, "squeeze", filter=filter, exact=True), pixels
    return Input(width, "crop", math.floor(width / share), filter, exact=True), pixels
