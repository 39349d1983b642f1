"""lookalike finds what looks alike: nearest pictures and vectors by locality-sensitive hashing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike import errors
from lookalike.index import Index, Neighbors

if TYPE_CHECKING:
    from lookalike.collection import Collection, open

__version__ = "0.1.0"

__all__ = ["Collection", "Index", "Neighbors", "errors", "open"]


def __getattr__(name: str) -> Any:
    # Collections bring SQLite along: whoever only searches vectors does not wait for it.
    if name in ("Collection", "open"):
        from lookalike import collection

        return getattr(collection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
