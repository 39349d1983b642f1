"""How a collection remembers its model, and when that is loaded: the model here is an ONNX file of four colours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lookalike
from lookalike.collection import Collection
from lookalike.errors import ArgumentError, ModelError
from lookalike.models import model as registry
from lookalike.models.onnx_file import OnnxFile
from lookalike.models.spec import Spec

from .conftest import PICTURES, Draw

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402


def write_model(path: Path, kind: str = "AveragePool") -> Path:
    """A model of 12 dimensions: the colours of the quarters of a picture."""
    taken = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ("n", 3, 8, 8))
    given = helper.make_tensor_value_info("vector", TensorProto.FLOAT, ("n", 12))
    nodes = [
        helper.make_node(kind, ["pictures"], ["quarters"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["quarters"], ["vector"]),
    ]
    made = helper.make_graph(nodes, "quarters", [taken], [given])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "quarters.onnx")


@pytest.fixture
def indexed(folder: Path, model: Path) -> Path:
    """A folder that was indexed with it; the model is then read anew."""
    with Collection.create(folder, model=str(model)) as collection:
        assert collection.sync().new == PICTURES
    registry._by_spec.clear()
    return folder


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of models that are read."""
    read: list[str] = []
    real = OnnxFile._read

    def counting(self: Any) -> bytes:
        read.append(self.name)
        return real(self)

    monkeypatch.setattr(OnnxFile, "_read", counting)
    return read


def test_the_name_is_remembered_and_the_model_loaded_when_something_is_embedded(
    indexed: Path, model: Path, reads: list[str], draw: Draw
) -> None:
    with Collection.open(indexed) as collection:
        assert collection.info().model == collection.model.name == str(model)
        assert (collection.model.dim, collection.model.hash) == (12, collection.info().model_hash)
        assert len(collection.paths()) == PICTURES
        assert collection.vector(indexed / "0.png").shape == (12,)
        assert len(collection.search(indexed / "0.png", k=3)) == 3
        assert len(collection.search(np.ones(12), k=3)) == 3
        assert collection.sync().unchanged == PICTURES
        assert reads == []
        draw(indexed / "new.png", seed=50)
        assert collection.sync().new == 1
        assert reads == [str(model)]
        assert not hasattr(collection.model, "embed_text")


def test_another_model_under_its_name_is_refused_before_a_wrong_answer(indexed: Path, model: Path, draw: Draw) -> None:
    write_model(model, "MaxPool")
    outside = draw(indexed.parent / "outside.png", seed=60)
    with Collection.open(indexed) as collection:
        assert len(collection.search(indexed / "0.png", k=3)) == 3
        with pytest.raises(
            ModelError, match=rf"expected the model {model} with the hash \w+, which made .*, received \w+;"
        ):
            collection.search(outside)
        draw(indexed / "new.png", seed=50)
        with pytest.raises(ModelError, match="name another place, or change the model by `lookalike index`"):
            collection.sync()
        assert len(collection) == PICTURES


def test_a_model_that_is_gone_is_missed_when_something_is_embedded(indexed: Path, model: Path, draw: Draw) -> None:
    model.unlink()
    outside = draw(indexed.parent / "outside.png", seed=60)
    with lookalike.open(indexed) as collection:
        assert len(collection.search(indexed / "0.png", k=3)) == 3
        with pytest.raises(ModelError, match=f"expected an ONNX file at {model}, received 'No such file"):
            collection.search(outside)


@pytest.mark.parametrize("by", ["open", "lookalike.open", "create"])
def test_a_file_that_was_moved(indexed: Path, model: Path, draw: Draw, by: str) -> None:
    moved = model.rename(model.with_name("moved 100%.onnx"))
    draw(indexed / "new.png", seed=50)
    name = str(moved).replace("%", "%25")
    ways: dict[str, Any] = {"open": Collection.open, "lookalike.open": lookalike.open, "create": Collection.create}
    with ways[by](indexed, model=name) as collection:
        collection.sync()
        assert len(collection) == PICTURES + 1
        assert collection.info().model == collection.model.name == name
    with Collection.open(indexed) as collection:  # from now on it is remembered so
        assert collection.info().model == name
        assert collection.sync(retry=True).unchanged == PICTURES + 1
        collection.optimize()
    assert Collection.verify(indexed) == []


def test_who_has_it_open_does_not_take_the_new_name_back(indexed: Path, model: Path, draw: Draw) -> None:
    with Collection.open(indexed) as before:
        before.model.embed(np.zeros((1, 8, 8, 3), np.uint8))
        moved = model.rename(model.with_name("moved.onnx"))
        with Collection.open(indexed, model=str(moved)) as collection:
            collection.sync()
        draw(indexed / "new.png", seed=50)
        assert before.sync().new == 1
        assert before.info().model == str(moved)


def test_a_relative_path_is_remembered_as_an_absolute_one(
    folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    with Collection.create(folder, model="quarters.onnx?fit=squeeze") as collection:
        collection.sync()
    monkeypatch.chdir("/")
    with Collection.open(folder) as collection:
        assert collection.info().model == f"{model}?fit=squeeze"
        assert collection.model.input.fit == "squeeze"


def test_what_is_no_name_of_its_model_is_refused_at_once(indexed: Path, model: Path, reads: list[str]) -> None:
    other = write_model(model.with_name("other.onnx"), "MaxPool")
    for name in (str(other), f"{model}?bgr"):
        for opening in (Collection.open, Collection.create):
            with pytest.raises(ModelError, match=rf"expected the model {model} with the hash .*received {name[:-4]}"):
                opening(indexed, model=name)
    del reads[:]
    for name in ("efficientnet-lite0", "vgg16", "timm:test_vit"):
        with pytest.raises(ModelError, match=f"expected the model {model} .*received {name};"):
            Collection.open(indexed, model=name)
    assert reads == []  # nor is anything fetched of the others
    with pytest.raises(ArgumentError, match="device cpu for"):
        Collection.open(indexed, device="cuda")
    with Collection.open(indexed) as collection:
        assert collection.info().model == str(model)


def test_a_device_is_that_of_the_model_which_is_there(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the default one, which has none."""
    asked: list[str] = []

    def make(spec: Spec, device: str) -> OnnxFile:
        asked.append(device)
        return OnnxFile(spec)

    monkeypatch.setattr(registry, "_made", make)
    with Collection.create(indexed, device="cuda:1") as collection:
        assert collection.sync().unchanged == PICTURES
    assert asked == ["cuda:1"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("none.onnx", "No such file"), ("quarters.onnx?side=9", "the side 9"), ("vgg17", "did you mean vgg16")],
)
def test_a_model_that_cannot_be_had_leaves_nothing(folder: Path, model: Path, name: str, complaint: str) -> None:
    for opening in (Collection.open, Collection.create, lookalike.open):
        with pytest.raises(ModelError, match=complaint):
            opening(folder, model=os.path.join(model.parent, name) if ".onnx" in name else name)
    assert not (folder / ".lookalike").exists()


def test_repair_embeds_with_it(indexed: Path, model: Path) -> None:
    (segment,) = (indexed / ".lookalike" / "segments").iterdir()
    data = bytearray(segment.read_bytes())
    with Collection.open(indexed) as collection:
        vector = collection.vector(indexed / "0.png")
    at = data.index(vector.tobytes())
    data[at] ^= 1
    segment.write_bytes(data)
    model.rename(model.with_name("moved.onnx"))
    with pytest.raises(ModelError, match="No such file"):
        Collection.repair(indexed)
    model.with_name("moved.onnx").rename(model)
    assert Collection.repair(indexed).done
    with Collection.open(indexed) as collection:
        np.testing.assert_array_equal(collection.vector(indexed / "0.png"), vector)
