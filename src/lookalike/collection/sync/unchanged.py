"""Whether files are as when every item was compared with them: known by a digest, for which no item is read.

head       8 bytes   b"LKFOUND1"
          32 bytes   SHA-256 of the collection's identity and generation
          32 bytes   SHA-256 of the files' keys, sizes and times
checksum             as `kept_file` has it
"""

from __future__ import annotations

import hashlib
import os

from lookalike.collection import kept_file
from lookalike.collection.catalogue.catalogue import About
from lookalike.collection.place import Place
from lookalike.collection.sync.compare import Survey

_MAGIC = b"LKFOUND1"


def are_unchanged(place: Place, about: About, seen: Survey) -> bool:
    """Whether these files were noted for this generation."""
    return kept_file.load(_path(place), _head(about, seen)) is not None


def note(place: Place, about: About, seen: Survey) -> None:
    """Each item of this generation that is a file is one of these, and each of these an item of its size and time."""
    kept_file.keep(_path(place), _head(about, seen), [])


def _head(about: About, seen: Survey) -> bytes:
    generation = (about.uuid, about.created_ns, about.generation, about.updated_ns)
    return _MAGIC + hashlib.sha256(repr(generation).encode()).digest() + seen.digest


def _path(place: Place) -> str:
    return os.path.join(place.directory, "found")
