"""The competitors by name, one library a file; each is imported when it takes part."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.errors import ArgumentError

__all__ = ["NAMES", "OURS", "CannotError", "Competitor", "Setting", "Shape", "as_names", "create"]

_HOMES = {
    "lookalike": ("ours", "Lookalike"),
    "hnswlib": ("hnswlib", "Hnswlib"),
    "faiss-hnsw": ("faiss", "Hnsw"),
    "faiss-ivfpq": ("faiss", "IvfPq"),
    "faiss-rabitq": ("faiss", "IvfRabitq"),
    "scann": ("scann", "Scann"),
    "symphonyqg": ("rabitqlib", "SymphonyQg"),
    "rabitq-ivf": ("rabitqlib", "IvfRabitq"),
    "usearch": ("usearch", "Usearch"),
    "voyager": ("voyager", "Voyager"),
    "svs": ("svs", "Svs"),
    "svs-lvq": ("svs", "SvsCompressed"),
    "annoy": ("annoy", "Annoy"),
    "pynndescent": ("pynndescent", "Pynndescent"),
    "faiss-lsh": ("faiss", "Lsh"),
    "nearpy": ("nearpy", "NearPy"),
    "sklearn-tree": ("sklearn", "Tree"),
    "sklearn-brute": ("sklearn", "Brute"),
    "faiss-flat": ("faiss", "Flat"),
    "brute-numpy": ("brute", "Products"),
    "brute-pairs": ("brute", "Pairs"),
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


def as_names(given: Sequence[str] | None) -> tuple[str, ...]:
    """The names that were given, or all. ArgumentError for one that there is not."""
    unknown = [name for name in given or () if name not in _HOMES]
    if unknown:
        raise ArgumentError(f"expected competitors among {', '.join(NAMES)}; received {', '.join(unknown)}")
    return NAMES if given is None else tuple(dict.fromkeys(given))
