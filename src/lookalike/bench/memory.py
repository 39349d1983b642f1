"""The memory of this process, as Linux tells it; 0 where it does not."""

from __future__ import annotations

import gc
import os
import resource
import signal

from lookalike.memory import give_back

_SELF = "/proc/self"


def resident() -> int:
    """Bytes that only this process uses, after what is free was given back."""
    gc.collect()
    if not os.path.exists(f"{_SELF}/statm"):
        return 0
    give_back()
    with open(f"{_SELF}/statm") as file:
        _, pages, shared, *_ = map(int, file.read().split())
    return (pages - shared) * os.sysconf("SC_PAGE_SIZE")


def begin_peak() -> None:
    """From now on `peak` counts."""
    if os.path.exists(f"{_SELF}/clear_refs"):
        with open(f"{_SELF}/clear_refs", "w") as file:
            file.write("5")  # proc(5): resets VmHWM


def peak() -> int:
    """The most bytes in memory since `begin_peak`, mapped files among them."""
    return _kilobytes(f"{_SELF}/status", "VmHWM")


def mapped() -> int:
    """Bytes of files that this process has in memory."""
    return _kilobytes(f"{_SELF}/status", "RssFile")


def available() -> int:
    """Bytes that the machine could give now."""
    return _kilobytes("/proc/meminfo", "MemAvailable")


def limit(most: int) -> None:
    """Asking for more than so many bytes fails from now on; 0 for no limit."""
    if most and hasattr(resource, "RLIMIT_DATA"):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def ending(code: int | None, most: int) -> str:
    """How a process ended that had so much memory, in words."""
    if code is None or code >= 0:
        return f"its process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
    return f"its process ended by {name}" + (f"; it was allowed {most / 1e9:,.1f} GB of memory" if most else "")


def _kilobytes(path: str, name: str) -> int:
    if not os.path.exists(path):
        return 0
    with open(path) as file:
        return next((1024 * int(line.split()[1]) for line in file if line.startswith(f"{name}:")), 0)
