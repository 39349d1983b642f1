"""Whom a model tells what it is about to do that may take long: to fetch weights."""

from __future__ import annotations

from collections.abc import Callable

Notify = Callable[[str], None]
"""Is called with one sentence, before anything is fetched."""


def by_logging(sentence: str) -> None:
    """Tells whoever configured Python's logging of `lookalike`, and else stderr."""
    import logging

    logging.getLogger("lookalike").warning("%s", sentence)
