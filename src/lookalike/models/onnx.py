"""Models in the ONNX format, the default one among them; the only file that imports onnxruntime."""

from __future__ import annotations

import ctypes
import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakMethod

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ModelError
from lookalike.fitting import Fit, Input
from lookalike.models.pixels import require_pictures

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH = 4
"""Pictures that go through the network at once; docs/model.md has the timings."""

_WEIGHTS = Path(__file__).with_name("weights")


class Sessions:
    """What runs one ONNX model: a session for each number of threads, opened when first needed.

    Several threads may run it at once, and so may a forked child.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Sessions of the model that `read` gives."""
        self._read = read
        self._by_threads: dict[int, InferenceSession] = {}
        self._lock = threading.Lock()
        forget = WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (found := forget()) and found())

    def open(self, threads: int) -> InferenceSession:
        """The session that computes with so many threads."""
        with self._lock:
            if threads not in self._by_threads:
                self._by_threads[threads] = start_session(self._read(), threads)
            return self._by_threads[threads]

    def _forget(self) -> None:
        """In a forked child the sessions' threads are gone: destroying one would wait for them for ever."""
        for session in self._by_threads.values():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
        self._by_threads, self._lock = {}, threading.Lock()


@dataclass(eq=False)
class OnnxModel:
    """A picture model in an ONNX file: one uint8 input (n, side, side, 3), one float32 output (n, dim).

    The file is read when first needed and used only if it has this SHA-256. A picture's vector does not depend
    on the batch it is in, to within rounding. Several threads may embed at once, and so may a forked child.
    """

    name: str
    path: Path
    sha256: str
    dim: int
    input: Input
    _sessions: Sessions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._sessions = Sessions(self._read)

    @property
    def hash(self) -> str:
        """Of all that a vector depends on: the file, and how a picture is fitted to it."""
        input = self.input
        rest = "" if input == Input(input.side, input.fit) else f" {input.shorter} {input.filter} {input.exact}"
        return hashlib.sha256(f"{self.sha256} {input.side} {input.fit}{rest}".encode()).hexdigest()

    def embed(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The vectors of `batch`: (n, side, side, 3) uint8 RGB in, (n, dim) float32 out, for any n >= 0.

        Raises:
            ArgumentError: the batch has another dtype or shape.
            ModelError: the weights are missing or altered.
        """
        require_pictures(batch, self.input.side)
        parts = [np.ascontiguousarray(batch[start : start + BATCH]) for start in range(0, len(batch), BATCH)]
        if len(parts) < 2:
            vectors = [self._run(part, threads=cores()) for part in parts]
        else:  # each core goes through the network alone, and waits for no other
            with ThreadPoolExecutor(cores(), thread_name_prefix="lookalike-model") as threads:
                vectors = list(threads.map(lambda part: self._run(part, threads=1), parts))
        return np.concatenate([np.empty((0, self.dim), np.float32), *vectors])

    def _run(self, part: NDArray[np.uint8], threads: int) -> NDArray[np.float32]:
        vectors: NDArray[np.float32]
        (vectors,) = self._sessions.open(threads).run(None, {"pictures": part})
        return vectors

    def _read(self) -> bytes:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"expected the weights of {self.name} at {self.path}, received {error.strerror}; "
                "install lookalike again"
            ) from error
        received = hashlib.sha256(data).hexdigest()
        if received != self.sha256:
            raise ModelError(
                f"expected weights with SHA-256 {self.sha256} in {self.path}, received {received}: the file was "
                "altered; install lookalike again"
            )
        return data


def efficientnet_lite0(fit: Fit = "squares") -> OnnxModel:
    """The default model: EfficientNet-Lite0 trained on ImageNet (Tan & Le 2019, arXiv 1905.11946).

    Its earlier version saw of long pictures the middle alone: that has the fit "seamless".
    """
    return OnnxModel(
        name="efficientnet-lite0",
        path=_WEIGHTS / "efficientnet-lite0.onnx",
        sha256="ec19c480876c544958e368032762260b292f4c0fc977fd4a1460d3c12e16de5a",
        dim=1280,
        input=Input(side=224, fit=fit),
    )


def start_session(data: bytes, threads: int) -> InferenceSession:
    """A session of the ONNX model in `data`, on the processor, that computes with `threads` threads."""
    # onnxruntime 1.29 and later report to their makers as soon as they are imported, unless told not to.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # for when someone else had imported it before
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, and need not be printed, too
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the decoders need the cores
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
