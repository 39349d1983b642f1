"""Memory that was freed, and that the system gets back."""

from __future__ import annotations

import sys


def give_back() -> None:
    """Return what was freed, scattered over pages that are used in part, to the system; only glibc can.

    Other threads that allocate wait meanwhile, tens of milliseconds where much was freed: it is for work on
    many vectors, not for a search.
    """
    import ctypes  # which no search needs

    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
