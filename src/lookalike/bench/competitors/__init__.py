"""The competitors by name, one library a file; each is imported when it takes part."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from lookalike.bench.competitors.competitor import CannotError, Competitor, Setting, Shape
from lookalike.bench.truth import Distance, noun
from lookalike.errors import ArgumentError

__all__ = ["NAMES", "OURS", "CannotError", "Competitor", "Setting", "Shape", "as_names", "create", "everyone"]

_OF_VECTORS = {
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
_OF_SETS = {
    "lookalike": ("minhash", "OfSets"),
    "datasketch-forest": ("datasketch", "Forest"),
    "datasketch-lsh": ("datasketch", "Thresholds"),
    "inverted-index": ("sets", "Inverted"),
    "brute-pairs": ("sets", "Pairs"),
}

NAMES = tuple(dict.fromkeys([*_OF_VECTORS, *_OF_SETS]))
OURS = "lookalike"


def everyone(distance: Distance) -> tuple[str, ...]:
    """The names of all that compare by it."""
    return tuple(_homes(distance))


def create(name: str, distance: Distance = "cosine") -> Competitor:
    """A competitor by name, to compare by that distance.

    Raises:
        ArgumentError: there is none of that name.
        CannotError: it compares vectors where these are sets, or the other way round.
        ImportError: its library is not installed.
    """
    if name not in NAMES:
        raise ArgumentError(f"expected competitors among {', '.join(NAMES)}; received {name!r}")
    if name not in _homes(distance):
        raise CannotError(f"it does not compare {noun(distance)}")
    module, kind = _homes(distance)[name]
    competitor: Competitor = getattr(import_module(f"{__name__}.{module}"), kind)()
    return competitor


def as_names(given: Sequence[str]) -> tuple[str, ...]:
    """The names that were given, each once. ArgumentError for one that there is not."""
    unknown = [name for name in given if name not in NAMES]
    if unknown:
        raise ArgumentError(f"expected competitors among {', '.join(NAMES)}; received {', '.join(unknown)}")
    return tuple(dict.fromkeys(given))


def _homes(distance: Distance) -> dict[str, tuple[str, str]]:
    return _OF_SETS if distance == "jaccard" else _OF_VECTORS
