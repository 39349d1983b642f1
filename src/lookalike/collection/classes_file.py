"""What a collection's pictures probably show, kept beside its catalogue: of many pictures it takes minutes to compute.

magic     8 bytes   b"LKCLASS1"
key      32 bytes   SHA-256 of the collection's identity, its model's hash, the classifier's hash and `KEPT`
count     8 bytes   items, little-endian
ids, numbers, shares   as `Classes` has them, little-endian, one array behind the other
checksum  4 bytes   CRC-32 of all before
"""

from __future__ import annotations

import hashlib
import os

import numpy as np

from lookalike.collection import kept_file
from lookalike.collection.catalogue.catalogue import About
from lookalike.collection.classes import KEPT, Classes
from lookalike.collection.place import Place
from lookalike.models.words import Words

WORTH = 1000
"""New items from which on the file is written anew."""

_MAGIC = b"LKCLASS1"
_ROW = 8 + 2 * KEPT + 2 * KEPT


def load(place: Place, about: About, words: Words) -> Classes:
    """What is kept there; nothing where that is not of this collection, or not whole."""
    data = kept_file.load(_path(place), _head(about, words))
    if data is None or len(data) < 8:
        return Classes.none()
    count = int.from_bytes(data[:8], "little")
    if len(data) != 8 + count * _ROW:
        return Classes.none()
    shape, numbers = (count, KEPT), 8 + 8 * count
    return Classes(
        np.frombuffer(data, "<i8", count, 8).astype(np.int64, copy=False),
        np.frombuffer(data, "<u2", count * KEPT, numbers).reshape(shape).astype(np.uint16, copy=False),
        np.frombuffer(data, "<f2", count * KEPT, numbers + 2 * count * KEPT)
        .reshape(shape)
        .astype(np.float16, copy=False),
    )


def keep(place: Place, about: About, words: Words, classes: Classes) -> None:
    """Write it; as `kept_file.keep`."""
    parts = [
        len(classes.ids).to_bytes(8, "little"),
        classes.ids.astype("<i8", copy=False).tobytes(),
        classes.numbers.astype("<u2", copy=False).tobytes(),
        classes.shares.astype("<f2", copy=False).tobytes(),
    ]
    kept_file.keep(_path(place), _head(about, words), parts)


def _path(place: Place) -> str:
    return os.path.join(place.directory, "classes")


def _head(about: About, words: Words) -> bytes:
    parts = (about.uuid, about.created_ns, about.model_hash, words.classifier.sha256, KEPT)
    return _MAGIC + hashlib.sha256(repr(parts).encode()).digest()
