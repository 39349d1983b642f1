"""What models tell: that weights are about to be fetched, and what others' errors say."""

from __future__ import annotations

from collections.abc import Callable

Notify = Callable[[str], None]
"""Is called with one sentence, before anything is fetched."""


def by_logging(sentence: str) -> None:
    """Tells whoever configured Python's logging of `lookalike`, and else stderr."""
    import logging

    logging.getLogger("lookalike").warning("%s", sentence)


def in_short(error: Exception) -> str:
    """What an error of another package says, in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
