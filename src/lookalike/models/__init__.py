"""What turns a picture into a vector.

model.py       what a model is, and `get_model`, which knows them by name
spec.py        what a name says
onnx.py        the default model; onnx_file.py any ONNX file, onnx_wire.py what its bytes say
perceptual.py  perceptual hashes, which need no network
words/         words for what the default model sees
networks/      what PyTorch computes: VGG16, torchvision, timm, open_clip
squares.py     the vector of a picture that became several squares
pixels.py      what numbers a network takes of a picture
notify.py      who is told of downloads
"""

from __future__ import annotations

from lookalike.fitting import Fit, Input

from .model import DEFAULT, Model, TextModel, could_be, get_model, register
from .notify import Notify
from .squares import embed_squares

__all__ = [
    "DEFAULT",
    "Fit",
    "Input",
    "Model",
    "Notify",
    "TextModel",
    "could_be",
    "embed_squares",
    "get_model",
    "register",
]
