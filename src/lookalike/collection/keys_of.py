"""What the catalogue calls the items that a user names."""

from __future__ import annotations

import os

from lookalike.collection.catalogue import keys
from lookalike.collection.catalogue.catalogue import Catalogue
from lookalike.collection.place import Place
from lookalike.errors import ArgumentError
from lookalike.names import is_possible


class Keys:
    """The keys of items by their paths; of vectors in files by their names.

    Links are followed to the folder alone, for the picture may be one.
    """

    def __init__(self, place: Place, catalogue: Catalogue) -> None:
        """Within a snapshot or a transaction of the catalogue."""
        self._place = place
        self._catalogue = catalogue
        containers = catalogue.containers.all()
        self._archives = {each.path for each in containers if each.kind == "archive"}
        self._vectors = [each.path for each in containers if each.kind == "vectors"]
        self._places: dict[str, bytes] = {}  # to follow the links of each once

    def of(self, path: str) -> bytes:
        """The key of a path or a name. ArgumentError for what no file can be called."""
        if not is_possible(path):
            raise ArgumentError(f"expected a path, received {path!r:.80}, which no file can have")
        if self._vectors:
            rows = [keys.of_row(file, path) for file in self._vectors]
            return next((row for row in rows if self._catalogue.has_path(row)), rows[0])
        if keys.is_url(os.fsencode(path)):
            return os.fsencode(path)
        if self._archives and (member := self._member(path)):
            return member
        folder, name = os.path.split(os.path.abspath(path))
        return os.path.normpath(os.path.join(self._relative(folder), os.fsencode(name)))

    def _member(self, path: str) -> bytes | None:
        """The key of what is in an archive: by the very name, which in Parquet may be any, else as of a path."""
        likely = None
        end = path.find("/", 1)
        while end > 0:
            archive, name = self._relative(path[:end]), path[end + 1 :]
            end = path.find("/", end + 1)
            if archive not in self._archives:
                continue
            parts = [part for part in name.split("/") if part not in ("", ".")]
            possible = [name] if ".." in parts else [name, "/".join(parts)]
            for key in (keys.of_member(archive, each) for each in possible):
                if self._catalogue.has_path(key):
                    return key
                likely = key if ".." not in parts else None
        return likely

    def _relative(self, place: str) -> bytes:
        if place not in self._places:
            self._places[place] = self._place.relative(place)
        return self._places[place]
