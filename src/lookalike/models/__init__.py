"""What turns a picture into a vector."""

from __future__ import annotations

from .model import DEFAULT, Fit, Input, Model, get_model, register

__all__ = ["DEFAULT", "Fit", "Input", "Model", "get_model", "register"]
