"""What other processes take of the processors while something is measured."""

from __future__ import annotations

import os
import time


class Others:
    """From now on. Those that this process started, and that have ended when it asks, are not others."""

    def __init__(self) -> None:
        self._begin, self._before = time.perf_counter(), _busy()

    def share(self) -> float | None:
        """Of the time of all processors so far, the system's own work among it; None where the system does not tell."""
        if self._before is None or (now := _busy()) is None:
            return None
        there = (time.perf_counter() - self._begin) * (os.cpu_count() or 1)
        return max(0.0, now - self._before) / there


def _busy() -> float | None:
    """Seconds of all processors since the machine began, but for ours."""
    if not os.path.exists("/proc/stat"):
        return None
    with open("/proc/stat") as file:  # proc(5): user, nice, system, idle, iowait, irq, softirq, steal
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])
