"""Where a collection lies, and the paths in it.

A catalogue keeps paths as bytes, relative to the folder that holds the collection directory: a moved
disk works. `DIR/.lookalike` serves the folder DIR; any other directory may serve pictures elsewhere, and
a backup those of the original.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import NAME as CATALOGUE
from lookalike.collection.catalogue.lost import lost
from lookalike.errors import DamagedError, NotAnIndexError
from lookalike.images.find import OWN_FOLDER

FOLDER = OWN_FOLDER

_MARKER = "base"
_LONGEST = 4096  # bytes of a path

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Place:
    """A collection directory, with what turns its paths into the user's.

    Attributes:
        directory: the collection directory, absolute.
        base: the folder that paths are relative to, without symbolic links.
        shown: the same folder by the name that the user gave.
    """

    directory: str
    base: str
    shown: str

    @staticmethod
    def at(directory: str) -> Place:
        """The place of a collection directory, whether it is there yet or not."""
        directory = os.path.abspath(directory)
        if of := _backup_of(directory):
            return Place(directory, of, of)
        base = os.path.dirname(os.path.realpath(directory))
        parent = os.path.dirname(directory)
        return Place(directory, base, parent if os.path.realpath(parent) == base else base)

    @property
    def marker(self) -> str:
        """A file in a backup: what the paths of the original are relative to."""
        return os.path.join(self.directory, _MARKER)

    @property
    def catalogue(self) -> str:
        return os.path.join(self.directory, CATALOGUE)

    @property
    def segments(self) -> str:
        return os.path.join(self.directory, "segments")

    @property
    def rows(self) -> str:
        """What is kept of the catalogue beside the segments."""
        return os.path.join(self.directory, "rows")

    @property
    def names(self) -> tuple[str, ...]:
        """The collection directory by every name that it may have below a source."""
        real = os.path.realpath(self.directory)
        return self.directory, real, os.path.join(self.shown, os.path.basename(real))

    @property
    def exists(self) -> bool:
        return os.path.lexists(self.catalogue)

    @property
    def has_lost_catalogue(self) -> bool:
        """Whether there are segments without a catalogue."""
        return self._lost() is not None

    def require_catalogue(self) -> None:
        """DamagedError where it is lost; where nothing is there, nothing is."""
        if error := self._lost():
            raise error

    def _lost(self) -> DamagedError | None:
        return None if self.exists else lost(self.catalogue, "no file")

    def relative(self, path: str) -> bytes:
        """The key of a file, or of what is fetched."""
        if keys.is_url(os.fsencode(path)):
            return os.fsencode(path)
        return os.fsencode(os.path.relpath(os.path.realpath(path), self.base))

    def absolute(self, key: bytes) -> str:
        """What a user calls an item or a source: a path that may be opened; below an archive as below a folder; of a
        vector in a file its name."""
        if keys.is_row(key) or keys.is_url(key):
            return keys.decode(keys.plain(key))
        if container := keys.container_of(key):
            return f"{self.absolute(container)}/{keys.decode(keys.name_in(key))}"
        base = self.base if key.split(b"/", 1)[0] == b".." else self.shown
        return os.path.normpath(os.path.join(base, os.fsdecode(key)))


def _backup_of(directory: str) -> str | None:
    """What the paths of a backup are relative to; None where it is none."""
    try:
        with open(os.path.join(directory, _MARKER), "rb") as file:
            base = os.fsdecode(file.read(_LONGEST))
    except OSError:
        return None
    return base if os.path.isabs(base) and "\0" not in base else None


def existing_place(where: str) -> Place:
    """The place of the collection there. NotAnIndexError where there is none, DamagedError without its catalogue."""
    place = find_place(where)
    place.require_catalogue()
    if not place.exists:
        raise NotAnIndexError(f"{where} is not indexed; index it with: lookalike index {where}")
    return place


def find_place(where: str) -> Place:
    """The place of the collection that `where` means: that directory, or the one in that folder.

    Raises:
        NotAnIndexError: `where` is missing or no folder.
    """
    if not os.path.isdir(where):
        received = "a file" if os.path.exists(where) else "nothing"
        raise NotAnIndexError(
            f"expected a folder of pictures or a collection at {where}, received {received}; name a folder"
        )
    itself, within = Place.at(where), Place.at(os.path.join(where, FOLDER))
    is_itself = itself.exists or os.path.basename(itself.directory) == FOLDER or itself.has_lost_catalogue
    return itself if is_itself and not within.exists else within
