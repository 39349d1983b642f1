"""Files of weights: `.safetensors`, or a state dict by torch.save, of which nothing but tensors is ever read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lookalike.errors import ModelError
from lookalike.models.notify import in_short

_SAVED = (".pt", ".pth", ".bin")
_WITHIN = ("state_dict", "model")  # what training scripts put a state dict into, beside other things
_NAMED = 3
_KINDS = ("without", "with the unknown", "with")


def read(path: str) -> dict[str, Any]:
    """The tensors of a file by name, on the processor; without the `module.` of a model that was trained in parallel.

    Raises:
        ModelError: no such file, of another format, damaged, or with more in it than tensors.
    """
    with reading(path):
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            import torch

            found = torch.load(path, map_location="cpu", weights_only=True)
    for name in _WITHIN:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not (isinstance(found, Mapping) and found and all(map(_is_named_tensor, found.items()))):
        raise _no_weights(path, "a file without named tensors")
    if all(name.startswith("module.") for name in found):
        return {name.removeprefix("module."): tensor for name, tensor in found.items()}
    return found  # type: ignore[return-value]  # as it was saved: with what torch notes of versions


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What goes wrong while a file of weights is read is a ModelError."""
    if not path.endswith((".safetensors", *_SAVED)):
        raise ModelError(
            f"expected weights in a .safetensors, {', '.join(_SAVED[:-1])} or {_SAVED[-1]} file, received {path}; "
            "save the state dict as one of them"
        )
    if not os.path.isfile(path):
        raise ModelError(
            f"expected weights in {path}, received {'no file' if os.path.exists(path) else 'nothing there'}; say where "
            "they are now"
        )
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # a hostile file makes the readers raise whatever there is
        raise _no_weights(path, _said(error)) from error


def fill(module: Any, weights: Mapping[str, Any], path: str, what: str, *, assign: bool = False) -> None:
    """Copy weights into a torch.nn.Module, or `assign` them, whose they must be: no more, no fewer, of its shapes.

    Raises:
        ModelError: they are others; the first few are named.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    missing = [name for name in shapes if name not in weights and not name.endswith("num_batches_tracked")]
    others = [name for name in weights if name not in shapes]
    wrong = [
        f"{name} of {tuple(tensor.shape)} for {shapes[name]}"
        for name, tensor in weights.items()
        if name in shapes and tuple(tensor.shape) != shapes[name]
    ]
    said = [f"{kind} {_first(names)}" for kind, names in zip(_KINDS, (missing, others, wrong), strict=True) if names]
    if said:
        raise ModelError(f"expected the weights of {what} in {path}, received some {', '.join(said)}; give its own")
    try:
        module.load_state_dict(weights, assign=assign)
    except (RuntimeError, ValueError) as error:  # a module may ask for more, as for the version that saved them
        raise _no_weights(path, _said(error)) from error


def state_hash(module: Any) -> str:
    """The SHA-256 of all weights of a torch.nn.Module: names, types, shapes and bytes, in the order of the names."""
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def require_finite(module: Any, path: str) -> None:
    """ModelError where weights are NaN or infinite."""
    bad = [name for name, tensor in module.named_parameters() if not tensor.isfinite().all()]
    if bad:
        raise ModelError(
            f"expected finite weights in {path}, received NaN or infinite ones in {_first(bad)}; "
            "use a layer before them, or other weights"
        )


def _no_weights(path: str, received: str) -> ModelError:
    return ModelError(
        f"expected weights in {path}, received {received}; give a .safetensors file, or a state dict by torch.save"
    )


def _is_named_tensor(item: tuple[object, object]) -> bool:
    return isinstance(item[0], str) and hasattr(item[1], "shape")


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _said(error: Exception) -> str:
    """What a reader says, without the advice to trust the file that torch gives."""
    said = in_short(error)
    damaged = "Weights only load failed" in said or "weights_only" in said
    return "a file that holds more than tensors, or is damaged" if damaged else repr(said)
