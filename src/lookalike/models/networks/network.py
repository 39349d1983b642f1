"""What PyTorch computes: a network with its weights, loaded when it is first needed, on the device asked for."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError
from lookalike.fitting import Input
from lookalike.models.networks.needs import require_extra, torch_device
from lookalike.models.networks.weights import require_finite, state_hash
from lookalike.models.notify import Notify, by_logging, in_short
from lookalike.models.pixels import Pixels, preparation, require_pictures

BATCH = 8
"""Pictures that go through a network at once on the processor; on another device eight times as many."""


@dataclass(frozen=True)
class Network:
    """A network with its weights, on the processor.

    Attributes:
        module: a torch.nn.Module that holds all weights the vectors depend on.
        encode: from numbers, a tensor (n, 3, side, side), to vectors (n, dim); it is `module` or a part of it.
        layer: what else the vectors depend on, for the hash.
        source: where the weights came from, for messages.
        encode_text: from texts and a torch device to vectors (n, dim), where the network knows texts.
    """

    module: Any
    encode: Callable[[Any], Any]
    input: Input
    pixels: Pixels
    layer: str
    source: str
    encode_text: Callable[[Sequence[str], Any], Any] | None = None


class NetworkModel:
    """A model that PyTorch computes.

    `name` is known at once; all else, and `embed`, loads the network, which takes seconds. A picture's vector does not
    depend on the batch it is in, to within rounding. Several threads may embed at once, and so may a forked child where
    the device is the processor.
    """

    lazy = True

    def __init__(self, name: str, device: str, load: Callable[[Notify], Network]) -> None:
        """A model that is loaded by `load`, which notifies of downloads whom `notify` names by then."""
        self.name = name
        self.notify: Notify = by_logging
        self._device = device
        self._load = load
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (found := forked()) and found())

    @property
    def hash(self) -> str:
        """Of all that a vector depends on: the weights, the layer, and what a picture becomes before."""
        return self._network().hash

    @property
    def dim(self) -> int:
        return self._network().dim

    @property
    def input(self) -> Input:
        return self._network().input

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors of `batch`: (n, side, side, 3) uint8 RGB in, (n, dim) float32 out, for any n >= 0.

        Raises:
            ArgumentError: the batch has another dtype or shape; the device is not there.
            MissingExtraError: what the network needs is not installed.
            ModelError: the weights are missing, damaged or of another network.
        """
        network = self._network()
        require_pictures(batch, network.input.side)
        return network.vectors(batch)

    def _network(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                # read when torch is imported: else its threads wait by spinning, and the decoders need the cores
                os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
                require_extra("torch")
                device = torch_device(self._device)  # before anything is fetched
                self._loaded = _Loaded(self._load(self.notify), device)
            return self._loaded

    def _forked(self) -> None:
        """In a forked child the threads that shared the work are gone: whoever waits for them waits for ever."""
        self._lock = threading.Lock()
        if self._loaded is not None:
            import torch

            torch.set_num_threads(1)


class TextNetworkModel(NetworkModel):
    """A model that turns texts into vectors, too, near those of the pictures that they describe."""

    def embed_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of `texts`, (n, dim) float32, to be compared with pictures' by cosine; long texts are cut.

        Raises:
            MissingExtraError, ModelError: as `embed`.
        """
        return self._network().vectors_of_text(texts)


class _Loaded:
    """A network on its device."""

    def __init__(self, network: Network, device: Any) -> None:
        import torch

        self._network = network
        self._device = device
        self.input = fit = network.input
        require_finite(network.module, network.source)
        described = f"{network.layer}\n{preparation(fit, network.pixels)}\n{state_hash(network.module)}"
        self.hash = hashlib.sha256(described.encode()).hexdigest()
        # a fifth faster on the processor where there are convolutions, and the same elsewhere
        network.module.eval().to(self._device, memory_format=torch.channels_last)
        first = self._encode(np.zeros((1, fit.side, fit.side, 3), np.uint8))
        if first.ndim != 2:
            raise ModelError(
                f"expected one vector a picture from {network.layer}, received an array of shape {first.shape}; name "
                "another model"
            )
        self.dim: int = first.shape[1]

    def vectors(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        size = BATCH if self._device.type == "cpu" else 8 * BATCH
        parts = (self._encode(batch[start : start + size]) for start in range(0, len(batch), size))
        return np.concatenate([np.empty((0, self.dim), np.float32), *parts])

    def vectors_of_text(self, texts: Sequence[str]) -> NDArray[np.float32]:
        encode = cast(Any, self._network.encode_text)
        parts = (
            self._run(partial(encode, texts[start : start + BATCH], self._device))
            for start in range(0, len(texts), BATCH)
        )
        return np.concatenate([np.empty((0, self.dim), np.float32), *parts])

    def _encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        numbers = torch.from_numpy(self._network.pixels.numbers(batch)).contiguous(memory_format=torch.channels_last)
        return self._run(lambda: self._network.encode(numbers.to(self._device)))

    def _run(self, compute: Callable[[], Any]) -> NDArray[np.float32]:
        import torch

        exactly = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
        try:
            with torch.inference_mode(), exactly:
                vectors: NDArray[np.float32] = compute().float().cpu().numpy()
        except RuntimeError as error:  # the device's memory is full, or it was forked
            raise ModelError(
                f"expected vectors by {self._network.layer} on {self._device}, received {in_short(error)!r}; "
                "try it on cpu, or name another model"
            ) from error
        return vectors
