"""How many threads BLAS and OpenMP take in this process, where a library has no word for it."""

from __future__ import annotations


def limit(threads: int) -> None:
    """From now on, for all libraries that are loaded."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
