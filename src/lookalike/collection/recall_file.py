"""The recall curves of a collection, kept beside the catalogue: to measure it, all vectors are compared.

head        8 bytes   b"LKRECAL2"
           32 bytes   SHA-256 of the collection's identity, its model's hash and the name of its largest segment
count       8 bytes   all items then; little-endian, as all
rows        8 bytes   so many of the points are of queries such as are stored, the others of those without relatives
points     32 bytes   each: asked, found, compared, seconds
checksum    as `kept_file` has it
"""

from __future__ import annotations

import hashlib
import os
import struct

from lookalike.collection import kept_file
from lookalike.collection.access import Access
from lookalike.collection.recall import Curves, Measured, recall_curves
from lookalike.collection.sealed.segments import cure_of
from lookalike.index import Reader

_MAGIC = b"LKRECAL2"
_COUNTS, _POINT = struct.Struct("<2Q"), struct.Struct("<4d")
_LITTLE = 0.05  # of the items; where so few have come or gone, and the largest segment is the same, so are the curves


def curves_of(access: Access) -> Curves:
    """The curves of what is there now; measured where none are kept, and then kept. DamagedError as by a search."""

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
        curves = recall_curves(index)
    if curves.rows:
        points = [_POINT.pack(*point) for curve in curves for point in curve]
        kept_file.keep(path, head, [_COUNTS.pack(len(index), len(curves.rows)), *points])
    return curves


def _of(data: bytes | None, count: int) -> Curves | None:
    """The curves in a file; None where that is none, or of another number of items than this."""
    if data is None or len(data) < _COUNTS.size or (len(data) - _COUNTS.size) % _POINT.size:
        return None
    then, rows = _COUNTS.unpack_from(data)
    if abs(count - then) > _LITTLE * count:
        return None
    points = [Measured(*point) for point in _POINT.iter_unpack(data[_COUNTS.size :])]
    return Curves(points[:rows], points[rows:])
