"""The competitors by name, one library a file; each is imported when it takes part."""

from __future__ import annotations

from importlib import import_module

from lookalike.bench.competitors.competitor import Competitor, Setting
from lookalike.errors import ArgumentError

__all__ = ["NAMES", "OURS", "Competitor", "Setting", "create"]

_HOMES = {
    "lookalike": ("ours", "Lookalike"),
    "hnswlib": ("hnswlib", "Hnswlib"),
    "annoy": ("annoy", "Annoy"),
    "faiss-ivfpq": ("faiss", "IvfPq"),
    "faiss-hnsw": ("faiss", "Hnsw"),
    "faiss-rabitq": ("faiss", "IvfRabitq"),
    "scann": ("scann", "Scann"),
    "symphonyqg": ("rabitqlib", "SymphonyQg"),
    "rabitq-ivf": ("rabitqlib", "IvfRabitq"),
    "usearch": ("usearch", "Usearch"),
    "voyager": ("voyager", "Voyager"),
    "svs": ("svs", "Svs"),
    "svs-lvq": ("svs", "SvsCompressed"),
}

NAMES = tuple(_HOMES)
OURS = "lookalike"


def create(name: str) -> Competitor:
    """A competitor by name.

    Raises:
        ArgumentError: there is none of that name.
        ImportError: its library is not installed.
    """
    if name not in _HOMES:
        raise ArgumentError(f"expected competitors among {', '.join(NAMES)}; received {name!r}")
    module, kind = _HOMES[name]
    competitor: Competitor = getattr(import_module(f"{__name__}.{module}"), kind)()
    return competitor
