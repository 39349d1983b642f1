"""Weights that are fetched: by address from a server here, and by the hub's client, whose calls are replaced.

tests/cli/test_models.py fetches from a hub that is imitated here, by that client as it is.
"""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lookalike.errors import ModelError
from lookalike.models import get_model

from .conftest import Save

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision").models
pytest.importorskip("safetensors")
hub = pytest.importorskip("huggingface_hub")

from lookalike.models.networks import downloads  # noqa: E402 (they import the packages)
from lookalike.models.networks import torchvision as ours  # noqa: E402

NAME = "shufflenet_v2_x0_5"

# torch leaves the sockets that it fetched by to be closed by the garbage collector, which says so
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def sockets() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder, and where it is served."""
    place = tmp_path_factory.mktemp("served")

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(place))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield place, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where torch keeps what it fetched."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture(scope="module")
def state() -> Any:
    torch.manual_seed(0)
    return models.get_model(NAME, weights=None).state_dict()


def offer(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let torchvision's weights of the network be at `url`."""
    real = models.get_model_weights(NAME).DEFAULT
    there = SimpleNamespace(url=url, meta={**real.meta, "_file_size": 5.282}, transforms=real.transforms)
    monkeypatch.setattr(ours, "_weights", lambda name, tag: there)


def test_what_is_fetched_is_said_first_and_kept(
    served: tuple[Path, str], checkpoints: Path, monkeypatch: pytest.MonkeyPatch, save: Save, state: Any
) -> None:
    place, address = served
    saved = save(state, "w.pth")
    file = f"small-{hashlib.sha256(saved.read_bytes()).hexdigest()[:8]}.pth"
    told: list[str] = []

    def tell(sentence: str) -> None:
        assert not checkpoints.exists()
        saved.rename(place / file)  # not there before
        told.append(sentence)

    offer(monkeypatch, f"{address}/{file}")
    fetched = get_model(f"torchvision:{NAME}", notify=tell)
    assert fetched.dim == 1024
    assert told == [f"downloading the weights of torchvision:{NAME} (6 MB) from {address}/{file}"]
    assert [path.name for path in checkpoints.iterdir()] == [file]
    (place / file).unlink()
    again = get_model(f"torchvision:{NAME}/DEFAULT", notify=tell)
    assert again.hash == fetched.hash
    assert len(told) == 1


@pytest.mark.parametrize(
    ("file", "complaint"),
    [("small-01234567.pth", "invalid hash value"), ("absent-01234567.pth", "HTTP Error 404")],
)
def test_what_cannot_be_fetched(
    served: tuple[Path, str], checkpoints: Path, monkeypatch: pytest.MonkeyPatch, file: str, complaint: str
) -> None:
    place, address = served
    (place / "small-01234567.pth").write_bytes(b"of another SHA-256")
    offer(monkeypatch, f"{address}/{file}")
    with pytest.raises(
        ModelError, match=f"from {address}/{file}, received .*{complaint}.*; connect, .*--weights FILE"
    ) as told:
        get_model(f"torchvision:{NAME}/{file}", notify=lambda _: None).hash  # noqa: B018
    assert "\n" not in str(told.value)
    assert list(checkpoints.iterdir()) == []


def test_there_is_no_network(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "http://127.0.0.1:1/small-01234567.pth")
    with pytest.raises(ModelError, match=r"Connection refused.*; connect, or name a file of them: --weights FILE"):
        get_model(f"torchvision:{NAME}/none", notify=lambda _: None).hash  # noqa: B018


# -- the hub, whose client is replaced -----------------------------------------------------------------


class Hub:
    """Stands in for huggingface_hub: a repository, and what was fetched of it."""

    def __init__(self, files: dict[str, int | None]) -> None:
        self.files = files
        self.fetched: list[str] = []

    def try_to_load_from_cache(self, repository: str, file: str) -> Any:
        return f"/cache/{file}" if file in self.fetched else None if file == "model.safetensors" else object()

    def hf_hub_url(self, repository: str, file: str) -> str:
        return file

    def get_hf_file_metadata(self, file: str) -> Any:
        if file not in self.files:
            from huggingface_hub.errors import EntryNotFoundError

            raise EntryNotFoundError("404")
        return SimpleNamespace(size=self.files[file])

    def hf_hub_download(self, repository: str, file: str) -> str:
        self.fetched.append(file)
        return f"/cache/{file}"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"model.safetensors": 123_000_000, "pytorch_model.bin": 1}, "it (123 MB) from a/b/model.safetensors"),
        ({"pytorch_model.bin": None}, "it from a/b/pytorch_model.bin"),
    ],
)
def test_the_first_file_that_there_is(files: dict[str, int | None], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    fake = Hub(files)
    for name in ("try_to_load_from_cache", "hf_hub_url", "get_hf_file_metadata", "hf_hub_download"):
        monkeypatch.setattr(hub, name, getattr(fake, name))
    wanted = ("model.safetensors", "pytorch_model.bin")
    paths = {downloads.from_hub("a/b", wanted, "it", told.append) for _ in range(2)}
    assert paths == {f"/cache/{fake.fetched[0]}"}
    assert len(fake.fetched) == 1
    assert told == [f"downloading the weights of {said}"]


def test_no_such_file(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    fake = Hub({})
    for name in ("try_to_load_from_cache", "hf_hub_url", "get_hf_file_metadata", "hf_hub_download"):
        monkeypatch.setattr(hub, name, getattr(fake, name))
    with pytest.raises(ModelError, match="of it from the repository a/b, received '404'; connect"):
        downloads.from_hub("a/b", ["model.safetensors"], "it", told.append)
    assert (told, fake.fetched) == ([], [])
