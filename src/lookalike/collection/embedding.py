"""From decoded pictures to vectors, for whoever indexes; and from indexed pictures to vectors again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue.catalogue import Item
from lookalike.images.given import Failed
from lookalike.models import Model, embed_squares

if TYPE_CHECKING:
    from lookalike.collection.catalogue.containers import Container
    from lookalike.collection.place import Place
    from lookalike.images.given import Source
    from lookalike.images.pool import Loaded

BATCH = 64
"""Pictures embedded and committed at once."""

NO_VECTOR = "the model makes no usable vector of it"

Vector = NDArray[np.float32]


def embed(model: Model, pictures: Sequence[Loaded]) -> list[Vector | None]:
    """The vector (dim,) of each picture; None where it has NaN or inf, or is zero.

    Raises:
        ModelError: as by `embed_squares`.
    """
    vectors = embed_squares(model, [picture.pixels for picture in pictures])
    return [vector if np.isfinite(vector).all() and vector.any() else None for vector in vectors]


def embed_again(
    place: Place, found: Sequence[tuple[Item, str]], containers: Mapping[bytes, Container], model: Model
) -> Iterator[list[tuple[Item, Vector | Failed]]]:
    """By batches, the vectors of indexed pictures, or why one cannot be had: its file must hold the same bytes.

    Args:
        found: pictures, each with the path of its file, or of its archive.
    """
    from lookalike.collection.originals import pictures

    return embed_sources(pictures(place, found, containers), model)


def embed_sources(
    sources: Iterable[tuple[Item, Source | Failed]], model: Model
) -> Iterator[list[tuple[Item, Vector | Failed]]]:
    """As `embed_again`, of what the pictures can be decoded from."""
    from lookalike.collection.originals import CHANGED
    from lookalike.images.pool import DecoderPool

    waiting: deque[Item] = deque()
    lost: list[tuple[Item, Vector | Failed]] = []

    def given() -> Iterator[Source]:
        for item, source in sources:
            if isinstance(source, Failed):
                lost.append((item, source))
            else:
                waiting.append(item)
                yield source

    with DecoderPool() as pool:
        pictures = pool.load(given(), model.input)
        while batch := list(islice(pictures, BATCH)):
            made: list[tuple[Item, Vector | Failed]] = []
            good: list[tuple[Item, Loaded]] = []
            for picture in batch:
                item = waiting.popleft()
                if isinstance(picture, Failed):
                    made.append((item, picture))
                elif picture.sha256 != item.sha256:
                    made.append((item, Failed(picture.path, CHANGED)))
                else:
                    good.append((item, picture))
            vectors = embed(model, [picture for _, picture in good])
            for (item, picture), vector in zip(good, vectors, strict=True):
                made.append((item, Failed(picture.path, NO_VECTOR) if vector is None else vector))
            yield made
    if lost:
        yield lost
