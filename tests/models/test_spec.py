from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ArgumentError, LookalikeError, ModelError
from lookalike.models.spec import Spec, name_of

HERE = os.getcwd()


@pytest.mark.parametrize(
    ("text", "spec", "canonical"),
    [
        ("vgg16", Spec("vgg16", "conv5_3"), "vgg16"),
        ("vgg16:conv5_3", Spec("vgg16", "conv5_3"), "vgg16"),
        ("vgg16:fc7", Spec("vgg16", "fc7"), "vgg16:fc7"),
        ("torchvision:resnet50", Spec("torchvision", "resnet50"), "torchvision:resnet50"),
        ("timm:vit_small.augreg", Spec("timm", "vit_small.augreg"), "timm:vit_small.augreg"),
        ("clip:ViT-B-32/openai", Spec("clip", "ViT-B-32/openai"), "clip:ViT-B-32/openai"),
        ("a b.onnx", Spec("onnx", f"{HERE}/a b.onnx"), f"{HERE}/a b.onnx"),
        ("./clip:x.ONNX", Spec("onnx", f"{HERE}/clip:x.ONNX"), f"{HERE}/clip:x.ONNX"),
        ("~/a.onnx", Spec("onnx", f"{HERE}/~/a.onnx"), f"{HERE}/~/a.onnx"),
        (
            "vgg16:fc7?weights=../caffe=1.pth&bgr",
            Spec("vgg16", "fc7", (("bgr", ""), ("weights", f"{os.path.dirname(HERE)}/caffe=1.pth"))),
            f"vgg16:fc7?bgr&weights={os.path.dirname(HERE)}/caffe=1.pth",
        ),
        (
            "/m/50%25 %3F%26.onnx?std=0.5&side=96&mean=0.5,0.4,0.3",
            Spec("onnx", "/m/50% ?&.onnx", (("side", "96"), ("mean", "0.5,0.4,0.3"), ("std", "0.5"))),
            "/m/50%25 %3F%26.onnx?side=96&mean=0.5,0.4,0.3&std=0.5",
        ),
    ],
)
def test_what_a_name_says_and_how_it_is_remembered(text: str, spec: Spec, canonical: str) -> None:
    assert Spec.parse(text) == spec
    assert str(spec) == canonical
    assert Spec.parse(canonical) == spec


names = st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name).map(os.fsdecode)


@given(names, names, names)
def test_any_path_comes_back(onnx: str, weights: str, output: str) -> None:
    for spec in (
        Spec("vgg16", "fc7", (("bgr", ""), ("weights", os.path.abspath(weights)))),
        Spec("onnx", os.path.abspath(f"{onnx}.onnx"), (("output", output),)),
    ):
        text = str(spec)
        assert Spec.parse(text) == spec
        assert text.isprintable()


def test_paths_that_are_typed_are_taken_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("50%41?.onnx").write_bytes(b"")
    assert Spec.parse(name_of("50%41?.onnx")).name == str(tmp_path / "50%41?.onnx")
    assert Spec.parse(name_of("vgg16", "50%41&.pth", bgr=True)).file == str(tmp_path / "50%41&.pth")
    assert name_of("timm:test_vit") == "timm:test_vit"
    assert name_of("clip:RN50?weights=/a.pt") == "clip:RN50?weights=/a.pt"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("vgg99", r"a known model \(vgg16, .*FILE.onnx\), received 'vgg99'; did you mean vgg16"),
        ("VGG16", "received 'VGG16'"),
        ("", "received ''; name one of them"),
        ("timm:", r"timm:NAME.*received 'timm:'"),
        ("onnx:a", "received 'onnx:a'"),
        ("vgg16:fc6", r"layer of vgg16 \(conv5_3, conv5_3-flat, fc7\), received 'fc6'; did you mean fc7"),
    ],
)
def test_a_name_of_no_model(text: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        Spec.parse(text)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("timm:a?bgr", "bgr"),
        ("vgg16?side=224", "side=224"),
        ("vgg16?weights", "weights"),
        ("vgg16?bgr=yes", "bgr=yes"),
        ("vgg16?bgr&bgr", "bgr"),
        ("a.onnx?weights=b.onnx", "weights=b.onnx"),
        ("a.onnx?side=3&", ""),
    ],
)
def test_an_option_that_there_is_not(text: str, part: str) -> None:
    with pytest.raises(ArgumentError, match=f"each at most once: .*, received '{part}' in "):
        Spec.parse(text)


def test_a_path_that_no_file_can_have() -> None:
    with pytest.raises(ArgumentError, match="as no file can be called"):
        Spec.parse("a%00.onnx")


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    with suppress(LookalikeError):
        assert Spec.parse(str(Spec.parse(text))) == Spec.parse(text)


def test_names_of_one_network() -> None:
    def network(text: str) -> str:
        return Spec.parse(text).network

    assert network("timm:a.b") == network("timm:a.c?weights=/x.pt") == "a"
    assert network("clip:a/b") == network("clip:a") == "a"
    assert network("a.onnx") == network("b.onnx?side=3")
    assert network("vgg16") != network("vgg16:fc7")
