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
        self._archives = sorted((each.path for each in containers if each.kind == "archive"), key=len, reverse=True)
        self._vectors = [each.path for each in containers if each.kind == "vectors"]
        self._folders: dict[str, bytes] = {}  # to follow the links of each once

    def of(self, path: str) -> bytes:
        """The key of a path or a name. ArgumentError for what no file can be called."""
        if not is_possible(path):
            raise ArgumentError(f"expected a path, received {path!r:.80}, which no file can have")
        if self._vectors:
            rows = [keys.of_row(file, path) for file in self._vectors]
            return next((row for row in rows if self._catalogue.has_path(row)), rows[0])
        if keys.is_url(os.fsencode(path)):
            return os.fsencode(path)
        folder, name = os.path.split(os.path.abspath(path))
        if folder not in self._folders:
            self._folders[folder] = self._place.relative(folder)
        key = os.path.normpath(os.path.join(self._folders[folder], os.fsencode(name)))
        for archive in self._archives:
            if key.startswith(archive + b"/"):
                return keys.of_member(archive, os.fsdecode(key[len(archive) + 1 :]))
        return key
