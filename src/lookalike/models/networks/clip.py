"""CLIP and its kin by open_clip: pictures and texts in one space (Radford et al. 2021, arXiv 2103.00020)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from lookalike.errors import MissingExtraError, ModelError
from lookalike.fitting import Input
from lookalike.models.networks import weights
from lookalike.models.networks.downloads import from_hub, in_cache
from lookalike.models.networks.needs import require_extra
from lookalike.models.networks.network import Network
from lookalike.models.notify import Notify, in_short
from lookalike.models.pixels import Pixels
from lookalike.models.spec import Spec, unknown

_FILE = "open_clip_pytorch_model.bin"  # where open_clip's list of weights names a repository alone
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
_SAFER = {_FILE: "open_clip_model.safetensors"}


def load(spec: Spec, notify: Notify) -> Network:
    """`NAME` or `NAME/TAG`, as `ViT-B-32/laion2b_s34b_b79k`: the vectors of its picture tower, and of its text tower.

    The tag says which weights are fetched, and how a picture is prepared; without one it is the first that open_clip
    lists. With `weights`, the tag is that of the file.

    Raises:
        MissingExtraError, ModelError: as `NetworkModel.embed`; or the preparation of its pictures cannot be had here.
    """
    require_extra("torch", "open_clip", "timm", "safetensors")
    import open_clip

    name, _, tag = spec.name.partition("/")
    if name not in open_clip.list_models():
        raise unknown(name, open_clip.list_models(), "model of open_clip")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag and tag not in tags:
        raise unknown(tag, tags, f"name of weights of {name}")
    about = open_clip.get_pretrained_cfg(name, tag or next(iter(tags), ""))
    texts = open_clip.get_model_config(name)["text_cfg"]
    if "hf_model_name" in texts:
        raise ModelError(f"expected a model whose text tower is open_clip's own, received {spec}; name another model")
    path = spec.get("weights")
    sharp = about.get("quick_gelu", False) if tag or path is None else False
    path = path or _fetch(spec, about, notify)
    with _quietly(), weights.reading(path):
        module = open_clip.create_model(
            name,
            pretrained=path,
            pretrained_text=False,
            force_quick_gelu=sharp,
            force_preprocess_cfg={key: about[key] for key in _PREPROCESSING if key in about},
        )
    fit, pixels = _preprocessing(module.visual.preprocess_cfg, f"{spec}")

    tokenizer = cache(lambda: _tokenizer(name, texts.get("hf_tokenizer_name"), f"{spec}", notify))

    def encode_text(given: Sequence[str], device: Any) -> Any:
        return module.encode_text(tokenizer()(list(given)).to(device))

    layer = f"clip:{name}{' quick_gelu' if sharp else ''}"
    return Network(module, module.encode_image, fit, pixels, layer, path, encode_text)


def _fetch(spec: Spec, about: Mapping[str, Any], notify: Notify) -> str:
    repository, _, file = about.get("hf_hub", "").rpartition("/")
    if not repository:
        raise ModelError(
            f"expected a model with weights to fetch, received {spec}; name a file of them: --weights FILE"
        )
    file = file or _FILE
    safer = _SAFER.get(file, file.rpartition(".")[0] + ".safetensors")
    return from_hub(repository, [safer, file], f"{spec}", notify)


def _tokenizer(name: str, repository: str | None, model: str, notify: Notify) -> Callable[[list[str]], Any]:
    """What splits texts; of some models it is that of a repository, and fetched when a text is first embedded."""
    import open_clip

    if repository and find_spec("transformers") is None:
        raise MissingExtraError(
            f"expected the package transformers, by which {model} splits texts, received none: pip install transformers"
        )
    if repository and not in_cache(repository, "tokenizer_config.json"):
        notify(f"downloading the tokenizer of {model} from {repository}")
    try:
        with _quietly():
            made: Callable[[list[str]], Any] = open_clip.get_tokenizer(name)
    except Exception as error:  # whatever the client raises where there is no network
        raise ModelError(
            f"expected the tokenizer of {model} from {repository}, received {in_short(error)!r}; connect once"
        ) from error
    return made


def _preprocessing(about: Mapping[str, Any], model: str) -> tuple[Input, Pixels]:
    """As open_clip.image_transform prepares a picture for evaluation."""
    size, mode, filter = about["size"], about["resize_mode"], about["interpolation"]
    height, width = (size, size) if isinstance(size, int) else size
    if height != width or mode not in ("shortest", "squash") or filter not in ("bicubic", "bilinear"):
        raise ModelError(
            f"expected squares, cut from the middle or squeezed, bicubic or bilinear, for {model}, received "
            f"{width} x {height}, {mode}, {filter}; name another model"
        )
    fit = (
        Input(width, "squeeze", filter=filter, exact=True)
        if mode == "squash"
        else Input(width, "crop", width, filter, exact=True)
    )
    return fit, Pixels(tuple(about["mean"]), tuple(about["std"]))


@contextmanager
def _quietly() -> Iterator[None]:
    """open_clip speaks to the root logger, which would then be set up in its way, and for everyone."""
    nobody = logging.NullHandler()
    logging.getLogger().addHandler(nobody)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(nobody)
