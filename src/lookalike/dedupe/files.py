"""The files that may be compared: indexed pictures that are on the disk now, each once."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.place import Place


class File(NamedTuple):
    """A picture file.

    Attributes:
        id: of the item in the collection; it has the vector.
        collection: which of those that are looked through together, from 0.
        key: its path in the catalogue, by which it is put in order.
        path: where it lies.
        reference: whether it is only compared with, and never set aside.
        damaged: whether a part of it could not be decoded: it is never the better copy.
    """

    id: int
    key: bytes
    path: str
    size: int
    mtime_ns: int
    sha256: bytes
    width: int
    height: int
    collection: int = 0
    reference: bool = False
    damaged: bool = False


def files_of(items: Iterable[Item], place: Place, damaged: Container[int] = ()) -> Iterator[File]:
    """The indexed files that are as they were when indexed; of the names of one file the first by path.

    What is in an archive or was fetched is no file.

    Args:
        damaged: the ids of those of which a part could not be decoded.
    """
    seen: set[tuple[int, int]] = set()
    for item in sorted(items, key=lambda item: item.path):
        if keys.container_of(item.path) or keys.is_url(item.path):
            continue
        path = place.absolute(item.path)
        try:
            status = os.lstat(path)
        except OSError:  # gone, or in a folder that was closed: the next sync will say so
            continue
        same = (item.size, item.mtime_ns) == (status.st_size, status.st_mtime_ns)
        name = status.st_dev, status.st_ino
        if stat.S_ISREG(status.st_mode) and same and name not in seen:
            seen.add(name)
            yield File(
                item.id,
                item.path,
                path,
                item.size,
                item.mtime_ns,
                item.sha256 or b"",
                item.width or 0,
                item.height or 0,
                damaged=item.id in damaged,
            )
