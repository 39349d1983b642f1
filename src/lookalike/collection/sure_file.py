"""The sample that tells how sure a hit is, kept beside the catalogue: else each process would look for it.

head        8 bytes   b"LKSURE01"
           32 bytes   SHA-256 of the collection's identity and its model's hash
count       8 bytes   all items; little-endian, as all
next_id     8 bytes   what is new since has this id or a larger one
r, s, m     8 bytes each
ids, neighbors, distances   as `Sample` has them: int64 (r,), int64 (s, m), float32 (s, m)
checksum    as `kept_file` has it
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass

import numpy as np

from lookalike.collection import kept_file
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.place import Place
from lookalike.collection.sure import Calibration, Sample
from lookalike.index import Reader

_MAGIC = b"LKSURE01"
_SHAPE = struct.Struct("<2d5Q")
_LITTLE = 0.01  # of the items; where so few have changed, what was computed is good enough
_MANY = 0.05  # where so many have come or gone, the file is written anew


@dataclass(frozen=True)
class Kept:
    """What is known of one state of a collection, whose items all have ids below `next_id`."""

    calibration: Calibration
    next_id: int

    def fits(self, count: int, about: About) -> bool:
        """Whether it is good enough for so many items by now."""
        little = _LITTLE * count
        return about.next_id - self.next_id <= little and abs(count - self.calibration.count) <= little

    def followed(self, index: Reader, catalogue: Catalogue, about: About) -> Kept | None:
        """That of the index by now; None where there are too few items."""
        if self.fits(len(index), about):
            return self
        new = catalogue.indexed(above=self.next_id)
        grown = len(index) - self.calibration.count
        few = grown - len(new) <= _LITTLE * len(index)  # came back by the ids that they had
        return kept_of(self.calibration.followed(index, new) if few else Calibration.of(index), about)

    def is_old(self, count: int) -> bool:
        """Whether it is worth to write that of so many items."""
        return abs(count - self.calibration.count) > _MANY * count


def kept_of(calibration: Calibration | None, about: About) -> Kept | None:
    """What there is to be kept of a generation, if there is anything."""
    return Kept(calibration, about.next_id) if calibration else None


def load(place: Place, about: About) -> Kept | None:
    """What is kept there; None where that is not of this collection, or not whole."""
    data = kept_file.load(_path(place), _head(about))
    if data is None or len(data) < _SHAPE.size:
        return None
    middle, spread, count, next_id, reserve, looked_at, around = _SHAPE.unpack_from(data)
    if len(data) != _SHAPE.size + 8 * reserve + 12 * looked_at * around or looked_at > reserve:
        return None
    begin, shape = _SHAPE.size + 8 * reserve, (looked_at, around)
    sample = Sample(
        np.frombuffer(data, "<i8", reserve, _SHAPE.size),
        np.frombuffer(data, "<i8", looked_at * around, begin).reshape(shape),
        np.frombuffer(data, "<f4", looked_at * around, begin + 8 * looked_at * around).reshape(shape),
    )
    if not looked_at or not sample.makes_sense:
        return None
    return Kept(Calibration.made(sample, middle, spread, count, about.metric), next_id)


def newest(place: Place, about: About, known: Kept | None, count: int) -> Kept | None:
    """What is known, unless it does not fit so many items, and what another process has kept is of a later state."""
    if known and known.fits(count, about):
        return known
    kept = load(place, about)
    return kept if kept and (known is None or kept.next_id > known.next_id) else known


def keep(place: Place, about: About, kept: Kept) -> None:
    """Write it; as `kept_file.keep`."""
    found = kept.calibration
    sample = found.sample
    shape = _SHAPE.pack(found.middle, found.spread, found.count, kept.next_id, len(sample.ids), *sample.neighbors.shape)
    arrays = (sample.ids.astype("<i8"), sample.neighbors.astype("<i8"), sample.distances.astype("<f4"))
    kept_file.keep(_path(place), _head(about), [shape, *(each.tobytes() for each in arrays)])


def _path(place: Place) -> str:
    return os.path.join(place.directory, "sure")


def _head(about: About) -> bytes:
    return _MAGIC + hashlib.sha256(repr((about.uuid, about.created_ns, about.model_hash)).encode()).digest()
