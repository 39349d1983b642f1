"""What all models of PyTorch promise, tried with tiny ones of timm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import ArgumentError, MissingExtraError, ModelError
from lookalike.models import Input, Model, Notify, get_model
from lookalike.models.notify import by_logging
from lookalike.models.pixels import Pixels

from .conftest import Save, greatest_difference

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytest.importorskip("safetensors")

from lookalike.models.networks.network import BATCH, Network, NetworkModel  # noqa: E402 (it imports the packages)

pytestmark = pytest.mark.thorough

DEVICES = [
    "cpu",
    *(["cuda", "cuda:0"] if torch.cuda.is_available() else []),
    *(["mps"] if torch.mps.is_available() else []),
]


@pytest.fixture(scope="module")
def weights(save: Save) -> Path:
    torch.manual_seed(0)
    return save(timm.create_model("test_resnet").state_dict())


@pytest.fixture(scope="module")
def name(weights: Path) -> str:
    return f"timm:test_resnet?weights={weights}"


@pytest.fixture(scope="module")
def model(name: str) -> Model:
    return get_model(name)


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    """2 batches and a bit."""
    return np.random.default_rng(0).integers(0, 256, (2 * BATCH + 3, 160, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("device", DEVICES)
def test_a_vector_does_not_depend_on_its_batch_or_device(name: str, pictures: NDArray[np.uint8], device: str) -> None:
    """To within rounding: 1e-5 of the largest number; a thousandth of that is usual."""
    model = get_model(name, device=device)
    whole = model.embed(pictures)
    alone = np.concatenate([model.embed(picture[None]) for picture in pictures])
    assert greatest_difference(whole, alone) < 1e-5
    assert greatest_difference(model.embed(pictures[::-1])[::-1], whole) < 1e-5
    assert greatest_difference(whole, get_model(name).embed(pictures)) < 1e-4
    np.testing.assert_array_equal(model.embed(pictures), whole)
    assert whole.dtype == np.float32
    assert whole.shape == (len(pictures), model.dim)
    assert model.hash == get_model(name).hash


def test_strided_read_only_and_no_pictures(model: Model, pictures: NDArray[np.uint8]) -> None:
    strided = np.repeat(pictures[:3], 2, axis=2)[:, :, ::2]
    strided.flags.writeable = False
    np.testing.assert_array_equal(model.embed(strided), model.embed(pictures[:3]))
    assert model.embed(pictures[:0]).shape == (0, model.dim)
    with pytest.raises(ArgumentError, match=r"expected uint8 pictures of shape \(n, 160, 160, 3\), received float32"):
        model.embed(pictures.astype(np.float32))


def test_threads_that_embed_at_once_get_the_same_vectors(name: str, pictures: NDArray[np.uint8]) -> None:
    fresh = get_model(name.replace("test_resnet?", "test_resnet.r160_in1k?"))  # not loaded yet
    with ThreadPoolExecutor(4) as pool:
        several = list(pool.map(fresh.embed, [pictures] * 4))
    for vectors in several:
        np.testing.assert_array_equal(vectors, several[0])


def test_what_is_global_in_torch_stays_as_it_is(weights: Path, pictures: NDArray[np.uint8]) -> None:
    again = weights.with_name("again.safetensors")
    again.write_bytes(weights.read_bytes())
    torch.manual_seed(3)
    before = torch.get_num_threads(), torch.get_rng_state().tolist(), torch.backends.cudnn.deterministic
    get_model(f"timm:test_resnet?weights={again}").embed(pictures)
    now = torch.get_num_threads(), torch.get_rng_state().tolist(), torch.backends.cudnn.deterministic
    assert now == before
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("own", ["ACTIVE", None])
def test_threads_that_wait_leave_the_cores_to_others(name: str, own: str | None) -> None:
    program = f"""
import os
from lookalike.models import get_model
get_model({name!r}).hash
print(os.environ["OMP_WAIT_POLICY"])
"""
    rest = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=rest | ({"OMP_WAIT_POLICY": own} if own else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (own or "PASSIVE")


@pytest.mark.parametrize("embeds", [True, False])
@pytest.mark.parametrize("count", [1, 2 * BATCH + 1])
def test_a_forked_child_embeds_and_exits(name: str, embeds: bool, count: int) -> None:
    program = f"""
import os, sys
import numpy as np
from lookalike.models import get_model
model = get_model({name!r})
pictures = np.ones(({count}, 160, 160, 3), np.uint8)
expected = model.embed(pictures)
child = os.fork()
if child == 0:
    sys.exit(0 if not {embeds} or np.allclose(model.embed(pictures), expected, rtol=1e-5, atol=1e-6) else "differs")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)


def test_its_name_costs_nothing() -> None:
    program = """
import sys
from lookalike.models import get_model
for name in ("vgg16:fc7?weights=/nowhere.pt", "torchvision:x", "timm:x", "clip:x", "/nowhere.onnx"):
    assert get_model(name).name == name
    assert get_model(name) is get_model(name)
    assert hasattr(get_model(name), "embed_text") == name.startswith("clip:")
heavy = {"torch", "torchvision", "timm", "open_clip", "safetensors", "onnxruntime", "huggingface_hub", "PIL"}
sys.exit(", ".join(heavy & sys.modules.keys()) or 0)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("kind", "package"),
    [("vgg16?weights=/w.pt", "torch"), ("torchvision:x", "torchvision"), ("timm:x", "timm"), ("clip:x", "open_clip")],
)
def test_a_missing_package_names_its_cure(kind: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"the package {package}, .* pip install 'lookalike\[torch\]'"):
        get_model(kind).hash  # noqa: B018


@pytest.mark.parametrize("device", ["gpu", "CUDA", "cuda:x", "", "cpu:0"])
def test_no_name_of_a_device(device: str) -> None:
    with pytest.raises(ArgumentError, match=f"cpu, cuda, cuda:N or mps as the device, received '{device}'"):
        get_model("vgg16", device=device)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "a.onnx"])
def test_a_device_that_is_not_for_this_model(name: str) -> None:
    with pytest.raises(
        ArgumentError, match=rf"the device cpu for .*{name}, which runs on the processor alone, .*'cuda'"
    ):
        get_model(name, device="cuda")


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: device == "cuda:1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    absent = get_model(name, device=device)
    with pytest.raises(ArgumentError, match=f"expected a device that is there, received {device}, which PyTorch"):
        absent.embed(np.zeros((1, 160, 160, 3), np.uint8))


def test_a_torch_that_is_too_old(name: str, monkeypatch: pytest.MonkeyPatch, save: Save) -> None:
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(MissingExtraError, match=r"PyTorch 2.6 or later, received 2.5.1\+cpu: pip install --upgrade"):
        get_model(f"timm:test_vit?weights={save({'a': torch.ones(1)})}").hash  # noqa: B018


def of(encode: Callable[[Any], Any]) -> NetworkModel:
    """A model that computes by `encode`."""
    network = Network(torch.nn.Linear(1, 1), encode, Input(8, "pad"), Pixels(), "a network", "w.pt")
    return NetworkModel("a name", "cpu", lambda _: network)


def test_a_network_that_gives_no_vectors() -> None:
    with pytest.raises(
        ModelError, match=r"one vector a picture from a network, received an array of shape \(1, 3, 8, 8\)"
    ):
        of(lambda numbers: numbers).dim  # noqa: B018


def test_a_computation_that_fails() -> None:
    def fail(numbers: Any) -> None:
        raise RuntimeError("out of memory.\nTry PYTORCH_ALLOC=...")

    with pytest.raises(
        ModelError, match=r"by a network on cpu, received 'out of memory. Try PYTORCH_ALLOC=...'; try it"
    ):
        of(fail).embed(np.zeros((1, 8, 8, 3), np.uint8))


def test_a_load_that_failed_is_tried_again() -> None:
    def load(notify: Notify) -> Network:
        tried.append(notify)
        raise ModelError("not yet")

    tried: list[Notify] = []
    model = NetworkModel("a name", "cpu", load)
    for _ in range(2):
        with pytest.raises(ModelError, match="not yet"):
            model.dim  # noqa: B018
    assert tried == [by_logging, by_logging]


def test_a_file_that_was_replaced_is_another_model(save: Save) -> None:
    network = timm.create_model("test_vit")
    path = save(network.state_dict())
    name = f"timm:test_vit?weights={path}"
    first = get_model(name)
    assert get_model(name) is first
    before = first.hash
    with torch.no_grad():
        network.norm.bias += 1
    save(network.state_dict()).replace(path)
    assert get_model(name) is not first
    assert get_model(name).hash != before == first.hash
    path.unlink()
    with pytest.raises(ModelError, match="received nothing there"):
        get_model(name).hash  # noqa: B018


def test_who_is_not_named_is_told_by_logging(caplog: pytest.LogCaptureFixture) -> None:
    by_logging("downloading 100%")
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("lookalike", "WARNING", "downloading 100%")
    ]
