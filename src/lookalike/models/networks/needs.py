"""What a network needs of this machine: packages of the extra `torch`, and the device that was asked for."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from lookalike.errors import ArgumentError, MissingExtraError

_OLDEST = (2, 6)  # of torch: before, weights_only did not keep code in a file from running (CVE-2025-32434)


def require_extra(*packages: str) -> None:
    """MissingExtraError where one of these packages is not installed; none is imported."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"expected the package {missing[0]}, which this model needs, received none; it comes with an extra: "
            "pip install 'lookalike[torch]'"
        )


def require_device(device: str) -> None:
    """ArgumentError for what is the name of no device; whether it is there is known when the network is loaded."""
    if not re.fullmatch("cpu|mps|cuda(:[0-9]+)?", device):
        raise ArgumentError(f"expected cpu, cuda, cuda:N or mps as the device, received {device!r}; name one of them")


def torch_device(device: str) -> Any:
    """The torch.device of that name.

    Raises:
        ArgumentError: it is not there.
        MissingExtraError: PyTorch is too old.
    """
    import torch

    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _OLDEST:
        raise MissingExtraError(
            f"expected PyTorch {'.'.join(map(str, _OLDEST))} or later, received {torch.__version__}: pip install "
            "--upgrade 'lookalike[torch]'"
        )

    found = torch.device(device)
    there = {
        "cpu": lambda: True,
        "cuda": lambda: torch.cuda.is_available() and (found.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available,
    }
    if not there[found.type]():
        raise ArgumentError(
            f"expected a device that is there, received {device}, which PyTorch {torch.__version__} does not find; "
            "use cpu, or install a PyTorch that was built for it"
        )
    return found
