"""What a collection may be searched by: pictures, its own items, vectors and texts; one, or several together."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, SupportsFloat, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from lookalike.collection.place import StrPath
from lookalike.errors import ArgumentError
from lookalike.fitting import Box
from lookalike.images.content import read_stream

if TYPE_CHECKING:
    from lookalike.images.given import Source


class Image(Protocol):
    """A `PIL.Image.Image`, as far as types need to tell it: only images/ imports Pillow."""

    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...


@dataclass(frozen=True)
class Picture:
    """A picture by its file, its bytes, or as PIL has it, or the part of it within a box.

    Attributes:
        source: its path, its bytes, or a PIL image.
        name: what errors call it; "" where it has no name.
    """

    source: Any
    name: str = ""
    crop: Box | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is the whole of a file or of bytes."""
        return isinstance(self.source, str | bytes) and self.crop is None

    def to_decode(self) -> Source:
        """As decoders take it, if it is no PIL image."""
        from lookalike.images.pool import Given  # its processes are not always needed

        return Given(self.name, self.source) if isinstance(self.source, bytes) else str(self.source)


@dataclass(frozen=True)
class Own:
    """An item of the collection, by its id or its path."""

    key: int | str


@dataclass(frozen=True, eq=False)
class Vector:
    """A vector as it was given; whether it is one is seen beside the index."""

    values: Any


@dataclass(frozen=True)
class Text:
    """What a model with text reads."""

    text: str


class Example(NamedTuple):
    """One thing that what is looked for is like, or unlike."""

    what: Picture | Own | Vector | Text
    weight: float = 1.0


@dataclass(frozen=True)
class Query:
    """What to look for: what is like all of `more`, and unlike `less`.

    Made by `Query.of` from what `Collection.search` takes, where it may be the query itself.
    """

    more: tuple[Example, ...]
    less: tuple[Example, ...] = ()

    @classmethod
    def of(
        cls,
        query: Any = None,
        *,
        id: Any = None,
        vector: Any = None,
        text: str | None = None,
        more: Any = (),
        less: Any = (),
        crop: Box | Sequence[int] | None = None,
    ) -> Query:
        """What these say together; each as for `Collection.search`.

        Raises:
            ArgumentError: nothing to look for, a `crop` of no picture, a weight that is not above 0, an empty text.
            PictureError: a stream that gives no picture.
        """
        before = query if isinstance(query, Query) else cls(())
        given: list[Picture | Own | Vector | Text] = [] if query is None or query is before else [_like(query)]
        if crop is not None:
            if not (given and isinstance(given[0], Picture)):
                raise ArgumentError("crop is a part of the query, expected a picture to crop; give one as the query")
            given[0] = replace(given[0], crop=crop if isinstance(crop, Box) else _box(crop))
        if id is not None:
            given.append(_own(id))
        if vector is not None:
            given.append(Vector(vector))
        if text is not None:
            given.append(_text(text))
        likes = (*before.more, *map(Example, given), *_examples("more", more))
        if not likes:
            raise ArgumentError(
                "expected something to look for, received nothing; give a picture, an id, a vector, a text, or `more`"
            )
        return cls(likes, (*before.less, *_examples("less", less)))

    @property
    def is_one(self) -> bool:
        """Whether it is one example that is no text: its distances are like those among the items."""
        return len(self.examples) == 1 and not isinstance(self.more[0].what, Text)

    @property
    def examples(self) -> tuple[Example, ...]:
        """All of them."""
        return self.more + self.less


def _like(given: Any) -> Picture | Own | Vector:
    """What one thing without a name is."""
    if isinstance(given, str | os.PathLike):
        return Picture(os.fsdecode(given), os.fsdecode(given))
    if isinstance(given, bytes):
        return Picture(given)
    if hasattr(given, "read"):
        return Picture(*read_stream(given))
    if _is_image(given):
        return Picture(given)
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        return Own(int(given))
    return Vector(given)


def _own(id: Any) -> Own:
    if isinstance(id, str | os.PathLike):
        return Own(os.fsdecode(id))
    try:
        return Own(operator.index(id))
    except TypeError:
        raise ArgumentError(f"id is {id!r:.80}; expected the id of a hit, or the path of an indexed picture") from None


def _text(text: str) -> Text:
    if not isinstance(text, str) or not text.strip():
        raise ArgumentError(f"text is {text!r:.80}; expected some words")
    return Text(text)


def _box(crop: Sequence[int]) -> Box:
    try:
        x, y, width, height = map(operator.index, crop)
    except (TypeError, ValueError):
        raise ArgumentError(f"crop is {crop!r:.80}; expected x, y, width and height in whole pixels") from None
    return Box(x, y, width, height)


def _examples(name: str, given: Any) -> Iterable[Example]:
    for each in _several(name, given):
        if _is_pair(each):
            what, weight = each
            yield Example(_like(what), _weight(name, weight))
        else:
            yield Example(_like(each))


def _several(name: str, given: Any) -> Iterable[Any]:
    """One thing alone, or one with its weight, is meant as a list of one."""
    if isinstance(given, str | os.PathLike | bytes | int | np.integer) or hasattr(given, "read") or _is_image(given):
        return [given]
    if _is_pair(given) and not isinstance(given[0], int | np.integer):  # else two ids
        return [given]
    if not isinstance(given, Iterable):
        raise ArgumentError(f"{name} is {given!r:.80}; expected a list of examples, each perhaps with its weight")
    return given


def _is_pair(given: Any) -> bool:
    """A tuple of something and a number; vectors are lists or arrays."""
    return (
        isinstance(given, tuple)
        and len(given) == 2
        and isinstance(given[1], int | float | np.number)
        and not isinstance(given[0], float | np.floating)
    )


def _weight(name: str, weight: SupportsFloat) -> float:
    number = float(weight)
    if not (number > 0 and math.isfinite(number)):
        other = "less" if name == "more" else "more"
        raise ArgumentError(f"a weight of {name} is {number:g}; expected a number above 0, or the example as `{other}`")
    return number


def _is_image(given: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")  # not imported here: whoever has an image has imported it
    return pillow is not None and isinstance(given, pillow.Image)


Like = StrPath | bytes | BinaryIO | Image | SupportsIndex | ArrayLike
"""What one example may be."""

Several = Like | Iterable[Like | tuple[Like, float]]
