"""`--model`, `--weights`, `--bgr` and `--device`, as a user types them.

tests/models/test_docs.py takes each kind of model from end to end.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lookalike.demo import folder

from .conftest import Run, command
from .test_search import sentence

pytestmark = pytest.mark.thorough

REPOSITORY = "timm/test_vit.r160_in1k"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Three pictures in `few`; another one beside it, which is given."""
    (tmp_path / "few").mkdir()
    first, *others = sorted(Path(folder(), "cats").iterdir())[:4]
    for path in others:
        shutil.copy(path, tmp_path / "few" / path.name)
    shutil.copy(first, tmp_path / f"query{first.suffix}")
    return tmp_path / f"query{first.suffix}"


@pytest.fixture
def save(tmp_path: Path) -> Any:
    """`save(module)` writes the weights of a torch.nn.Module to a file that it names."""
    safetensors = pytest.importorskip("safetensors.torch")

    def write(module: Any) -> Path:
        path = tmp_path / "some weights.safetensors"
        safetensors.save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, path)
        return path

    return write


def test_vgg16(run: Run, few: Path, save: Any) -> None:
    torch, torchvision = pytest.importorskip("torch"), pytest.importorskip("torchvision")
    torch.manual_seed(0)
    weights = save(torchvision.models.vgg16(weights=None, init_weights=False).features)
    made = run("index", "few", "--model", "vgg16:conv5_3-flat", "--weights", weights.name, "--bgr")
    assert "3 pictures indexed" in made.stderr
    assert "downloading" not in made.stderr
    assert f"vgg16:conv5_3-flat?bgr&weights={weights} (25088 dim" in run("info", "few").stdout
    found = run("search", few, "few", "-k", "2")
    assert len(found.stdout.splitlines()) == 2
    assert found.stderr == ""
    moved = weights.rename(few.parent / "elsewhere.safetensors")
    assert "received nothing there" in sentence(run("search", few, "few", code=2).stderr)
    model = ("--model", "vgg16:conv5_3-flat", "--weights", moved)
    wrong = sentence(run("search", few, "few", *model, code=2).stderr)  # without --bgr it is another model
    assert f"the model vgg16:conv5_3-flat?bgr&weights={weights} with the hash" in wrong
    assert run("search", few, "few", "-k", "2", *model, "--bgr").stdout == found.stdout
    assert f"weights={moved} (25088 dim" in run("info", "few").stdout


def test_an_onnx_file(run: Run, few: Path) -> None:
    onnx = pytest.importorskip("onnx")
    taken = onnx.helper.make_tensor_value_info("pictures", onnx.TensorProto.FLOAT, (1, 3, 8, 8))
    given = onnx.helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, (1, 192))
    made = onnx.helper.make_graph([onnx.helper.make_node("Flatten", ["pictures"], ["vector"])], "a", [taken], [given])
    path = few.parent / "50%41 off?.onnx"  # as it is, though a name would read it otherwise
    onnx.save(onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)
    run("index", "few", "--model", path.name)
    found = run("search", few, "few", "-k", "2")
    assert len(found.stdout.splitlines()) == 2
    assert f"{few.parent}/50%2541 off%3F.onnx (192 dimensions" in run("info", "few").stdout
    moved = path.rename(few.parent / "moved.onnx")
    assert run("search", few, "few", "-k", "2", "--model", moved).stdout == found.stdout


# -- weights that are fetched --------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The Hugging Face hub, imitated: what a process is told to find it, and to keep what it fetches."""
    torch, timm = pytest.importorskip("torch"), pytest.importorskip("timm")
    safetensors = pytest.importorskip("safetensors.torch")
    torch.manual_seed(0)
    data = safetensors.save(timm.create_model("test_vit").state_dict())

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            is_there = self.path == f"/{REPOSITORY}/resolve/main/model.safetensors"
            self.send_response(200 if is_there else 404)
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", str(len(data) if is_there else 0))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            if self.path.endswith("model.safetensors"):
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "hub")}
        server.shutdown()
        thread.join()


def at(hub: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    """Exit code and stderr of a command that finds the hub there."""
    done = subprocess.run(
        [command(), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=os.path.dirname(hub["HF_HOME"]),
        env=os.environ | hub,
    )
    return done.returncode, done.stderr


def test_what_is_fetched_is_said_once_and_before(few: Path, hub: dict[str, str]) -> None:
    code, said = at(hub, "index", "few", "--model", "timm:test_vit")
    assert code == 0, said
    first, *_ = said.splitlines()
    assert first == f"downloading the weights of timm:test_vit (1 MB) from {REPOSITORY}/model.safetensors"
    away = hub | {"HF_ENDPOINT": "http://127.0.0.1:1"}
    assert at(away, "search", few, "few") == (0, "")
    elsewhere = away | {"HF_HOME": str(few.parent / "empty")}
    code, said = at(elsewhere, "search", few, "few")
    assert code == 2
    assert f"of timm:test_vit from the repository {REPOSITORY}, received '[Errno 111]" in sentence(said)
    assert "--weights FILE" in said


# -- what does not go together -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--model", "vgg15"], "expected a known model (efficientnet-lite0, vgg16,"),
        (["--model", ""], "FILE.onnx), received ''"),
        (["--weights", "w.pt"], "expected --weights and --bgr with the --model that they are for"),
        (["--bgr"], "expected --weights and --bgr with the --model that they are for"),
        (["--model", "timm:test_vit", "--bgr"], "received 'bgr' in 'timm:test_vit?bgr'"),
        (["--device", "cuda"], "expected the device cpu for efficientnet-lite0"),
        (["--model", "vgg16", "--device", "gpu"], "received 'gpu'"),
        (["--model", "vgg16", "--weights", "none.pt"], "received nothing there"),
    ],
)
@pytest.mark.parametrize("verb", ["index", "sync", "search"])
def test_options_that_cannot_be(run: Run, few: Path, verb: str, options: list[str], complaint: str) -> None:
    if "none.pt" in options:
        pytest.importorskip("torch")
    before = [few] if verb == "search" else []
    assert complaint in sentence(run(verb, *before, "few", *options, code=2).stderr)
    assert not (few.parent / "few" / ".lookalike").exists()
