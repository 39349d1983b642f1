from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ModelError
from lookalike.models import get_model

from .conftest import Save, decoded, greatest_difference

pytestmark = pytest.mark.thorough

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytest.importorskip("safetensors")

from lookalike.models.networks import timm as ours  # noqa: E402 (it imports the packages)


def seeded(name: str, **arguments: Any) -> Any:
    torch.manual_seed(0)
    return timm.create_model(name, **arguments).eval()


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext", "test_efficientnet", "test_vit3"])
@pytest.mark.parametrize("classes", [1000, 5, 0])
def test_the_vector_is_of_the_pooled_features(name: str, classes: int, save: Save, ten: list[Path]) -> None:
    reference = seeded(name, num_classes=classes)
    model = get_model(f"timm:{name}?weights={save(reference.state_dict())}")
    reference.reset_classifier(0)
    prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(reference), is_training=False)
    pictures = []
    for path in ten[:3]:
        with Image.open(path) as image:
            pictures.append(prepare(image.convert("RGB")))
    with torch.inference_mode():
        expected = reference(torch.stack(pictures)).numpy()
    assert model.dim == reference.num_features
    assert greatest_difference(model.embed(decoded(ten[:3], model.input)), expected) < 1e-5


def about(name: str) -> dict[str, Any]:
    found: dict[str, Any] = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    return found


@pytest.mark.parametrize(
    "name",
    [
        "vit_small_patch16_224",  # bicubic, 0.9
        "resnet50.tv_in1k",  # bilinear, 0.875
        "vit_base_patch16_siglip_224",  # bicubic, squeezed
        "test_vit",  # 160 by 0.95: 168.4, cut to 168
        "swin_base_patch4_window12_384",  # 384, nothing cut from squares
    ],
)
def test_the_preparation_is_timms(name: str, more: list[Path]) -> None:
    fit, pixels = ours._preprocessing(about(name), name)
    prepare = timm.data.create_transform(**about(name), is_training=False)
    for numbers, path in zip(pixels.numbers(decoded(more, fit)), more, strict=True):
        with Image.open(path) as image:
            np.testing.assert_array_equal(numbers, prepare(image.convert("RGB")).numpy())


def test_what_cannot_be_prepared_is_refused() -> None:
    """All but a few of timm's networks can be: 22 of 1,826 with timm 1.0.31."""
    tried = refused = 0
    for given in map(about, timm.list_models(pretrained=True)):
        tried += 1
        mode, share = given["crop_mode"], given["crop_pct"]
        fits = (mode == "center" and share <= 1) or (mode == "squash" and share == 1)
        if fits and given["input_size"][1] == given["input_size"][2]:
            ours._preprocessing(given, "it")
        else:
            refused += 1
            with pytest.raises(ModelError, match=r"expected RGB squares, .* for it, received .*; name another model"):
                ours._preprocessing(given, "it")
    assert 0 < refused < tried / 50


def test_weights_that_fit_only_in_part_are_refused(save: Save) -> None:
    state = seeded("test_vit").state_dict()
    for key in ("blocks.0.attn.qkv.weight", "head.bias"):
        lacking = {name: tensor for name, tensor in state.items() if name != key}
        with pytest.raises(ModelError, match=f'Missing key.*"{key}"'):
            get_model(f"timm:test_vit?weights={save(lacking)}").hash  # noqa: B018
    with pytest.raises(ModelError, match=r'Unexpected key.*"other"'):
        get_model(f"timm:test_vit?weights={save({**state, 'other': torch.ones(1)})}").hash  # noqa: B018
    with pytest.raises(ModelError, match=r"expected weights in .*, received"):
        get_model(f"timm:test_resnet?weights={save(state)}").hash  # noqa: B018


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("resnet5O", "received 'resnet5O'; did you mean resnet50"),
        ("hf-hub:someone/something", "name of timm, received 'hf-hub:someone/something'"),
        (
            "test_vit.r161_in1k",
            r"\(test_vit.r160_in1k\), received 'test_vit.r161_in1k'; did you mean test_vit.r160_in1k",
        ),
    ],
)
def test_a_network_that_there_is_not(name: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        get_model(f"timm:{name}").hash  # noqa: B018


def test_a_network_without_weights_to_fetch() -> None:
    abouts = {name: timm.get_pretrained_cfg(name) for name in timm.list_models()}
    name = next(name for name, about in abouts.items() if not (about.hf_hub_id or about.url))
    with pytest.raises(ModelError, match=f"network with weights to fetch, received timm:{name}; .*--weights FILE"):
        get_model(f"timm:{name}").hash  # noqa: B018
