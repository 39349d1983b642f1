from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ModelError
from lookalike.models.onnx_wire import require_whole

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def tensor(outside: bool) -> Any:
    made = numpy_helper.from_array(np.ones(2, np.float32), "t")
    if outside:
        onnx.external_data_helper.set_external_data(made, "../weights")
    return made


def sparse(outside: bool) -> Any:
    places = helper.make_tensor("places", TensorProto.INT64, (2,), [0, 1])
    return onnx.helper.make_sparse_tensor(tensor(outside), places, [4])


def graph(nodes: tuple[Any, ...] = (), tensors: tuple[Any, ...] = (), sparses: tuple[Any, ...] = ()) -> Any:
    return helper.make_graph(list(nodes), "g", [], [], list(tensors), sparse_initializer=list(sparses))


def node(**attributes: Any) -> Any:
    return helper.make_node("Something", [], ["out"], **attributes)


def function(made: Any) -> Any:
    return helper.make_function("ours", "F", [], ["out"], [made], [helper.make_opsetid("", 17)])


PLACES = {
    "an initializer": lambda t: helper.make_model(graph(tensors=(tensor(False), tensor(t)))),
    "a sparse one": lambda t: helper.make_model(graph(sparses=(sparse(t),))),
    "a constant": lambda t: helper.make_model(graph((node(value=tensor(t)),))),
    "constants": lambda t: helper.make_model(graph((node(values=[tensor(False), tensor(t)]),))),
    "a sparse constant": lambda t: helper.make_model(graph((node(sparse_value=sparse(t)),))),
    "a branch": lambda t: helper.make_model(graph((node(then=graph((node(value=tensor(t)),))),))),
    "branches": lambda t: helper.make_model(graph((node(cases=[graph(), graph(tensors=(tensor(t),))]),))),
    "a function": lambda t: helper.make_model(graph(), functions=[function(node(value=tensor(t)))]),
}


@pytest.mark.parametrize("place", PLACES)
def test_weights_elsewhere_are_found_wherever_they_are_named(place: str) -> None:
    require_whole(PLACES[place](False).SerializeToString(), "a.onnx")
    with pytest.raises(ModelError, match=r"received a.onnx, which takes some from other files"):
        require_whole(PLACES[place](True).SerializeToString(), "a.onnx")


def test_a_location_alone_is_enough() -> None:
    made = tensor(False)
    made.data_location = TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="other files"):
        require_whole(helper.make_model(graph(tensors=(made,))).SerializeToString(), "a.onnx")
    made.data_location = TensorProto.DEFAULT
    require_whole(helper.make_model(graph(tensors=(made,))).SerializeToString(), "a.onnx")


@given(st.binary(max_size=60))
def test_any_bytes_are_looked_through_or_refused(data: bytes) -> None:
    try:
        require_whole(data, "a.onnx")
    except ModelError as error:
        assert "a.onnx" in str(error)  # noqa: PT017 (what it raises depends on the bytes)
