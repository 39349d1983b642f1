from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from lookalike.errors import ModelError

from .conftest import Save

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from lookalike.models.networks import weights  # noqa: E402 (they import the packages)

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


def module() -> Any:
    return torch.nn.Linear(3, 2)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pt", "w.pth", "w.bin"])
def test_a_state_dict(save: Save, name: str) -> None:
    read = weights.read(str(save(STATE, name)))
    assert read.keys() == STATE.keys()
    assert all(read[key].equal(STATE[key]) for key in STATE)


@pytest.mark.parametrize("wrapped", [{"state_dict": STATE, "epoch": 3}, {"model": STATE}])
def test_a_state_dict_among_other_things(save: Save, wrapped: Any) -> None:
    assert weights.read(str(save(wrapped, "w.pt"))).keys() == STATE.keys()


def test_the_names_of_a_parallel_training(save: Save) -> None:
    assert weights.read(str(save({f"module.{key}": tensor for key, tensor in STATE.items()}))).keys() == STATE.keys()


class Code:
    """Would leave a file, were it unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.bin"])
def test_code_in_a_pickle_does_not_run(save: Save, tmp_path: Path, name: str) -> None:
    made = tmp_path / "made"
    plain = tmp_path / name
    plain.write_bytes(pickle.dumps(Code(made)))
    for path in (save({"weight": Code(made)}, name), plain):
        with pytest.raises(ModelError, match="a file that holds more than tensors, or is damaged"):
            weights.read(str(path))
    assert not made.exists()


def truncated(save: Save, name: str) -> bytes:
    return save(STATE, name).read_bytes()[:-5]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no weights",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 90 << 20) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 75) + b'{"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,4]}}' + b"0000",
        b"PK\x03\x04" + bytes(40),
        "truncated",
    ],
    ids=["empty", "text", "huge header", "large header", "no tensors", "huge shape", "zip", "truncated"],
)
@pytest.mark.parametrize("name", ["w.safetensors", "w.pt"])
def test_no_weights(save: Save, tmp_path: Path, name: str, content: bytes | str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else truncated(save, name))
    with pytest.raises(ModelError, match=rf"expected weights in {path}, received .*; give a .safetensors") as told:
        weights.read(str(path))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500 + len(str(path))


@pytest.mark.parametrize("held", [[1, 2], {}, {"a": 3}, {1: torch.ones(2)}, torch.ones(2)])
def test_no_names_of_tensors(save: Save, held: Any) -> None:
    with pytest.raises(ModelError, match="received a file without named tensors"):
        weights.read(str(save(held, "w.pt")))


def test_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="received nothing there"):
        weights.read(str(tmp_path / "w.pt"))
    (tmp_path / "w.pth").mkdir()
    with pytest.raises(ModelError, match="received no file"):
        weights.read(str(tmp_path / "w.pth"))
    with pytest.raises(ModelError, match=r"in a .safetensors, .pt, .pth or .bin file, received .*w.npz"):
        weights.read(str(tmp_path / "w.npz"))


def test_a_module_is_filled() -> None:
    filled = module()
    weights.fill(filled, STATE, "w.pt", "it")
    assert filled.weight.equal(STATE["weight"])


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"weight": STATE["weight"]}, "received some without bias; give its own"),
        (STATE | {"z": torch.ones(1)}, "received some with the unknown z;"),
        (STATE | {"bias": torch.ones(3)}, r"received some with bias of \(3,\) for \(2,\);"),
        (
            {f"{i}": torch.ones(1) for i in range(5)},
            "received some without weight, bias, with the unknown 0, 1, 2 and 2 more;",
        ),
    ],
)
def test_other_weights_are_refused(given: Any, complaint: str) -> None:
    filled = module()
    before = {key: tensor.clone() for key, tensor in filled.state_dict().items()}
    with pytest.raises(ModelError, match=f"expected the weights of it in w.pt, {complaint}"):
        weights.fill(filled, given, "w.pt", "it")
    assert all(tensor.equal(before[key]) for key, tensor in filled.state_dict().items())


def test_the_hash_is_of_names_types_shapes_and_numbers() -> None:
    def hash_of(**state: Any) -> str:
        holder = torch.nn.Module()
        for name, tensor in state.items():
            holder.register_buffer(name, tensor)
        return weights.state_hash(holder)

    a, b = torch.arange(4.0), torch.ones(1)
    known = [
        hash_of(a=a, b=b),
        hash_of(a=b, b=a),
        hash_of(a=a, c=b),
        hash_of(a=a.reshape(2, 2), b=b),
        hash_of(a=a.to(torch.bfloat16), b=b),
        hash_of(a=a + torch.tensor([0, 0, 0, 1e-6]), b=b),
        hash_of(a=a),
    ]
    assert len({*known}) == len(known)
    assert hash_of(b=b, a=torch.stack([a, a], 1)[:, 0]) == known[0]  # in another order and strided


def test_numbers_that_are_none_are_refused() -> None:
    filled = module()
    weights.require_finite(filled, "w.pt")
    with torch.no_grad():
        filled.bias[1] = torch.nan
    with pytest.raises(ModelError, match=r"finite weights in w.pt, received NaN or infinite ones in bias; use a layer"):
        weights.require_finite(filled, "w.pt")
