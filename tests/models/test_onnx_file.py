"""Any ONNX file as a model; the files are made here, of one small network: a convolution, its mean over the plane."""

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

from lookalike.errors import ArgumentError, ModelError
from lookalike.models import Input, get_model
from lookalike.models.pixels import Pixels

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

Make = Callable[..., Path]
Floats = NDArray[np.float32]

KERNEL = np.random.default_rng(0).normal(size=(7, 3, 5, 5)).astype(np.float32)
PICTURES = np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def graph(
    shape: tuple[int | str, ...] = ("n", 3, 32, 32),
    type: int = TensorProto.FLOAT,
    layout: str = "nchw",
    inputs: tuple[Any, ...] = (),
    outputs: tuple[str, ...] = ("vector",),
) -> Any:
    """A model of 7 dimensions, from pictures as they are laid out; another output, `squares`, are the vector's."""
    taken = helper.make_tensor_value_info("pictures", type, shape)
    nodes = [helper.make_node("Cast", ["pictures"], ["floats"], to=TensorProto.FLOAT)]
    order = [0, 1, 2, 3] if layout == "nchw" else [0, 3, 1, 2]
    nodes += [
        helper.make_node("Transpose", ["floats"], ["planes"], perm=order),
        helper.make_node("Conv", ["planes", "kernel"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["points"]),
        helper.make_node("Flatten", ["points"], ["vector"]),
        helper.make_node("Mul", ["vector", "vector"], ["squares"]),
    ]
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    weights = [numpy_helper.from_array(KERNEL, "kernel")]
    made = helper.make_graph(nodes, "small", [taken, *inputs], given, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def save(name: str = "small.onnx", **how: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(graph(**how).SerializeToString())
        return path

    return save


def expected(numbers: Floats) -> Floats:
    """The network's vectors of (n, 3, side, side), by NumPy."""
    windows = np.lib.stride_tricks.sliding_window_view(numbers.astype(np.float64), (5, 5), axis=(2, 3))
    vectors: Floats = np.einsum("ncijkl,fckl->nf", windows, KERNEL) / (windows.shape[2] * windows.shape[3])
    return vectors


def require_close(received: Floats, wanted: Floats) -> None:
    assert received.dtype == np.float32
    assert received.shape == wanted.shape
    assert np.abs(received - wanted).max() < 1e-5 * np.abs(wanted).max()


IMAGENET = expected(Pixels().numbers(PICTURES))
LEVELS = expected(PICTURES.transpose(0, 3, 1, 2).astype(np.float32))


@pytest.mark.parametrize("batch", ["n", 1, 2, 5, 8], ids=str)
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_floats_of_any_layout_and_batch(make: Make, layout: str, batch: int | str) -> None:
    sides = (3, 32, 32) if layout == "nchw" else (32, 32, 3)
    model = get_model(str(make(shape=(batch, *sides), layout=layout)))
    assert (model.dim, model.input) == (7, Input(32, "crop", exact=True))
    require_close(model.embed(PICTURES), IMAGENET)
    require_close(model.embed(PICTURES[3:4]), IMAGENET[3:4])
    assert model.embed(PICTURES[:0]).shape == (0, 7)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_levels(make: Make, layout: str) -> None:
    sides = (3, 32, 32) if layout == "nchw" else (32, 32, 3)
    path = make(shape=("n", *sides), layout=layout, type=TensorProto.UINT8)
    require_close(get_model(str(path)).embed(PICTURES), LEVELS)
    turned = expected(PICTURES[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32))
    require_close(get_model(f"{path}?bgr").embed(PICTURES), turned)


def test_what_the_file_does_not_tell(make: Make) -> None:
    path = make(shape=("n", "c", "h", "w"))
    model = get_model(f"{path}?layout=nchw&side=32&range=255&mean=1,2,3&std=2&bgr&fit=crop&shorter=36&filter=bilinear")
    assert model.input == Input(32, "crop", 36, "bilinear", exact=True)
    require_close(model.embed(PICTURES), expected(Pixels((1, 2, 3), (2, 2, 2), 255, True).numbers(PICTURES)))
    assert get_model(f"{path}?layout=nchw&side=24&fit=squeeze").input == Input(24, "squeeze", exact=True)


def test_one_of_several_outputs(make: Make) -> None:
    path = make(outputs=("vector", "squares"))
    with pytest.raises(
        ModelError, match=r"of vector \(float .*, squares \(float .*received None; write it .*\?output=NAME"
    ):
        get_model(str(path)).dim  # noqa: B018
    with pytest.raises(ModelError, match="received 'square'"):
        get_model(f"{path}?output=square").dim  # noqa: B018
    require_close(get_model(f"{path}?output=squares").embed(PICTURES), IMAGENET**2)
    require_close(get_model(f"{path}?output=vector").embed(PICTURES), IMAGENET)


def test_a_vector_with_a_plane_of_one_point(make: Make) -> None:
    require_close(get_model(str(make(outputs=("points",)))).embed(PICTURES), IMAGENET)


def test_the_hash_is_of_all_that_a_vector_depends_on(make: Make) -> None:
    path = make(outputs=("vector", "squares"))
    names = [
        f"{path}?output={rest}"
        for rest in ("vector", "squares", "vector&std=1", "vector&bgr", "vector&shorter=40", "vector&range=255")
    ]
    names.append(f"{make('other.onnx')}")
    hashes = [get_model(name).hash for name in names]
    assert len({*hashes}) == len(names)
    moved = path.rename(path.with_name("moved.onnx"))
    assert get_model(f"{moved}?output=vector&mean=0.485,0.456,0.406&range=1.0").hash == hashes[0]


@pytest.mark.parametrize(
    ("how", "options", "complaint"),
    [
        ({"type": TensorProto.INT64}, "", r"one that takes pictures \(int64 "),
        ({"shape": ("n", 1, 32, 32)}, "", "expected 3 channels as the layout of .*received None"),
        ({"shape": ("n", "c", 32, 32)}, "", r"expected nchw as the layout of .*\?layout=NAME"),
        ({"shape": ("n", 3, 32, 3)}, "", "expected nchw or nhwc as the layout"),
        ({}, "?layout=nhwc", "expected nchw as the layout of .*received 'nhwc'"),
        ({}, "?layout=chw", "received 'chw'"),
        (
            {"shape": ("n", 3, "h", "w")},
            "",
            r"sides \['h', 'w'\], received the side None; write it behind .*\?side=224",
        ),
        ({"shape": ("n", 3, 32, 24)}, "", r"has the sides \[32, 24\], received the side"),
        ({}, "?side=24", r"has the sides \[32, 32\], received the side 24"),
        ({"outputs": ("maps",)}, "", r"received float32 of shape \(1, 7, 28, 28\) of 1 pictures as maps"),
    ],
)
def test_a_file_that_is_no_model_of_pictures(make: Make, how: Any, options: str, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        get_model(f"{make(**how)}{options}").dim  # noqa: B018


def test_what_takes_vectors_is_refused(tmp_path: Path) -> None:
    taken, given = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 3)) for name in ("rows", "vectors"))
    made = helper.make_graph([helper.make_node("Neg", ["rows"], ["vectors"])], "none", [taken], [given])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "a.onnx")
    with pytest.raises(ModelError, match=r"received one that takes rows \(float \['n', 3\]\); save the part alone"):
        get_model(str(tmp_path / "a.onnx")).dim  # noqa: B018


def test_what_takes_text_too_is_refused(make: Make) -> None:
    tokens = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ("n", 77))
    with pytest.raises(
        ModelError, match=r"takes pictures \(float .*\), input_ids \(int64 \['n', 77\]\); save the part"
    ):
        get_model(str(make(inputs=(tokens,)))).dim  # noqa: B018


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("side=many", "expected numbers as in side=224, received side=many"),
        ("side=0", "a side of 1 to 32768 pixels"),
        ("shorter=20", "a shorter edge of 32"),
        ("fit=stretch", "a fit of"),
        ("filter=lanczos", "a filter of"),
        ("mean=1,2", "mean=0.485,0.456,0.406, received mean=1,2"),
        ("mean=a", "received mean=a"),
        ("std=0", "received std=0"),
        ("std=nan", "received std=nan"),
        ("range=1,2,3", "received range=1,2,3"),
        ("range=-1", "received range=-1"),
    ],
)
def test_an_option_that_says_nothing(make: Make, options: str, complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        get_model(f"{make(shape=('n', 3, 'h', 'w'))}?{'side=32&' * ('side' not in options)}{options}").dim  # noqa: B018


def test_an_option_that_would_do_nothing(make: Make) -> None:
    path = make(type=TensorProto.UINT8)
    with pytest.raises(ArgumentError, match=r"expected no std for .*levels of 0 to 255 as they are, received 2; leave"):
        get_model(f"{path}?std=2").dim  # noqa: B018


# -- files that are hostile, damaged or gone -----------------------------------------------------------


@pytest.mark.parametrize("location", ["weights.bin", "../../../../etc/passwd", "/dev/zero", ""])
def test_weights_in_another_file_are_refused(make: Make, tmp_path: Path, location: str) -> None:
    (tmp_path / "weights.bin").write_bytes(KERNEL.tobytes())
    model = graph()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location)
    model.graph.initializer[0].ClearField("raw_data")
    path = tmp_path / "outside.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(
        ModelError, match=r"an ONNX file with its weights in it, received .*outside.onnx, which takes some"
    ):
        get_model(str(path)).hash  # noqa: B018


def damages(data: bytes) -> dict[str, bytes]:
    later = onnx.load_from_string(data)
    later.opset_import[0].version = 999
    unknown = onnx.load_from_string(data)
    unknown.graph.node[0].op_type = "Nothing"
    return {
        "empty": b"",
        "text": b"no model",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "cut": data[: len(data) // 2],
        "cut at a field": data[:-1],
        "a long number": b"\xff" * 40,
        "a field beyond the end": b"\x3a\xff\xff\xff\xff\x7f",
        "of later": later.SerializeToString(),
        "unknown": unknown.SerializeToString(),
        "deep": deep(),
    }


def deep() -> bytes:
    """20,000 graphs, each in an attribute of a node of the next."""
    inner = b""
    for _ in range(20_000):
        for tag in (b"\x32", b"\x2a", b"\x0a"):  # graph of an attribute, of a node, of a graph
            inner = tag + varint(len(inner)) + inner
    return b"\x3a" + varint(len(inner)) + inner


def varint(number: int) -> bytes:
    made = b""
    while number > 127:
        made, number = made + bytes([number & 127 | 128]), number >> 7
    return made + bytes([number])


@pytest.mark.parametrize("damage", list(damages(graph().SerializeToString())))
def test_no_onnx_file(tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(damages(graph().SerializeToString())[damage])
    with pytest.raises(ModelError, match=r"expected an ONNX .*bad.onnx, received ") as told:
        get_model(str(path)).hash  # noqa: B018
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 600
    assert capfd.readouterr() == ("", "")


def test_no_file(make: Make, tmp_path: Path) -> None:
    for path in (tmp_path / "none.onnx", tmp_path):
        name = str(path if path.suffix else path.with_suffix(".onnx"))
        with pytest.raises(ModelError, match="received 'No such file or directory'; say where it is now"):
            get_model(name).hash  # noqa: B018
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    pipe, zeros, large = (tmp_path / f"{name}.onnx" for name in ("pipe", "zeros", "large"))
    os.mkfifo(pipe)
    zeros.symlink_to("/dev/zero")
    with large.open("wb") as file:
        file.truncate((1 << 31) + 1)
    for path in (folder, pipe, zeros, large):
        with pytest.raises(ModelError, match="received no file, or one of more than 2 GiB"):
            get_model(str(path)).hash  # noqa: B018


def test_a_file_that_is_replaced_is_another_model(make: Make) -> None:
    path = make(outputs=("vector",))
    first = get_model(str(path))
    before, vectors = first.hash, first.embed(PICTURES)
    make(outputs=("squares",))
    os.utime(path, ns=(1, 1))
    assert get_model(str(path)).hash != before
    np.testing.assert_array_equal(first.embed(PICTURES), vectors)


# -- threads and forks ---------------------------------------------------------------------------------


def test_threads_that_embed_at_once_get_the_same_vectors(make: Make) -> None:
    model = get_model(str(make()))
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(model.embed, [PICTURES] * 8):
            np.testing.assert_array_equal(vectors, model.embed(PICTURES))


@pytest.mark.parametrize("changed", [False, True])
def test_a_forked_child_embeds(make: Make, changed: bool) -> None:
    """It reads the file anew, and only if that is the same."""
    path = make()
    program = f"""
import os, sys
import numpy as np
from lookalike.errors import ModelError
from lookalike.models import get_model
model = get_model({str(path)!r})
pictures = np.ones((9, 32, 32, 3), np.uint8)
expected = model.embed(pictures)
if {changed}:
    with open({str(path)!r}, "ab") as file:
        file.write(b"\\x12\\x00")
child = os.fork()
if child == 0:
    try:
        sys.exit(0 if np.allclose(model.embed(pictures), expected) and not {changed} else "differs")
    except ModelError as error:
        sys.exit(0 if "another one than before" in str(error) and {changed} else str(error))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
