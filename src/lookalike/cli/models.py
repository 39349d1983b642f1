"""The options that say which model, and how it runs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="What turns pictures into vectors: phash, vgg16, torchvision:NAME, timm:NAME, clip:NAME, FILE.onnx; "
        "of an index that is there, what its model is called now. `index` changes it to another one.",
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option("--weights", metavar="FILE", help="Its weights: .safetensors, or a state dict in .pt or .pth."),
]
BgrOption = Annotated[bool, typer.Option("--bgr", help="These weights take blue first, as Caffe's.")]
DeviceOption = Annotated[str, typer.Option("--device", metavar="NAME", help="Where it runs: cpu, cuda, cuda:N or mps.")]


def model_options(model: str | None, weights: str | None, bgr: bool, device: str) -> dict[str, Any]:
    """What `Collection.open` and `Collection.create` are told of the model.

    Raises:
        ArgumentError, ModelError: options that do not go together, or there are not.
    """
    from lookalike.cli.syncing import note
    from lookalike.errors import ArgumentError
    from lookalike.models.spec import name_of

    if model is None and (weights is not None or bgr):
        raise ArgumentError("expected --weights and --bgr with the --model that they are for, received none; name it")
    name = None if model is None else name_of(model, weights, bgr)
    return {"model": name, "device": device, "notify": note}
