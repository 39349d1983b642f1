"""What pictures and vectors were made of, to be had again: a file, a place in an archive, a row in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Item
from lookalike.collection.catalogue.containers import Container
from lookalike.collection.place import Place
from lookalike.collection.rows import UNREADABLE, rows_of
from lookalike.collection.sync.compare import MOST_TIME
from lookalike.errors import ArchiveError, ArgumentError, MissingExtraError, ReadError
from lookalike.images.archives import read
from lookalike.images.given import Failed, Source
from lookalike.vectors import open_vectors
from lookalike.vectors.source import find

CHANGED = "the file has another content now; the next sync indexes that"

_FETCHED = "it was fetched, and is not kept"
_NOT_THERE = "it is not in its file any more"


def pictures(
    place: Place, found: Sequence[tuple[Item, str]], containers: Mapping[bytes, Container]
) -> Iterator[tuple[Item, Source | Failed]]:
    """Each picture with what to decode it from, or why it cannot be had.

    Args:
        found: pictures, each with the path of its file, or of its archive.
    """
    for archive, some in _by_container(found):
        if archive is None:
            for item, path in some:
                yield item, Failed(path, _FETCHED) if keys.is_url(item.path) else path
        else:
            column = json.loads(containers[archive].options).get("column")
            yield from _members({keys.name_in(item.path): item for item, _ in some}, place.absolute(archive), column)


def vectors(
    place: Place, found: Sequence[tuple[Item, str]], containers: Mapping[bytes, Container], dim: int
) -> Iterator[tuple[Item, NDArray[np.float32] | Failed]]:
    """Each vector in a file again, or why it cannot be had."""
    for file, some in _by_container(found):
        if file is not None:
            wanted = {keys.name_in(item.path): item for item, _ in some}
            yield from _rows(wanted, place.absolute(file), containers[file], dim)


def _by_container(found: Sequence[tuple[Item, str]]) -> Iterator[tuple[bytes | None, list[tuple[Item, str]]]]:
    def container(each: tuple[Item, str]) -> bytes:
        return keys.container_of(each[0].path) or b""

    for key, some in groupby(sorted(found, key=container), key=container):
        yield key or None, list(some)


def _members(wanted: dict[bytes, Item], path: str, column: str | None) -> Iterator[tuple[Item, Source | Failed]]:
    reason = _NOT_THERE
    try:
        for member in read(path, {keys.decode(name) for name in wanted}, column=column):
            yield wanted.pop(keys.encode(member.path)), member
    except (ArchiveError, ReadError, MissingExtraError, ArgumentError) as error:  # the last: a column of what has none
        reason = str(error)
    for item in wanted.values():
        yield item, Failed(path, reason)


def _rows(
    wanted: dict[bytes, Item], path: str, container: Container, dim: int
) -> Iterator[tuple[Item, NDArray[np.float32] | Failed]]:
    reason = _NOT_THERE
    try:
        found = find(path)
        opened = open_vectors(path, **json.loads(container.options))
        if (found.size, min(found.state[2], MOST_TIME), opened.dim) == (container.size, container.mtime_ns, dim):
            for names, rows in rows_of(opened):
                for name, row in zip(map(keys.encode, names), rows, strict=True):
                    if name in wanted:
                        yield wanted.pop(name), row
        else:
            reason = CHANGED
    except UNREADABLE as error:
        reason = str(error)
    for item in wanted.values():
        yield item, Failed(path, reason)
