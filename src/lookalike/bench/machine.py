"""Where and with what something was measured."""

from __future__ import annotations

import os
import platform
import subprocess

import numpy as np

from lookalike import __version__, _core


def machine() -> str:
    """The processor, and how many of its cores this process may use."""
    model = platform.processor() or "processor unknown"
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {cores()} cores"


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def software() -> dict[str, str]:
    """Versions by name; the commit of lookalike, where it runs from its repository."""
    found = {"lookalike": __version__, "commit": commit(), "simd": _core.simd, "python": platform.python_version()}
    found |= {"numpy": np.__version__, "system": platform.platform()}
    return {name: value for name, value in found.items() if value}


def commit() -> str:
    """Of this code, with "-dirty" where it was changed since; "" where it is no working copy, or there is no git."""
    here = os.path.dirname(os.path.abspath(__file__))
    git = ["git", "-C", here]
    try:
        _told(*git, "ls-files", "--error-unmatch", __file__)
        return _told(*git, "describe", "--always", "--dirty")
    except (OSError, subprocess.SubprocessError):
        return ""


def _told(*words: str) -> str:
    done = subprocess.run(words, check=True, capture_output=True, timeout=10, text=True)  # noqa: S603 (words of ours)
    return done.stdout.strip()
