"""What turns a picture into a vector."""

from __future__ import annotations

from lookalike.fitting import Fit, Input

from .model import DEFAULT, Model, get_model, register

__all__ = ["DEFAULT", "Fit", "Input", "Model", "get_model", "register"]
