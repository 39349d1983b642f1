"""What the catalogue says of sealed vectors, in files beside the segments: of them a lost one is made anew.

`rows/000012-4fc1689453caeff5.rows` has the items of the segment of that name, as they were when it was written, and
`rows/facts.rows` has each item to which facts were given since. Nothing reads them but a repair. docs/durability.md
says what they bring back, docs/format.md what is in them.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lookalike import durable
from lookalike.collection.catalogue.catalogue import About, Catalogue
from lookalike.collection.catalogue.folders import make_folder
from lookalike.collection.catalogue.refused import names_in, refused
from lookalike.collection.place import Place
from lookalike.errors import DamagedError, LookalikeError, NotAnIndexError
from lookalike.index import Index

FACTS = "facts.rows"

Block = Mapping[str, Any]

_MAGIC = b"LKROWS1\n"
_FRAME = struct.Struct("<II")  # the bytes of a block as it lies there, and their CRC-32
_ROWS = 1000  # in a block
_MUCH = 1 << 20  # bytes of facts given later: so many may be worth writing all rows anew


def name_for(segment: str) -> str:
    """The name of the file that goes with a segment."""
    return f"{os.path.splitext(segment)[0]}.rows"


def keep(place: Place, catalogue: Catalogue, *, all_facts: bool = False) -> None:
    """Write the file of each segment that has none, and delete those of other segments; the writer does this.

    Args:
        all_facts: also those of facts that were given since, which else wait until they are many.

    Raises:
        WriteError: no permission, or the disk is full; nothing else is missing.
    """
    there = names_in(place.rows)
    _keep(place, catalogue, there, anew=FACTS in there and (all_facts or _is_much(place, there)))


def renew(place: Place, catalogue: Catalogue) -> None:
    """Write all files anew. WriteError as for `keep`."""
    _keep(place, catalogue, names_in(place.rows), anew=True)


def mend(place: Place, catalogue: Catalogue) -> list[str]:
    """Write all anew where a file is damaged; what was done, a sentence. WriteError as for `keep`."""
    with catalogue.reading():
        bad = damaged(place, catalogue.segments())
    if not bad:
        return []
    renew(place, catalogue)
    return [f"what is kept beside the segments was written anew: {', '.join(bad)} was damaged"]


def note_facts(place: Place, catalogue: Catalogue, ids: Sequence[int]) -> None:
    """Add items to which facts are given, before the transaction that gives them ends.

    Where it does not end well, these facts may come back with a catalogue that is lost later.

    Raises:
        WriteError: no permission, or the disk is full.
    """
    about = catalogue.about()
    after = about._replace(generation=about.generation + 1)
    path = os.path.join(place.rows, FACTS)
    try:
        if not os.path.lexists(path):
            make_folder(place.rows)
            _put(path, [])
        _append(path, _rows(catalogue, after, ids))
    except LookalikeError:
        raise
    except OSError as error:
        raise refused(place.rows, error) from error


def blocks(path: str) -> Iterator[Block]:
    """The blocks of a file, up to the first that is damaged; none where there is no file."""
    with suppress(FileNotFoundError), open(path, "rb") as file:
        for _, block in _walk(file):
            if block is None:
                return
            yield json.loads(block)


def damaged(place: Place, segments: Iterable[str]) -> list[str]:
    """The files, of those that go with some segments and that of facts, which are not as they were written."""
    names = set(names_in(place.rows)).intersection([*map(name_for, segments), FACTS])
    found = []
    for path in (os.path.join(place.rows, name) for name in sorted(names)):
        try:
            if not is_whole(path):
                found.append(path)
        except FileNotFoundError:  # a writer has brought it together with others
            continue
        except OSError:
            found.append(path)
    return found


def is_whole(path: str) -> bool:
    """Whether every block is as it was written. The last one of facts that were given may be cut short by a crash."""
    last: bytes | None = b"{}"
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for end, block in _walk(file):
            if block is None and end < size:
                return False
            last = block
    return os.path.basename(path) == FACTS or (last is not None and "end" in json.loads(last))


def _keep(place: Place, catalogue: Catalogue, there: Sequence[str], anew: bool) -> None:
    with catalogue.reading() as about:
        names = list(catalogue.segments())
        new = [name for name in names if anew or name_for(name) not in there]
        try:
            if new:
                make_folder(place.rows)
                head = _head(catalogue, about)
                for name in new:
                    with suppress(DamagedError, NotAnIndexError):  # who searches it is told
                        _write(place, catalogue, about, head, name)
            if anew:
                _replace_facts(place, catalogue, about)
            for name in set(there).difference(map(name_for, names), [FACTS]):
                os.unlink(os.path.join(place.rows, name))
        except LookalikeError:
            raise
        except OSError as error:
            raise refused(place.rows, error) from error


def _is_much(place: Place, there: Sequence[str]) -> bool:
    """Whether facts given since are more than all that is kept with the segments: so all is written O(log n) times."""
    sizes = {name: os.path.getsize(os.path.join(place.rows, name)) for name in there}
    return sizes[FACTS] > max(_MUCH, sum(sizes.values()) - sizes[FACTS])


def _head(catalogue: Catalogue, about: About) -> bytes:
    containers = [(each.path.hex(), *each[1:]) for each in catalogue.containers.all()]
    roots = [path.hex() for path in catalogue.roots()]
    kept = {"about": about, "roots": roots, "containers": containers, "settings": catalogue.kept.settings()}
    return _block(json.dumps(kept))


def _write(place: Place, catalogue: Catalogue, about: About, head: bytes, name: str) -> None:
    ids = Index.open(os.path.join(place.segments, name)).ids
    path = os.path.join(place.rows, name_for(name))
    _put(path, chain([head], _rows(catalogue, about, ids), [_block('{"end": true}')]))


def _replace_facts(place: Place, catalogue: Catalogue, about: About) -> None:
    """Let the facts be those of items that are in no segment: the others are in its file by now."""
    path = os.path.join(place.rows, FACTS)
    if ids := catalogue.kept.unsealed():
        _put(path, _rows(catalogue, about, ids))
    else:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _rows(catalogue: Catalogue, about: About, ids: Sequence[int] | NDArray[np.int64]) -> Iterator[bytes]:
    """The items with some ids, as blocks."""
    for start in range(0, len(ids), _ROWS):
        rows = catalogue.kept.of([int(item_id) for item_id in ids[start : start + _ROWS]])
        yield _block(f'{{"collection": "{about.uuid}", "generation": {about.generation}, "rows": {rows}}}')


def _block(text: str) -> bytes:
    data = zlib.compress(text.encode(), 1)
    return _FRAME.pack(len(data), zlib.crc32(data)) + data


def _put(path: str, written: Iterable[bytes]) -> None:
    """Write a file of these blocks, whole or not at all."""
    with durable.draft(path) as beside:
        with open(beside, "wb") as file:
            file.write(_MAGIC)
            file.writelines(written)
        durable.put(beside, path)


def _append(path: str, written: Iterable[bytes]) -> None:
    """Add blocks, in place of what a crash left of one."""
    with open(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+b") as file:
        end = max((at for at, block in _walk(file) if block is not None), default=len(_MAGIC))
        file.truncate(end)
        file.seek(0 if end == len(_MAGIC) else end)
        file.write(_MAGIC if end == len(_MAGIC) else b"")
        for block in written:
            file.write(block)
            file.flush()
            os.fsync(file.fileno())  # each: so a crash leaves no more than the last one in part


def _walk(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Where each block ends, and what is in it; None, and no more, for one that is damaged.

    What begins with zeros ends with the file: a crash leaves that where a block was to be.
    """
    at = file.seek(0)
    if file.read(len(_MAGIC)) != _MAGIC:
        yield at, None
        return
    at += len(_MAGIC)
    while frame := file.read(_FRAME.size):
        length, checksum = _FRAME.unpack(frame.ljust(_FRAME.size, b"\0"))
        data = file.read(length or -1)
        at += _FRAME.size + len(data)
        if not length or len(frame) < _FRAME.size or zlib.crc32(data) != checksum:
            yield at, None
            return
        yield at, zlib.decompress(data)
