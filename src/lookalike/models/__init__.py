"""What turns a picture into a vector.

model.py       what a model is, and `get_model`, which knows them by name
spec.py        what a name says
onnx.py        the default model; onnx_file.py any ONNX file, onnx_wire.py what its bytes say
networks/      what PyTorch computes: VGG16, torchvision, timm, open_clip
pixels.py      what numbers a network takes of a picture
notify.py      who is told of downloads
"""

from __future__ import annotations

from lookalike.fitting import Fit, Input

from .model import DEFAULT, Model, TextModel, could_be, get_model, register
from .notify import Notify

__all__ = ["DEFAULT", "Fit", "Input", "Model", "Notify", "TextModel", "could_be", "get_model", "register"]
