"""VGG16, with seeded weights; what it computes is compared with torchvision's network, its pictures with Pillow's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import ArgumentError, ModelError
from lookalike.models import Model, get_model

from .conftest import Save, decoded, greatest_difference

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
pytest.importorskip("safetensors")

from lookalike.models.networks import vgg  # noqa: E402 (it imports the packages)

MEANS = np.array([103.939, 116.779, 123.68])  # of blue, green and red


@pytest.fixture(scope="module")
def features() -> Any:
    """torchvision's convolutions, seeded: 59 MB; the whole network is 528."""
    torch.manual_seed(0)
    return torchvision.models.vgg16(weights=None, init_weights=False).features.eval()


@pytest.fixture(scope="module")
def state(features: Any) -> Mapping[str, Any]:
    return {f"features.{name}": tensor for name, tensor in features.state_dict().items()}


@pytest.fixture(scope="module")
def weights(state: Mapping[str, Any], save: Save) -> Path:
    return save(state)


@pytest.fixture(scope="module")
def model(weights: Path) -> Model:
    return get_model(f"vgg16?weights={weights}")


def described(path: Path) -> NDArray[np.float64]:
    """The preparation as the experiment describes it: squeezed, BGR, less the means, not scaled."""
    with Image.open(path) as image:
        squeezed = image.convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
    numbers: NDArray[np.float64] = np.asarray(squeezed, np.float64)[..., ::-1] - MEANS
    return numbers.transpose(2, 0, 1)


def activations(features: Any, paths: list[Path]) -> Any:
    """Of torchvision's network, whose weights are arranged for RGB."""
    rgb = np.stack([described(path)[::-1] for path in paths]).astype(np.float32)
    with torch.inference_mode():
        return features(torch.from_numpy(rgb))


def test_the_preparation_is_the_described_one(ten: list[Path], more: list[Path]) -> None:
    assert len(ten) == 10
    numbers = vgg.CAFFE_PIXELS.numbers(decoded(more, vgg.CAFFE_INPUT))
    assert np.abs(numbers - [described(path) for path in more]).max() < 1e-4


def test_the_preparation_of_the_weights_trained_anew_is_torchvisions(more: list[Path]) -> None:
    prepare = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()
    numbers = vgg.ANEW_PIXELS.numbers(decoded(more, vgg.ANEW_INPUT))
    for received, path in zip(numbers, more, strict=True):
        with Image.open(path) as image:
            np.testing.assert_array_equal(received, prepare(image.convert("RGB")).numpy())


def test_conv5_3(model: Model, weights: Path, features: Any, ten: list[Path]) -> None:
    expected = activations(features, ten[:3])
    pictures = decoded(ten[:3], model.input)
    flat = get_model(f"vgg16:conv5_3-flat?weights={weights}")
    assert (model.dim, flat.dim) == (512, 25088)
    assert greatest_difference(model.embed(pictures), expected.mean((2, 3)).numpy()) < 1e-5
    assert greatest_difference(flat.embed(pictures), expected.flatten(1).numpy()) < 1e-5
    assert expected.shape[1:] == (512, 7, 7)
    assert flat.hash != model.hash


def test_fc7_of_weights_in_half_precision(state: Mapping[str, Any], features: Any, save: Save, ten: list[Path]) -> None:
    torch.manual_seed(1)
    first, second, last = torch.nn.Linear(25088, 4096), torch.nn.Linear(4096, 4096), torch.nn.Linear(4096, 1000)
    named = {"classifier.0": first, "classifier.3": second, "classifier.6": last}
    whole = {f"{name}.{kind}": t.detach().half() for name, of in named.items() for kind, t in of.state_dict().items()}
    saved = {**state, **whole, "classifier.0.weight": whole["classifier.0.weight"].reshape(4096, 512, 7, 7)}
    model = get_model(f"vgg16:fc7?weights={save(saved)}")
    with torch.inference_mode():
        flat = activations(features, ten[:2]).flatten(1)
        for name in ("classifier.0", "classifier.3"):
            flat = (flat @ whole[f"{name}.weight"].float().T + whole[f"{name}.bias"].float()).relu()
    assert model.dim == 4096
    assert greatest_difference(model.embed(decoded(ten[:2], model.input)), flat.numpy()) < 1e-5


@pytest.mark.parametrize("naming", ["Caffe's", "a sequence's", "within"])
def test_the_names_of_other_conversions(model: Model, state: Mapping[str, Any], save: Save, naming: str) -> None:
    names = [f"conv{block}_{row}" for block, rows in enumerate((2, 2, 3, 3, 3), 1) for row in range(1, rows + 1)]
    places = sorted({int(name.split(".")[1]) for name in state})
    renamed = {}
    for name, place in zip(names, places, strict=True):
        for kind in ("weight", "bias"):
            called = {"Caffe's": f"{name}.", "a sequence's": f"{place}.", "within": f"net.features.{name}."}[naming]
            renamed[called + kind] = state[f"features.{place}.{kind}"]
    if naming == "Caffe's":
        renamed |= {f"fc{i}.{kind}": torch.zeros(1) for i in (6, 7, 8) for kind in ("weight", "bias")}
    assert get_model(f"vgg16?weights={save(renamed)}").hash == model.hash


def test_weights_that_take_blue_first(model: Model, state: Mapping[str, Any], save: Save, ten: list[Path]) -> None:
    caffes = {**state, "features.0.weight": state["features.0.weight"].flip(1)}
    path = save(caffes)
    as_caffe, mistaken = get_model(f"vgg16?bgr&weights={path}"), get_model(f"vgg16?weights={path}")
    assert as_caffe.hash == model.hash != mistaken.hash
    pictures = decoded(ten[:1], model.input)
    np.testing.assert_array_equal(as_caffe.embed(pictures), model.embed(pictures))
    assert greatest_difference(mistaken.embed(pictures), model.embed(pictures)) > 1e-3


def test_weights_trained_anew_are_known(
    weights: Path,
    model: Model,
    more: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    features: Any,
    save: Save,
    state: Any,
) -> None:
    """torchvision's own file is known by its size and SHA-256; here a small one takes its place."""
    path = save(state, "anew.pth")
    monkeypatch.setattr(vgg, "_ANEW_MIB", round(path.stat().st_size / 2**20, 3))
    monkeypatch.setattr(vgg, "_ANEW_SHA256", hashlib.sha256(path.read_bytes()).hexdigest()[:8])
    anew = get_model(f"vgg16?weights={path}")
    prepare = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()
    with Image.open(more[-1]) as image, torch.inference_mode():
        expected = features(prepare(image.convert("RGB"))[None]).mean((2, 3)).numpy()
    assert greatest_difference(anew.embed(decoded(more[-1:], anew.input)), expected) < 1e-5
    assert anew.hash != model.hash
    with pytest.raises(
        ArgumentError, match=r"expected bgr with weights in Caffe's order, received .*anew.pth, arranged"
    ):
        get_model(f"vgg16?bgr&weights={path}").hash  # noqa: B018
    monkeypatch.setattr(vgg, "_ANEW_SHA256", "0" * 8)
    assert get_model(f"vgg16:conv5_3-flat?weights={path}").input == vgg.CAFFE_INPUT


def test_bgr_goes_with_weights_of_ones_own() -> None:
    with pytest.raises(ArgumentError, match="received those of torchvision, arranged for RGB; leave it out"):
        get_model("vgg16?bgr").hash  # noqa: B018


def test_weights_of_another_network(state: Mapping[str, Any], save: Save) -> None:
    def complaint(given: Mapping[str, Any], layer: str = "") -> str:
        with pytest.raises(ModelError) as told:
            get_model(f"vgg16{layer}?weights={save(given)}").hash  # noqa: B018
        return str(told.value)

    lacking = dict(state)
    del lacking["features.5.bias"]
    assert "received some without features.5.bias; give its own" in complaint(lacking)
    assert "received some without classifier.0.weight, classifier.0.bias" in complaint(state, ":fc7")
    others = complaint({"stem.weight": torch.ones(2)})
    assert "without features.0.weight, features.0.bias, features.2.weight and 23 more" in others
    assert "with the unknown stem.weight" in others
    small = complaint({**state, "features.28.weight": torch.ones(4, 4)})
    assert "with features.28.weight of (4, 4) for (512, 512, 3, 3)" in small
    broken = complaint({**state, "features.28.bias": torch.full((512,), torch.nan)})
    assert "received NaN or infinite ones in features.28.bias" in broken
