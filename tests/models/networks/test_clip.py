"""open_clip's networks, of a tiny kind that is made here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import MissingExtraError, ModelError
from lookalike.models import TextModel, get_model

from .conftest import Save, decoded, greatest_difference

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytest.importorskip("safetensors")

from lookalike.models.networks import clip  # noqa: E402 (it imports the packages)

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
TEXTS = ["a red bicycle", "", "a very long text " * 20, "Straße, 自転車"]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What open_clip is told of the kinds `tiny`, and `gelu`, which is the same with another activation."""
    place = tmp_path_factory.mktemp("kinds")
    (place / "tiny.json").write_text(json.dumps(TINY))
    (place / "gelu.json").write_text(json.dumps(TINY | {"quick_gelu": True}))
    open_clip.add_model_config(place)
    return place


@pytest.fixture(scope="module")
def weights(kinds: Path, save: Save) -> Path:
    """The seeded weights of a `tiny` one."""
    torch.manual_seed(0)
    return save(open_clip.create_model("tiny").state_dict(), "tiny.pt")


@pytest.fixture(scope="module")
def model(weights: Path) -> TextModel:
    found: Any = get_model(f"clip:tiny?weights={weights}")
    return found  # type: ignore[no-any-return]


def test_pictures_and_texts_are_open_clips(model: TextModel, weights: Path, ten: list[Path], more: list[Path]) -> None:
    reference, _, prepare = open_clip.create_model_and_transforms("tiny", pretrained=str(weights))
    reference.eval()
    pictures = []
    for path in more:
        with Image.open(path) as image:
            pictures.append(prepare(image))
    numbers = model._network()._network.pixels.numbers(decoded(more, model.input))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(numbers, torch.stack(pictures).numpy())
    with torch.inference_mode():
        of_pictures = reference.encode_image(torch.stack(pictures)).numpy()
        of_texts = reference.encode_text(open_clip.get_tokenizer("tiny")(TEXTS)).numpy()
    assert model.dim == 32
    assert greatest_difference(model.embed(decoded(more, model.input)), of_pictures) < 1e-5
    assert greatest_difference(model.embed_text(TEXTS), of_texts) < 1e-5


def test_a_text_does_not_depend_on_those_beside_it(model: TextModel) -> None:
    texts = [f"picture number {i}" for i in range(19)]
    together = model.embed_text(texts)
    alone = np.concatenate([model.embed_text([text]) for text in texts])
    assert greatest_difference(together, alone) < 1e-5
    assert model.embed_text([]).shape == (0, 32)


def test_the_hash_is_of_the_texts_tower_too_and_of_the_activation(model: TextModel, weights: Path, save: Save) -> None:
    state = torch.load(weights, weights_only=True)
    state["text_projection"] = state["text_projection"] + 1
    other = get_model(f"clip:tiny?weights={save(state)}")
    sharp = get_model(f"clip:gelu?weights={weights}")
    assert len({model.hash, other.hash, sharp.hash}) == 3


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16-SigLIP", "EVA02-B-16", "RN50", "coca_ViT-B-32", "PE-Core-B-16"])
def test_the_preparation_is_open_clips(name: str, more: list[Path]) -> None:
    from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

    about = open_clip.get_pretrained_cfg(name, open_clip.list_pretrained_tags_by_model(name)[0])
    size = open_clip.get_model_config(name)["vision_cfg"]["image_size"]
    merged = merge_preprocess_dict(PreprocessCfg(size=size), about)
    fit, pixels = clip._preprocessing(merged, name)
    prepare = image_transform_v2(PreprocessCfg(**merged), is_train=False)
    for numbers, path in zip(pixels.numbers(decoded(more, fit)), more, strict=True):
        with Image.open(path) as image:
            np.testing.assert_array_equal(numbers, prepare(image).numpy())


def test_the_root_logger_stays_as_it_is(weights: Path, kinds: Path) -> None:
    """open_clip logs by `logging.info`, which sets up a handler for the whole process where there is none."""
    program = f"""
import logging, open_clip
from lookalike.models import get_model
open_clip.add_model_config({str(kinds)!r})
logging.root.handlers.clear()  # adding a kind does it, too
get_model("clip:tiny?weights={weights}").embed_text(["a text"])
assert not logging.root.handlers
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("VIT-B-32", "model of open_clip, received 'VIT-B-32'; did you mean ViT-B-32"),
        ("ViT-B-32/openAI", "name of weights of ViT-B-32.*, received 'openAI'; did you mean openai"),
        ("roberta-ViT-B-32", "whose text tower is open_clip's own, received clip:roberta-ViT-B-32"),
        ("ViT-S-32", "with weights to fetch, received clip:ViT-S-32; name a file"),
        ("hf-hub:someone/something", "received 'hf-hub:someone'"),
    ],
)
def test_a_network_that_there_is_not(name: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        get_model(f"clip:{name}").hash  # noqa: B018


def test_weights_of_another_network(weights: Path, save: Save) -> None:
    lacking = torch.load(weights, weights_only=True)
    del lacking["ln_final.bias"]
    with pytest.raises(ModelError, match=r'Missing key.*"ln_final.bias"'):
        get_model(f"clip:tiny?weights={save(lacking)}").hash  # noqa: B018
    big = save({"visual.conv1.weight": torch.ones(3)})
    with pytest.raises(ModelError, match=r"expected weights in .*, received"):
        get_model(f"clip:tiny?weights={big}").hash  # noqa: B018


def test_a_tokenizer_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for when a text is first embedded, and said before it is fetched; nothing is fetched here."""
    told: list[str] = []
    monkeypatch.setattr(clip, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"transformers, by which it splits texts.*pip install transformers"):
        clip._tokenizer("ViT-B-16-SigLIP", "timm/ViT-B-16-SigLIP", "it", told.append)
    monkeypatch.setattr(clip, "find_spec", lambda name: name)
    monkeypatch.setattr(clip, "in_cache", lambda *_: None)

    def unreachable(name: str) -> None:
        raise OSError("no network")

    monkeypatch.setattr(open_clip, "get_tokenizer", unreachable)
    with pytest.raises(ModelError, match="tokenizer of it from timm/ViT-B-16-SigLIP, received 'no network'; connect"):
        clip._tokenizer("ViT-B-16-SigLIP", "timm/ViT-B-16-SigLIP", "it", told.append)
    assert told == ["downloading the tokenizer of it from timm/ViT-B-16-SigLIP"]
