"""The recall of sealed vectors, measured with other queries and kept: their files are written anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.place import Place
from lookalike.collection.sealed import kept
from lookalike.collection.sealed.segments import cure_of, next_name, open_some, save, sweep

_LEAST = 4096  # vectors: a file of fewer has no buckets, and is compared as a whole


def tunable(catalogue: Catalogue) -> dict[str, int]:
    """The files whose recall is measured, with the number of vectors in each."""
    return {name: count for name, count in catalogue.segments().items() if count >= _LEAST}


def tune(place: Place, catalogue: Catalogue, queries: NDArray[Any], advance: Callable[[], None]) -> None:
    """Measure the recall of each such file by itself, as a search does with it; only the writer does this.

    One transaction names all new files instead of the old ones. Where something goes wrong before, or is interrupted,
    everything stays as it was.

    Args:
        advance: called after each file.

    Raises:
        VectorError: as by `Index.tune`.
        WriteError: no permission, or the disk is full.
        DamagedError: a file is.
    """
    with catalogue.reading() as about:
        names, chosen = catalogue.segments(), tunable(catalogue)
    anew: dict[str, str] = {}
    try:
        for name, count in chosen.items():
            with cure_of(place):
                index = open_some(place, about, {name: count})
                index.tune(queries)
                anew[name] = save(place, about, index, next_name(place, names), [name])
            advance()
        with catalogue.writing():
            catalogue.replace_segments({anew.get(name, name): count for name, count in names.items()})
        kept.keep(place, catalogue)
    finally:
        sweep(place, catalogue)
