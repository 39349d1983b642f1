"""The recall curve of a collection, kept beside the catalogue: to measure it, all vectors are compared.

head        8 bytes   b"LKRECAL1"
           32 bytes   SHA-256 of the collection's identity, its model's hash and the name of its largest segment
count       8 bytes   all items then; little-endian, as all
points     32 bytes   each: asked, found, compared, seconds
checksum    as `kept_file` has it
"""

from __future__ import annotations

import hashlib
import os
import struct

from lookalike.collection import kept_file
from lookalike.collection.access import Access
from lookalike.collection.recall import Measured, recall_curve
from lookalike.collection.sealed.segments import cure_of
from lookalike.index import Reader

_MAGIC = b"LKRECAL1"
_COUNT, _POINT = struct.Struct("<Q"), struct.Struct("<4d")
_LITTLE = 0.05  # of the items; where so few have come or gone, and the largest segment is the same, so is the curve


def curve_of(access: Access) -> list[Measured]:
    """The curve of what is there now; measured where none is kept, and then kept. DamagedError as by a search."""

    def look(index: Reader) -> tuple[Reader, bytes]:
        with access.reading() as about:
            names = access.catalogue.segments()
        largest = max(names, key=lambda name: names[name], default="")
        known = (about.uuid, about.created_ns, about.model_hash, largest)
        return index, _MAGIC + hashlib.sha256(repr(known).encode()).digest()

    path = os.path.join(access.place.directory, "recall")
    index, head = access.with_index(look)
    if kept := _of(kept_file.load(path, head), len(index)):
        return kept
    with cure_of(access.place):
        curve = recall_curve(index)
    if curve:
        kept_file.keep(path, head, [_COUNT.pack(len(index)), *(_POINT.pack(*point) for point in curve)])
    return curve


def _of(data: bytes | None, count: int) -> list[Measured]:
    """The curve in a file; nothing where that is none, or of another number of items than this."""
    if data is None or len(data) < _COUNT.size or (len(data) - _COUNT.size) % _POINT.size:
        return []
    (then,) = _COUNT.unpack_from(data)
    if abs(count - then) > _LITTLE * count:
        return []
    return [Measured(*point) for point in _POINT.iter_unpack(data[_COUNT.size :])]
