"""How many threads BLAS and OpenMP take in this process, where a library has no word for it."""

from __future__ import annotations

from threadpoolctl import threadpool_limits


def limit(threads: int) -> None:
    """From now on, for all libraries that are loaded."""
    threadpool_limits(threads)
