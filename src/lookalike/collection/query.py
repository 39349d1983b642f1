"""What a collection may be searched by: a picture file, a PIL image, or a vector."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.arrays import as_vectors
from lookalike.collection.catalogue.catalogue import Catalogue, Item
from lookalike.collection.place import Place
from lookalike.collection.sealed.segments import cure_of
from lookalike.errors import PictureError, VectorError
from lookalike.images.content import file_sha256
from lookalike.index import Index
from lookalike.models import Model


class Image(Protocol):
    """A `PIL.Image.Image`, as far as types need to tell it: only images/ imports Pillow."""

    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...


@dataclass(frozen=True)
class Query:
    """What to look for.

    Attributes:
        vector: (dim,).
        path: the picture file, or None.
        is_itself: whether an item is the query's own file, which is no look-alike of it.
    """

    vector: NDArray[np.float32]
    path: str | None = None
    is_itself: Callable[[Item], bool] = lambda _: False


def read_query(given: Any, place: Place, catalogue: Catalogue, index: Index, model: Model) -> Query:
    """The vector of what was given.

    Raises:
        PictureError: the picture cannot be read.
        VectorError: not one vector of the model's dimensions.
    """
    if isinstance(given, str | os.PathLike):
        return _of_file(os.fsdecode(given), place, catalogue, index, model)
    if _is_image(given):
        return Query(_of_image(given, model))
    expected = f"the path of a picture, a PIL image or one vector of {model.dim} numbers (the model is {model.name})"
    try:
        vectors, single = as_vectors(given, model.dim)
    except VectorError as error:
        raise VectorError(f"expected {expected}, received {type(given).__name__} ({error})") from error
    if not single:
        raise VectorError(f"expected {expected}, received {len(vectors)} vectors; search by one at a time")
    return Query(vectors[0])


def _of_file(path: str, place: Place, catalogue: Catalogue, index: Index, model: Model) -> Query:
    """A picture whose content is indexed is recognised by its hash: neither decoded nor embedded.

    A file that is too large to be decoded is not hashed either: none of its content is indexed.
    """
    sha256 = file_sha256(path)
    real = os.path.realpath(path)
    key = place.relative(path)

    def is_itself(item: Item) -> bool:
        return item.path == key or (item.sha256 == sha256 and os.path.realpath(place.absolute(item.path)) == real)

    twin = catalogue.with_sha256(sha256)
    if twin is None:
        return Query(_embed_file(path, model), path, is_itself)
    with cure_of(place):
        return Query(index[twin.id], path, is_itself)


def _embed_file(path: str, model: Model) -> NDArray[np.float32]:
    from lookalike.images.pool import DecoderPool, Failed  # needs Pillow

    with DecoderPool(workers=1) as pool:
        (picture,) = pool.load([path], model.input)
    if isinstance(picture, Failed):
        raise PictureError(picture.reason, path)
    return _embed(picture.pixels, model)


def _is_image(given: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")  # not imported here: whoever has an image has imported it
    return pillow is not None and isinstance(given, pillow.Image)


def _of_image(image: Any, model: Model) -> NDArray[np.float32]:
    from lookalike.images.decode import fit_image

    return _embed(fit_image(image, model.input), model)


def _embed(pixels: NDArray[np.uint8], model: Model) -> NDArray[np.float32]:
    return model.embed(pixels[np.newaxis]).reshape(-1)
