"""What docs/models.md shows is run, but for what would fetch weights: each kind of model from end to end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lookalike.collection import Collection
from lookalike.demo import folder
from lookalike.models.spec import FORMS

pytestmark = pytest.mark.thorough

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """photos/ and cat.jpg, and files of seeded weights by the names that the page gives them."""
    torch, onnx = pytest.importorskip("torch"), pytest.importorskip("onnx")
    torchvision, timm = pytest.importorskip("torchvision"), pytest.importorskip("timm")
    open_clip, safetensors = pytest.importorskip("open_clip"), pytest.importorskip("safetensors.torch")
    place = tmp_path_factory.mktemp("home")
    (place / "photos").mkdir()
    first, *others = sorted(Path(folder(), "cats").iterdir())[:4]
    shutil.copy(first, place / "cat.jpg")
    for path in others:
        shutil.copy(path, place / "photos" / path.name)
    torch.manual_seed(0)
    for name, network in {
        "vgg16": torchvision.models.vgg16(weights=None, init_weights=False).features,
        "vit": timm.create_model("test_vit"),
        "clip": open_clip.create_model("ViT-S-32-alt"),
    }.items():
        safetensors.save_file(network.state_dict(), place / f"{name}.safetensors")
    torch.save(torchvision.models.shufflenet_v2_x0_5(weights=None).state_dict(), place / "shufflenet.pth")
    taken = onnx.helper.make_tensor_value_info("pictures", onnx.TensorProto.FLOAT, ("n", 3, 64, 64))
    given = onnx.helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, ("n", 12288))
    graph = onnx.helper.make_graph([onnx.helper.make_node("Flatten", ["pictures"], ["vector"])], "f", [taken], [given])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, place / "features.onnx")
    return place


def test_commands(home: Path) -> None:
    commands = [line[2:] for block in blocks("console") for line in block.splitlines()]
    assert len(commands) >= 9
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    for command in commands:
        done = subprocess.run(
            command,
            shell=True,
            cwd=home,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert "downloading" not in done.stderr
    for name, dim in {"vgg16": 512, "shufflenet": 1024, "vit": 64, "clip": 256, "onnx": 12288}.items():
        with Collection.open(home / f"by-{name}") as collection:
            assert (len(collection), collection.model.dim) == (3, dim)
    with Collection.open(home / "by-clip") as collection:
        (vector,) = collection.model.embed_text(["a red bicycle"])  # type: ignore[attr-defined]
        assert len(collection.search(vector, k=3)) == 3


def test_python(home: Path) -> None:
    program = "\n".join(blocks("python"))
    assert 'weights="DEFAULT"' in program
    done = python(home, program.replace('weights="DEFAULT"', "weights=None"))
    assert done.returncode == 0, done.stderr
    assert "photos/" in done.stdout
    done = python(home, "import lookalike; lookalike.Collection.open('by-colours')")
    assert "ModelError: expected a known model" in done.stderr  # which only the process has that registered it


def python(home: Path, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=home, capture_output=True, text=True, timeout=120
    )


def test_every_form_of_a_name_is_in_the_table() -> None:
    named = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {*FORMS} <= {*named}


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (Path(__file__).parents[2] / "docs" / target).exists(), target
