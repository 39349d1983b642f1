"""Which pairs of pictures may be copies: proposed by their vectors and their thumbnails, told apart by the thumbnails.

What is proposed is only looked at: the whole pictures decide (`verify.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lookalike.collection import Collection
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.looks import Look
from lookalike.dedupe.files import File
from lookalike.dedupe.likeness import (
    DIM,
    TURNS,
    can_be_copies,
    features,
    is_flat,
    lightness,
    turned_features,
    unturned_features,
)
from lookalike.dedupe.near import Pairs, Positions, near, pairs_of
from lookalike.images.child import DEFAULT_LIMITS
from lookalike.images.thumb import THUMB_BYTES
from lookalike.index import Index, Reader

REACH = 0.3
"""Cosine distance of vectors up to which a pair is looked at: most altered copies are nearer (docs/model.md)."""
THUMB_REACH = 0.1
"""Cosine distance of `features` up to which a pair is looked at."""

MOST_PIXELS = DEFAULT_LIMITS.pixels
"""Of larger pictures only the bytes are compared: they are not decoded in full."""

Stages = Callable[[str, int, int], None]
"""Is told what is done, and how many of how many are."""

_COPIED = 4096  # pairs at once


@dataclass(frozen=True)
class Picture:
    """One content: the files that hold it byte for byte, in the order of the rule; the first stands for it."""

    files: Sequence[File]

    @property
    def file(self) -> File:
        return self.files[0]


@dataclass(frozen=True)
class Source:
    """A collection within `examine`, with its index, and how its pictures look that are not in its catalogue."""

    collection: Collection
    index: Reader
    items: Sequence[Item]
    looks: Mapping[int, Look]


class Candidates(NamedTuple):
    """Pairs that may be copies, by positions in the pictures; the distance of their vectors is NaN where not known.

    Attributes:
        same: pairs of the same pixels, by their hash: each picture with the first that has it.
        asked: how many pairs were proposed.
    """

    pairs: Pairs
    same: Sequence[tuple[int, int]]
    asked: int


def silent(stage: str, done: int, total: int) -> None:
    """Tells nobody."""


NONE = Candidates(pairs_of([]), [], 0)


def pictures_of(files: Iterable[File]) -> list[Picture]:
    """The contents of files that are in the order of the rule, in the order of their first files."""
    found: dict[bytes, list[File]] = {}
    for file in files:
        found.setdefault(file.sha256, []).append(file)
    return [Picture(same) for same in found.values()]


def candidates(sources: Sequence[Source], pictures: Sequence[Picture], within: float, tell: Stages) -> Candidates:
    """Pairs that may be copies; those of vectors are at most `within`, or `REACH`, apart."""
    places = _places(sources, pictures)
    thumbs, hashes = _looks(sources, places, len(pictures))
    hashes[[picture.file.width * picture.file.height > MOST_PIXELS for picture in pictures]] = 0
    light = lightness(thumbs)
    is_known = np.asarray(hashes.any(axis=1))
    by_vector = pairs_of(_by_vector(sources, places, max(within, REACH), tell))
    found = pairs_of([by_vector, *by_thumbnail(light, is_known, tell)])
    distance = _looked_up(found, by_vector)
    can_be = plausible(light, is_known, found, tell)
    pairs = Pairs(found.one[can_be], found.other[can_be], distance[can_be])
    return Candidates(pairs, list(_same_pixels(hashes)), len(found.one))


class _Place(NamedTuple):
    """Of the pictures in one collection: ids, ascending, and positions among all pictures."""

    ids: Positions
    positions: Positions


def _places(sources: Sequence[Source], pictures: Sequence[Picture]) -> list[_Place]:
    places = []
    for number in range(len(sources)):
        first = {
            position: file.id
            for position, picture in enumerate(pictures)
            for file in reversed(picture.files)
            if file.collection == number
        }
        positions, ids = np.array(list(first), np.int64), np.array(list(first.values()), np.int64)
        order = np.argsort(ids)
        places.append(_Place(ids[order], positions[order]))
    return places


def _looks(
    sources: Sequence[Source], places: Sequence[_Place], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The thumbnail and the hash of the pixels of each picture, by position; zeros of one that is not known."""
    thumbs, hashes = np.zeros((count, THUMB_BYTES), np.uint8), np.zeros((count, 32), np.uint8)
    for source, place in zip(sources, places, strict=True):
        position_of = dict(zip(place.ids.tolist(), place.positions.tolist(), strict=True))
        for item_id, look in _each(source):
            position = position_of.get(item_id)
            if position is not None and len(look.thumb) == THUMB_BYTES and len(look.pixels) == 32:
                thumbs[position] = np.frombuffer(look.thumb, np.uint8)
                hashes[position] = np.frombuffer(look.pixels, np.uint8)
    return thumbs, hashes


def _each(source: Source) -> Iterator[tuple[int, Look]]:
    yield from source.collection.looks()
    yield from source.looks.items()


def _by_vector(
    sources: Sequence[Source], places: Sequence[_Place], within: float, tell: Stages
) -> Iterator[tuple[Positions, Positions, NDArray[np.float32]]]:
    """Pairs by what the models make of them: within each collection, and between those of the same model."""
    told = _Told(tell, "comparing vectors", sum(len(place.ids) for place in places))
    for number, (source, place) in enumerate(zip(sources, places, strict=True)):
        for asking, of_asking in zip(sources[number:], places[number:], strict=True):
            if asking.collection.model.hash != source.collection.model.hash:
                continue
            advance = told.advance if asking is source else None
            vectors = partial(_vectors, asking.index, of_asking.ids)
            for begun, ids, distances in near(source.index, place.ids, vectors, within, advance):
                yield of_asking.positions[begun], place.positions[np.searchsorted(place.ids, ids)], distances


def _vectors(index: Reader, ids: Positions, part: slice) -> NDArray[np.float32]:
    return np.array([index[each] for each in ids[part].tolist()], np.float32)


def by_thumbnail(
    light: NDArray[np.uint8], is_known: NDArray[np.bool_], tell: Stages = silent
) -> Iterator[tuple[Positions, Positions, NDArray[np.float32]]]:
    """Pairs by what their thumbnails show, however they are turned; flat ones show nothing."""
    shown = np.flatnonzero(is_known & ~is_flat(light))
    told = _Told(tell, "comparing thumbnails", len(shown))
    if len(shown) < 2:
        return
    found = features(light[shown])
    unturned = unturned_features(found)
    index = Index(DIM, "cosine")
    index.add(unturned)
    index.optimize()
    for one, other, _ in near(index, index.ids, unturned.__getitem__, THUMB_REACH, told.advance):
        alike = [np.einsum("nd,nd->n", turned_features(found[one], turn), found[other]) for turn in range(TURNS)]
        close = np.max(alike, axis=0, initial=0) >= 1 - THUMB_REACH
        yield shown[one[close]], shown[other[close]], np.full(int(close.sum()), np.nan, np.float32)


def _looked_up(pairs: Pairs, known: Pairs) -> NDArray[np.float32]:
    """The distances of `known` pairs, and NaN of others."""
    distance = np.full(len(pairs.one), np.nan, np.float32)
    if len(known.one):
        count = int(pairs.other.max()) + 1
        keys = known.one * count + known.other
        asked = pairs.one * count + pairs.other
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        hit = keys[place] == asked
        distance[hit] = known.distance[place[hit]]
    return distance


def plausible(
    light: NDArray[np.uint8], is_known: NDArray[np.bool_], pairs: Pairs, tell: Stages = silent
) -> NDArray[np.bool_]:
    """Which pairs may be copies, as far as thumbnails tell; of a picture without one, none is."""
    can_be = is_known[pairs.one] & is_known[pairs.other]
    told = _Told(tell, "comparing pairs of thumbnails", len(pairs.one))
    for begin in range(0, len(pairs.one), _COPIED):
        part = slice(begin, begin + _COPIED)
        can_be[part] &= can_be_copies(light[pairs.one[part]], light[pairs.other[part]])
        told.advance(len(can_be[part]))
    return can_be


def _same_pixels(hashes: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
    first: dict[bytes, int] = {}
    for position, digest in enumerate(map(bytes, hashes)):
        if any(digest) and (before := first.setdefault(digest, position)) != position:
            yield before, position


class _Told:
    """Progress of one stage."""

    def __init__(self, tell: Stages, stage: str, total: int) -> None:
        self._tell, self._stage, self._total, self._done = tell, stage, total, 0
        tell(stage, 0, total)

    def advance(self, more: int) -> None:
        self._done += more
        self._tell(self._stage, self._done, self._total)
