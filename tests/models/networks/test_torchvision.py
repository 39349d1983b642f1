from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ModelError
from lookalike.models import get_model

from .conftest import Save, decoded, greatest_difference

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
pytest.importorskip("safetensors")

from lookalike.models.networks import torchvision as ours  # noqa: E402 (it imports the packages)

models = torchvision.models


def seeded(name: str, **arguments: Any) -> Any:
    torch.manual_seed(0)
    return models.get_model(name, weights=None, **arguments).eval()


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("shufflenet_v2_x0_5", "fc"),
        ("mobilenet_v3_small", "classifier.3"),
        ("resnet18", "fc"),
    ],
)
def test_the_vector_is_what_the_last_layer_takes(name: str, last: str, save: Save, ten: list[Path]) -> None:
    reference = seeded(name)
    model = get_model(f"torchvision:{name}?weights={save(reference.state_dict(), 'w.pth')}")
    prepare = models.get_model_weights(name).DEFAULT.transforms()
    taken = []
    reference.get_submodule(last).register_forward_pre_hook(lambda _, inputs: taken.append(inputs[0]))
    with torch.inference_mode():
        for path in ten[:2]:
            with Image.open(path) as image:
                reference(prepare(image.convert("RGB"))[None])
    expected = torch.cat(taken).numpy()
    assert model.dim == expected.shape[1]
    assert greatest_difference(model.embed(decoded(ten[:2], model.input)), expected) < 1e-5


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("resnet50", "IMAGENET1K_V2"),  # 232, bilinear
        ("efficientnet_b0", "IMAGENET1K_V1"),  # 256, bicubic
        ("vit_b_16", "IMAGENET1K_SWAG_E2E_V1"),  # 384, nothing cut from squares
        ("swin_t", "DEFAULT"),  # 232, bicubic
        ("vgg16", "IMAGENET1K_FEATURES"),
    ],
)
def test_the_preparation_is_torchvisions(name: str, tag: str, more: list[Path]) -> None:
    fit, pixels = ours._preprocessing(name, tag)
    prepare = models.get_model_weights(name)[tag].transforms()
    for numbers, path in zip(pixels.numbers(decoded(more, fit)), more, strict=True):
        with Image.open(path) as image:
            np.testing.assert_array_equal(numbers, prepare(image.convert("RGB")).numpy())


def test_every_classifier_has_a_last_layer_but_squeezenet() -> None:
    for name in models.list_models(module=models):
        assert ours._preprocessing(name, "")
        if name.startswith(("regnet", "vit_h", "vgg")):  # slow to make; as the others of their kind
            continue
        with torch.device("meta"):
            module = ours._module(name, "")
        if name.startswith("squeezenet"):
            with pytest.raises(
                ModelError, match=r"whose last layer is a Linear, received squeezenet.*Conv2d classifier.1"
            ):
                ours._without_last(module, name)
        else:
            assert ours._without_last(module, name)


def test_a_network_for_other_classes_or_none(save: Save, ten: list[Path]) -> None:
    name = "shufflenet_v2_x0_5"
    state = seeded(name).state_dict()
    headless = {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}
    seven = {**headless, "fc.weight": torch.ones(7, 1024), "fc.bias": torch.ones(7)}
    hashes = {get_model(f"torchvision:{name}?weights={save(given)}").hash for given in (state, headless, seven)}
    assert len(hashes) == 1


@pytest.mark.parametrize("aux", [True, False])
def test_what_only_training_needs_is_left_out(save: Save, aux: bool) -> None:
    reference = seeded("googlenet", aux_logits=aux, init_weights=False)
    model = get_model(f"torchvision:googlenet?weights={save(reference.state_dict())}")
    assert model.dim == 1024


def test_old_names_of_densenet(save: Save) -> None:
    state = seeded("densenet121").state_dict()
    old = {key.replace("norm1", "norm.1").replace("conv2", "conv.2"): tensor for key, tensor in state.items()}
    assert any("denselayer1.norm.1" in key for key in old)
    assert get_model(f"torchvision:densenet121?weights={save(old)}").dim == 1024


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("resnet5O", "received 'resnet5O'; did you mean resnet50"),
        ("fcn_resnet50", "classifier of torchvision, received 'fcn_resnet50'"),
        ("resnet50/V1", r"weights of resnet50 \(IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT\), received 'V1'"),
        ("squeezenet1_0?weights=w.pt", "expected a classifier whose last layer is a Linear"),
    ],
)
def test_a_network_that_there_is_not(name: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        get_model(f"torchvision:{name}").hash  # noqa: B018
