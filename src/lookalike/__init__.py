"""lookalike finds what looks alike: nearest pictures and vectors by locality-sensitive hashing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lookalike import errors

if TYPE_CHECKING:
    from lookalike.collection import Collection, open
    from lookalike.index import Index, Neighbors

__version__ = "0.1.0"

__all__ = ["Collection", "Index", "Neighbors", "errors", "open"]

_HOMES = {"Collection": "collection", "Index": "index", "Neighbors": "index", "open": "collection"}


if not TYPE_CHECKING:  # else a checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        # Each when it is first asked for: who searches vectors does not wait for SQLite, `--help` for nothing at all.
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
