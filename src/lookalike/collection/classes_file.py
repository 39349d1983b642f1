"""What a collection's pictures probably show, kept beside its catalogue: of many pictures it takes minutes to compute.

    magic     8 bytes   b"LKCLASS1"
    key      32 bytes   SHA-256 of the collection's identity, its model's hash, the classifier's hash and `KEPT`
    count     8 bytes   items, little-endian
    ids, numbers, shares   as `Classes` has them, little-endian, one array behind the other
    checksum  4 bytes   CRC-32 of all before

It is a copy of what the vectors say: one that is missing, damaged, of another key or that cannot be written costs time,
and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from contextlib import suppress

import numpy as np

from lookalike import durable
from lookalike.collection.catalogue.catalogue import About
from lookalike.collection.classes import KEPT, Classes
from lookalike.collection.place import Place
from lookalike.models.words import Words

WORTH = 1000
"""New items from which on the file is written anew."""

_MAGIC = b"LKCLASS1"
_HEAD = len(_MAGIC) + 32 + 8
_ROW = 8 + 2 * KEPT + 2 * KEPT
_TAIL = 4


def load(place: Place, about: About, words: Words) -> Classes:
    """What is kept there; nothing where that is not of this collection, or not whole."""
    try:
        with open(_path(place), "rb") as file:
            if os.fstat(file.fileno()).st_size < _HEAD + _TAIL:
                return Classes.none()
            data = file.read()
    except OSError:
        return Classes.none()
    count = int.from_bytes(data[_HEAD - 8 : _HEAD], "little")
    whole = len(data) == _HEAD + count * _ROW + _TAIL and zlib.crc32(data[:-_TAIL]) == int.from_bytes(
        data[-4:], "little"
    )
    if not whole or data[: _HEAD - 8] != _MAGIC + _key(about, words):
        return Classes.none()
    shape, numbers = (count, KEPT), _HEAD + 8 * count
    return Classes(
        np.frombuffer(data, "<i8", count, _HEAD).astype(np.int64, copy=False),
        np.frombuffer(data, "<u2", count * KEPT, numbers).reshape(shape).astype(np.uint16, copy=False),
        np.frombuffer(data, "<f2", count * KEPT, numbers + 2 * count * KEPT)
        .reshape(shape)
        .astype(np.float16, copy=False),
    )


def keep(place: Place, about: About, words: Words, classes: Classes) -> None:
    """Write it, whole or not at all; where that cannot be, as in a folder that may not be written, leave it."""
    count = len(classes.ids)
    parts = [
        _MAGIC + _key(about, words) + count.to_bytes(8, "little"),
        classes.ids.astype("<i8", copy=False).tobytes(),
        classes.numbers.astype("<u2", copy=False).tobytes(),
        classes.shares.astype("<f2", copy=False).tobytes(),
    ]
    checksum = 0
    with suppress(OSError), durable.draft(_path(place)) as beside:
        with open(beside, "wb") as file:
            for part in parts:
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(4, "little"))
        durable.put(beside, _path(place))


def _path(place: Place) -> str:
    return os.path.join(place.directory, "classes")


def _key(about: About, words: Words) -> bytes:
    parts = (about.uuid, about.created_ns, about.model_hash, words.classifier.sha256, KEPT)
    return hashlib.sha256(repr(parts).encode()).digest()
